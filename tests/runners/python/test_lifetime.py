"""How things end: systems, interpreters, processes; and what signals and forks leave alone."""

from __future__ import annotations

import copy
import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
import weakref
from typing import Any

import pytest

import airwasm
import spawned_child
from conftest import GUESTS, HANGS_AFTER, Spawn, python


def quiet(done: subprocess.CompletedProcess[str], said: str) -> None:
    """It ended well, said this and nothing else."""
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")


# A system with an actor of each kind, one of which loops for ever unless it is ended.
BUSY = """
import asyncio, logging, threading, time
logging.getLogger("asyncio").setLevel(logging.ERROR)  # No word of turns that are long where the machine is busy.
system = airwasm.System()
load = lambda name: system.load(f"{GUESTS}/{name}.wasm")
forever = airwasm.Budget(cpu_ms=airwasm.UNLIMITED, wall_ms=airwasm.UNLIMITED)
looper = system.spawn(load("looper"), "looper", budget=forever)
hello = system.spawn(load("hello"), "hello")
looper.send(b"loop")
system.spawn_host(lambda message: hello.request(message.payload), "plain")
async def later(message):
    await asyncio.sleep(3600)
system.spawn_host(later, "later").send(b"")
print(system.lookup("plain").request(b"x"), flush=True)
"""

ENDS = {
    "live_actors": "",
    "daemon_thread_waits": "threading.Thread(target=lambda: looper.request(b'', timeout=3600), daemon=True).start()",
    "callback_pending": "entered = threading.Event()\n"
    "system.spawn_host(lambda _: entered.set() or time.sleep(3600), 'sleeper').send(b'')\nentered.wait()",
    "callback_computes": "entered = threading.Event()\n"
    "def compute(message):\n    entered.set()\n    while True: pass\n"
    "system.spawn_host(compute, 'computer').send(b'')\nentered.wait()",
    "async_callback_computes": "entered = threading.Event()\n"
    "async def compute(message):\n    entered.set()\n    while True: pass\n"
    "system.spawn_host(compute, 'computer').send(b'')\nentered.wait()",
    "asyncio_in_a_daemon_thread": "async def ask():\n"
    "    started.set()\n"
    "    while True: await asyncio.gather(*(system.lookup('plain').request_async(b'') for _ in range(10)))\n"
    "def run():\n"
    "    try: asyncio.run(ask())\n"
    "    except airwasm.AirwasmError: pass\n"
    "started = threading.Event()\n"
    "[threading.Thread(target=run, daemon=True).start() for _ in range(4)]\nstarted.wait()",
    "callbacks_going_on": "plain = system.lookup('plain')\n"
    "ask = lambda: [plain.request(b'') for _ in range(10**9)]\n"
    "[threading.Thread(target=ask, daemon=True).start() for _ in range(4)]",
    "events_awaited": "threading.Thread(target=lambda: list(system.events('never')), daemon=True).start()",
    "loop_left_behind": "async def leave():\n    looper.request_async(b'x', timeout=3600)\nasyncio.run(leave())",
    "message_while_a_handler_ends": "begun = threading.Event()\n"
    "async def passes_on(message):\n"
    "    begun.set()\n"
    "    try: await asyncio.sleep(3600)\n"
    "    finally:\n"
    "        heir.send(b'')\n"
    "        await asyncio.sleep(0.05)\n"
    "heir = system.spawn_host(later, 'heir')\n"
    "system.spawn_host(passes_on, 'passes_on').send(b'')\nbegun.wait()",
    "reference_cycle": "system.spawn_host(lambda _: system and b'', 'cycle')",
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("options", [(), ("-X", "dev")], ids=["plain", "dev"])
def test_hostile_j4_the_interpreter_exits_with_live_actors(end: str, options: tuple[str, ...]) -> None:
    # The guest would loop and the handlers would sleep for an hour: whoever waits for them runs into the watchdog.
    quiet(python(BUSY + ENDS[end], *options), "b'hello x'\n")


def test_hostile_j4_an_exit_code_is_kept() -> None:
    done = python(BUSY + "raise SystemExit(7)")
    assert (done.returncode, done.stderr) == (7, "")


def test_hostile_j4_os_exit_and_kill_leave_nothing_to_wait_for() -> None:
    assert python(BUSY + "import os; os._exit(3)").returncode == 3


def test_hostile_j5_a_cycle_of_system_and_handler_is_collected() -> None:
    class Handler:
        def __init__(self, system: airwasm.System) -> None:
            self.system = system

        def __call__(self, message: airwasm.Message) -> bytes:
            return b""

    system = airwasm.System()
    handler = Handler(system)
    actor = system.spawn_host(handler, "cyclic")
    assert actor.request(b"") == b""
    seen: list[weakref.ref[Any]] = [weakref.ref(system), weakref.ref(handler)]
    del system, handler
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gc.collect()
    assert [ref() for ref in seen] == [None, None]
    assert [warning.category for warning in caught] == [ResourceWarning]
    # The handle is a name and outlives what it named.
    with pytest.raises(airwasm.Closed):
        actor.request(b"")


def test_hostile_j5_handlers_go_with_their_actors(system: airwasm.System) -> None:
    class Handler:
        def __call__(self, message: airwasm.Message) -> bytes:
            return b""

    handlers: weakref.WeakSet[Handler] = weakref.WeakSet()
    for _ in range(1_000):
        handler = Handler()
        handlers.add(handler)
        actor = system.spawn_host(handler, "again")
        assert actor.request(b"") == b""
        actor.stop()
        del handler
    # What a worker dropped without the GIL goes with the next calls.
    for _ in range(10_000):
        if not handlers:
            break
        system.stats()
        gc.collect()
    assert len(handlers) == 0
    assert system.stats().actors == 0


def test_hostile_j5_a_system_may_be_dropped_by_another_thread() -> None:
    holder = [airwasm.System()]
    actor = holder[0].spawn(holder[0].load(GUESTS / "looper.wasm"), "looper")
    actor.send(b"loop")

    def drop() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            holder.clear()

    thread = threading.Thread(target=drop)
    thread.start()
    thread.join()
    with pytest.raises(airwasm.Closed):
        actor.request(b"")


def test_a_system_that_was_not_closed_is_named() -> None:
    with pytest.warns(ResourceWarning, match="not closed"):
        airwasm.System()
        gc.collect()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with airwasm.System():
            pass
        gc.collect()


def test_hostile_j6_a_sub_interpreter_is_refused_cleanly() -> None:
    done = python(
        """
        import warnings
        warnings.simplefilter("ignore")
        try:
            import _xxsubinterpreters as interpreters
        except ImportError:
            import _interpreters as interpreters
        other = interpreters.create()
        try:
            failed = interpreters.run_string(other, "import airwasm; airwasm.System().close()")
        except Exception as e:
            failed = e
        print(failed is None or "ImportError" in str(failed) and "interpreter" in str(failed))
        system = airwasm.System()
        print(system.spawn(system.load(f"{GUESTS}/hello.wasm")).request(b"x"))
        system.close()
        """
    )
    assert done.returncode == 0 and done.stdout.endswith("b'hello x'\n"), done
    assert done.stdout.startswith("True\n"), done


FORK = """
import os, signal, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)
system = airwasm.System()
hello = system.spawn(system.load(f"{GUESTS}/hello.wasm"), "hello")
system.spawn_host(lambda message: message.payload, "host")
events = system.events()
def in_child(work):
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 9
        try:
            code = work()
        finally:
            sys.stdout.flush()
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), hello.request(b"parent"), flush=True)
"""


def test_hostile_j7_a_forked_child_is_told_so() -> None:
    done = python(
        FORK
        + textwrap.dedent(
            """
            def work():
                told = 0
                for call in (lambda: hello.request(b"x"), lambda: hello.send(b"x"), system.close, system.stats,
                             lambda: system.load("x"), lambda: system.lookup("hello"), lambda: hello.grant("clock")):
                    try:
                        call()
                    except RuntimeError as e:
                        told += isinstance(e, airwasm.Forked)
                assert system.is_closed() and repr(system) == "<airwasm.System closed>"
                return told
            in_child(work)
            """
        )
    )
    quiet(done, "7 b'hello parent'\n")


def test_hostile_j7_a_forked_child_opens_its_own() -> None:
    done = python(
        FORK
        + textwrap.dedent(
            """
            def work():
                with airwasm.System() as own:
                    print(own.spawn(own.load(f"{GUESTS}/hello.wasm"), "hello").request(b"child"))
                return 0
            in_child(work)
            """
        )
    )
    quiet(done, "b'hello child'\n0 b'hello parent'\n")


def test_hostile_j12_a_child_that_drops_and_exits_ends_well() -> None:
    """Destructors and exit hooks in the child join no thread of the parent."""
    done = python(
        FORK
        + textwrap.dedent(
            """
            import threading, gc
            results = []
            def fork():
                child = os.fork()
                if child == 0:
                    global system, hello, events
                    del system, hello, events
                    gc.collect()
                    sys.exit(4)
                results.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            thread = threading.Thread(target=fork)
            thread.start()
            thread.join()
            print(results, hello.request(b"parent"))
            """
        )
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout in ("[4] b'hello parent'\n", "[0] b'hello parent'\n")


def test_hostile_j7_multiprocessing_spawn() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        guests = str(GUESTS)
        assert pool.apply(spawned_child.ask, (f"{guests}/hello.wasm", b"child")) == b"hello child"
        with pytest.raises(airwasm.Denied) as caught:
            pool.apply(spawned_child.fail, (f"{guests}/reader.wasm",))
        assert caught.value.policy_line == "- fs.read /etc/passwd"


def test_hostile_j9_handles_are_not_pickled(spawn: Spawn, system: airwasm.System) -> None:
    echo = spawn("echo")
    handles: list[Any] = [system, echo, system.load(GUESTS / "echo.wasm"), echo.grant("clock"), system.events()]
    for handle in handles:
        with pytest.raises(TypeError, match=rf"airwasm\.{type(handle).__name__} names .* cannot be pickled: \w"):
            pickle.dumps(handle)
        with pytest.raises(TypeError, match="cannot be pickled"):
            copy.copy(handle)


def test_hostile_j12_a_small_recursion_limit(spawn: Spawn, system: airwasm.System) -> None:
    echo = spawn("echo")
    depth = len(__import__("inspect").stack())
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + 30)
    try:
        assert echo.request(b"x") == b"x"
    finally:
        sys.setrecursionlimit(before)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_guest_trap_leaves_a_host_with_faulthandler_alive(when: str) -> None:
    enable = "import faulthandler\nfaulthandler.enable()\n"
    done = python(
        (enable if when == "before" else "")
        + textwrap.dedent(
            """
            system = airwasm.System()
            crasher = system.spawn(system.load(f"{GUESTS}/crasher.wasm"), "crasher", restart="permanent")
            """
        )
        + (enable if when == "after" else "")
        + textwrap.dedent(
            """
            for how in (b"boom", b"abort", b"deep", b"grow"):
                try:
                    crasher.request(how)
                except airwasm.AirwasmError as e:
                    print(e.name)
            print(crasher.request(b"ping"))
            system.close()
            """
        )
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    names = done.stdout.split()
    assert names[:2] == ["TRAPPED", "TRAPPED"] and len(names) == 5 and names[-1] == "b'pong'"


INTERRUPTED = """
system = airwasm.System()
forever = airwasm.Budget(cpu_ms=airwasm.UNLIMITED, wall_ms=airwasm.UNLIMITED)
looper = system.spawn(system.load(f"{GUESTS}/looper.wasm"), "looper", budget=forever)
async def main():
    await looper.request_async(b"", timeout=float("inf"))
looper.send(b"loop")
while system.stats().delivered == 0:
    pass
print("looping", flush=True)
"""


@pytest.mark.parametrize(
    "call",
    [
        "looper.request(b'', timeout=float('inf'))",
        "import asyncio; asyncio.run(main())",
        "next(system.events('never'))",
        "looper.stop(deadline=3600)",
        "system.close(deadline=3600)",
    ],
    ids=["request", "asyncio", "events", "stop", "close"],
)
def test_ctrl_c_ends_a_wait(call: str) -> None:
    """The guest loops and the caller would wait for ever: only the signal ends it."""
    source = f"try:{textwrap.indent(INTERRUPTED, '    ')}    {call}\nexcept KeyboardInterrupt:\n    print('interrupted')\n"
    command = [sys.executable, "-c", f"import airwasm\nGUESTS = {str(GUESTS)!r}\n{source}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "looping\n"
        child.send_signal(signal.SIGINT)
        rest, errors = child.communicate(timeout=HANGS_AFTER)
    assert (child.returncode, rest, errors) == (0, "interrupted\n", "")


def test_signal_handlers_run_during_a_wait() -> None:
    done = python(
        """
        import os, signal
        system = airwasm.System()
        looper = system.spawn(system.load(f"{GUESTS}/looper.wasm"), "looper")
        seen = []
        signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
        print(looper.request(b"sleep 300"))
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(len(seen) > 1)
        system.close()
        """
    )
    quiet(done, "b'slept 300'\nTrue\n")


def test_no_disposition_of_a_signal_is_changed() -> None:
    done = python(
        """
        import re
        # All but the two that the C library takes for itself when a first thread starts.
        masks = lambda: re.findall("Sig(?:Cgt|Ign|Blk):\\t(.*)", open("/proc/self/status").read())
        caught = lambda: [int(mask, 16) & ~(3 << 31) for mask in masks()]
        before = caught()
        system = airwasm.System()
        crasher = system.spawn(system.load(f"{GUESTS}/crasher.wasm"), "crasher")
        try:
            crasher.request(b"abort")
        except airwasm.Trapped:
            print(caught() == before)
        system.close()
        """
    )
    quiet(done, "True\n")


def test_threads_and_descriptors_go_with_their_systems() -> None:
    def counts() -> tuple[int, int]:
        return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))

    def once() -> None:
        with airwasm.System() as system:
            system.spawn(system.load(GUESTS / "echo.wasm"), "echo").request(b"x")

    once()
    before = counts()
    for _ in range(5):
        once()
    # The thread that closes a system says so just before it ends.
    after = counts()
    for _ in range(1_000):
        if after[0] <= before[0] and after[1] <= before[1]:
            break
        time.sleep(0.01)
        after = counts()
    assert after[0] <= before[0] and after[1] <= before[1], (before, after)
