"""Supervisors, their children, monitors and links."""

from __future__ import annotations

import asyncio
import gc
import pickle
import threading
import time
import weakref
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

import airwasm
from airwasm import Backoff, HostSpec, SupervisorSpec
from conftest import GUESTS, python

AT_ONCE = Backoff(initial_ms=0)


def echo(message: airwasm.Message) -> bytes:
    return message.payload


def crash(_message: airwasm.Message) -> bytes:
    raise RuntimeError("on purpose")


def ids(actors: list[airwasm.ActorStatus]) -> list[str]:
    return [actor.id for actor in actors]


@pytest.mark.parametrize("count", [0, 2**32 - 1, airwasm.UNLIMITED])
def test_a_count_of_what_happens_may_be_without_a_bound(system: airwasm.System, count: int) -> None:
    system.supervisor("top", intensity=count).stop()
    component = system.load(GUESTS / "hello.wasm")
    system.spawn(component, "one", health_interval_ms=3_600_000, health_missed=count, errors_max=count).stop()


@pytest.mark.parametrize("count", [2**32, airwasm.UNLIMITED - 1])
def test_a_count_that_the_core_cannot_hold_names_its_range(system: airwasm.System, count: int) -> None:
    for which, make in {
        "intensity": lambda: system.supervisor("top", intensity=count),
        "errors_max": lambda: system.spawn_host(print, errors_max=count),
    }.items():
        with pytest.raises(airwasm.InvalidArgument, match=f"{which}: {count} is not 0 to 4294967295"):
            make()


def test_children_may_be_guests_functions_and_supervisors(system: airwasm.System) -> None:
    guest = airwasm.ActorSpec(system.load(GUESTS / "hello.wasm"), "guest")
    below = SupervisorSpec("below", [HostSpec(echo, "deep")], strategy="one_for_all", restart="transient")
    top = system.supervisor("top", (guest, HostSpec(echo, "host"), below))
    assert isinstance(top, airwasm.Supervisor) and isinstance(top, airwasm.Actor)
    assert ids(top.children()) == ["default/guest/0", "default/host/0", "default/below/0"]
    assert system.lookup("guest").request(b"x") == b"hello x"
    assert system.lookup("deep").request(b"x") == b"x"
    (node,) = system.tree()
    assert node.actor == top and node.restart is None and node.status.state == "running"
    assert [child.restart for child in node.children] == ["permanent", "permanent", "transient"]
    assert node.children[2].children[0].actor == system.lookup("deep")
    assert "default/deep/0" in repr(node) and weakref.ref(node)() is node


def test_a_supervisor_is_an_actor_that_takes_no_messages(system: airwasm.System) -> None:
    top = system.supervisor("top")
    assert top.id == "default/top/0" and repr(top) == "<airwasm.Supervisor default/top/0>"
    assert top == system.lookup("top") and hash(top) == hash(system.lookup("top"))
    assert weakref.ref(top)() is top
    with pytest.raises(airwasm.InvalidHandle, match="is a supervisor"):
        top.send(b"")
    with pytest.raises(airwasm.InvalidHandle, match="is a supervisor"):
        top.request(b"")
    with pytest.raises(airwasm.InvalidHandle):
        system.children(system.spawn_host(echo, "none"))
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(top)
    top.stop(deadline=1)
    assert top.status().state == "stopped" and top.status().last_exit == "shutdown"


def test_children_come_and_go(system: airwasm.System) -> None:
    top = system.supervisor("top")
    child = top.start_child(HostSpec(echo, "child", shutdown_ms=500))
    assert type(child) is airwasm.Actor and child.request(b"x") == b"x"
    assert isinstance(top.start_child(SupervisorSpec("below")), airwasm.Supervisor)
    with pytest.raises(airwasm.InvalidChild):
        top.delete_child(child)
    top.terminate_child(child)
    with pytest.raises(airwasm.ActorStopped):
        child.request(b"x")
    top.restart_child(child)
    assert child.request(b"x") == b"x"
    system.terminate_child(top, child)
    system.delete_child(top, child)
    assert ids(system.children(top)) == ["default/below/0"]
    assert system.spawn_host(echo, "child").id == "default/child/0"


def test_every_wait_has_its_twin(system: airwasm.System) -> None:
    async def main() -> None:
        top = await system.supervisor_async("top", [HostSpec(echo, "first")], backoff=AT_ONCE)
        child = await top.start_child_async(HostSpec(echo, "child"))
        below = await system.start_child_async(top, SupervisorSpec("below"))
        assert isinstance(below, airwasm.Supervisor)
        watched = asyncio.ensure_future(child.monitor_async())
        await top.terminate_child_async(child)
        down = await watched
        assert (down.id, down.reason, down.error, down.restarting) == (child.id, "shutdown", None, False)
        await top.restart_child_async(child)
        assert await child.request_async(b"x") == b"x"
        await system.terminate_child_async(top, child)
        await system.restart_child_async(top, child)
        with pytest.raises(airwasm.InvalidChild):
            await top.delete_child_async(child)
        await top.terminate_child_async(child)
        await top.delete_child_async(child)
        again = await top.start_child_async(HostSpec(echo, "child"))
        await system.terminate_child_async(top, again)
        await system.delete_child_async(top, again)
        assert ids(top.children()) == ["default/first/0", "default/below/0"]
        with pytest.raises(airwasm.AlreadyExists):
            await system.supervisor_async("top")
        await top.stop_async()

    asyncio.run(main())


def test_a_spec_can_be_used_again(system: airwasm.System) -> None:
    spec = SupervisorSpec("below", [HostSpec(echo, "child")])
    for name in ("one", "two"):
        top = system.supervisor(name, [spec])
        assert system.lookup("child").request(b"x") == b"x"
        with pytest.raises(airwasm.AlreadyExists):
            top.start_child(spec)
        top.stop()


def test_a_tree_that_is_refused_forgets_its_functions(system: airwasm.System) -> None:
    def make() -> tuple[HostSpec, Callable[[], object]]:
        def handler(message: airwasm.Message) -> bytes:
            return message.payload

        return HostSpec(handler, "child"), weakref.ref(handler)

    system.spawn_host(echo, "taken")
    spec, handler = make()
    with pytest.raises(airwasm.AlreadyExists, match="default/taken/0"):
        system.supervisor("top", [spec, HostSpec(echo, "taken")])
    del spec
    gc.collect()
    assert handler() is None
    assert ids(system.list()) == ["default/taken/0"]


async def home(_message: airwasm.Message) -> bytes:
    await asyncio.sleep(0)
    return threading.current_thread().name.encode()


def test_async_children_answer_on_the_loop_that_started_them(system: airwasm.System) -> None:
    system.supervisor("top", [HostSpec(home, "own")])
    assert system.lookup("own").request(b"") == b"airwasm-asyncio"

    async def main() -> None:
        below = SupervisorSpec("below", [HostSpec(home, "deep")])
        top = await system.supervisor_async("here", [HostSpec(home, "child"), below])
        late = await top.start_child_async(HostSpec(home))
        unnamed = (HostSpec(home), HostSpec(echo), SupervisorSpec("inner", [HostSpec(echo), HostSpec(home)]))
        await top.start_child_async(SupervisorSpec("unnamed", unnamed))
        one, _, inner = next(node for node in system.tree()[-1].children if node.actor.id == "default/unnamed/0").children
        assert one.actor.id != inner.children[1].actor.id
        for actor in (system.lookup("child"), system.lookup("deep"), late, one.actor, inner.children[1].actor):
            assert await actor.request_async(b"") == b"MainThread"
            with pytest.raises(airwasm.WouldDeadlock):
                actor.request(b"")

    asyncio.run(main())


def test_a_crashed_child_is_started_again(system: airwasm.System) -> None:
    system.supervisor("top", [HostSpec(crash, "child")], backoff=AT_ONCE, intensity=2, period_ms=60_000)
    child = system.lookup("child")
    watched: list[airwasm.Down] = []
    thread = threading.Thread(target=lambda: watched.append(system.monitor(child)))
    thread.start()
    while child.status().handled < 1 and not watched:
        time.sleep(0.01)
        with pytest.raises(airwasm.HandlerRaised):
            child.request(b"")
    thread.join()
    (down,) = watched
    assert isinstance(down.error, airwasm.HandlerRaised) and down.error.detail["type"] == "RuntimeError"
    assert down.reason == "crashed: RuntimeError: on purpose" and down.restarting
    assert "restarting=True" in repr(down)
    assert child.status().restarts == 1 and str(child.status().last_exit).startswith("crashed")


def test_a_group_that_restarts_refuses_no_request(system: airwasm.System) -> None:
    children = [HostSpec(crash, "crash"), HostSpec(echo, "echo")]
    system.supervisor("top", children, strategy="one_for_all", backoff=AT_ONCE, intensity=1_000)
    crashes, echoes = system.lookup("crash"), system.lookup("echo")
    for turn in range(50):
        crashes.send(b"")
        assert echoes.request(b"%d" % turn) == b"%d" % turn
    assert echoes.status().restarts > 0


def test_a_supervisor_gives_up(system: airwasm.System) -> None:
    top = system.supervisor("top", [HostSpec(crash, "child")], backoff=AT_ONCE, intensity=0)
    with pytest.raises(airwasm.HandlerRaised):
        system.lookup("child").request(b"")
    assert top.status().state == "stopped" or top.monitor(timeout=10).restarting is False


def test_a_significant_child_takes_its_supervisor_along(system: airwasm.System) -> None:
    child = HostSpec(crash, "child", restart="temporary", significant=True)
    top = system.supervisor("top", [child], auto_shutdown="any_significant")

    async def main() -> airwasm.Down:
        watched = asyncio.ensure_future(top.monitor_async())
        with pytest.raises(airwasm.HandlerRaised):
            await system.lookup("child").request_async(b"")
        return await watched

    assert asyncio.run(main()).reason == "shutdown"


def test_monitor_waits_no_longer_than_it_is_told(system: airwasm.System) -> None:
    actor = system.spawn_host(echo, "lives")
    for timeout in (0.05, timedelta(milliseconds=50), 0):
        began = time.monotonic()
        with pytest.raises(airwasm.Timeout, match="default/lives/0"):
            actor.monitor(timeout=timeout)
        assert time.monotonic() - began < 5
    with pytest.raises(airwasm.InvalidArgument):
        actor.monitor(timeout=-1)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(actor.monitor_async(), 0.05)

    asyncio.run(main())
    assert actor.status().state == "running"
    actor.stop()
    with pytest.raises(airwasm.ActorStopped):
        actor.monitor(timeout=float("inf"))


def test_linked_lives_end_together(system: airwasm.System) -> None:
    one, two, three = (system.spawn_host(crash, name) for name in ("one", "two", "three"))
    one.link(two)
    system.link(one, three)
    system.unlink(one, three)
    one.unlink(three)

    async def main() -> airwasm.Down:
        watched = asyncio.ensure_future(two.monitor_async())
        with pytest.raises(airwasm.HandlerRaised):
            await one.request_async(b"")
        return await watched

    assert "linked default/one/0 ended" in asyncio.run(main()).reason
    assert three.status().state == "running"


def asking(system: airwasm.System, name: str) -> Callable[[airwasm.Message], bytes]:
    return lambda message: system.lookup(name).request(message.payload, timeout=20)


def test_a_function_that_asks_itself_is_told_so_at_once(system: airwasm.System) -> None:
    system.supervisor("top", [HostSpec(asking(system, "self"), "self")])
    began = time.monotonic()
    with pytest.raises(airwasm.HandlerRaised, match="WouldDeadlock"):
        system.lookup("self").request(b"")
    assert time.monotonic() - began < 5


def test_functions_that_ask_each_other_are_told_so_at_once(system: airwasm.System) -> None:
    system.supervisor("top", [HostSpec(asking(system, "two"), "one"), HostSpec(asking(system, "one"), "two")])
    began = time.monotonic()
    with pytest.raises(airwasm.HandlerRaised, match="Cycle.*waits for"):
        system.lookup("one").request(b"")
    assert time.monotonic() - began < 5


Ends = Callable[[airwasm.System, airwasm.Actor], object]


@pytest.mark.parametrize(
    "ends",
    [
        lambda _, actor: actor.stop(),
        lambda system, _: system.lookup("top").stop(),
        lambda system, actor: system.terminate_child(system.lookup("top"), actor),
        lambda _, actor: actor.monitor(),
        lambda _, actor: actor.monitor(timeout=20),
        lambda system, _: system.lookup("top").monitor(),
    ],
    ids=["stop", "stop_above", "terminate", "monitor", "monitor_timeout", "monitor_above"],
)
def test_a_function_that_waits_for_its_own_end_is_told_so_at_once(system: airwasm.System, ends: Ends) -> None:
    def waits(message: airwasm.Message) -> bytes:
        try:
            ends(system, system.lookup(message.to))
        except airwasm.Cycle:
            return b"told"
        return b"not told"

    system.supervisor("top", [HostSpec(waits, "self")])
    began = time.monotonic()
    assert system.lookup("self").request(b"", timeout=20) == b"told"
    assert time.monotonic() - began < 4


Wrong = Callable[[airwasm.System], object]
untyped: Any = airwasm


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda system: system.supervisor(), "name"),
        (lambda system: system.supervisor(5), "name"),
        (lambda system: system.supervisor("s", 5), "iterable"),
        (lambda system: system.supervisor("s", "ab"), "sequence of specs"),
        (lambda system: system.supervisor("s", [echo]), "a child is an airwasm.ActorSpec"),
        (lambda system: system.supervisor("s", HostSpec(echo)), "iterable"),
        (lambda system: system.supervisor("s", restart="permanent"), "'restart': there is no such option"),
        (lambda system: system.supervisor("s", intensity="5"), "argument 'intensity'"),
        (lambda system: system.supervisor("s", backoff=100), "argument 'backoff'"),
        (lambda system: system.supervisor("s", stategy="one_for_one"), "'stategy': there is no such option"),
        (lambda system: system.supervisor("s").start_child(echo), "a child is an airwasm.ActorSpec"),
        (lambda system: system.supervisor("s").terminate_child("a"), "Actor"),
        (lambda system: system.monitor("a"), "Actor"),
        (lambda system: untyped.HostSpec(5), "a handler is a function"),
        (lambda system: untyped.HostSpec(echo, config={}), "'config': there is no such option"),
        (lambda system: untyped.HostSpec(echo, significant=1), "argument 'significant'"),
        (lambda system: untyped.HostSpec(echo, errors_max=1.5), "argument 'errors_max'"),
        (lambda system: untyped.SupervisorSpec("s", restart=1), "argument 'restart'"),
        (lambda system: untyped.Backoff(100), "positional"),
        (lambda system: untyped.Backoff(factor="2"), "factor"),
        (lambda system: airwasm.Supervisor(), "No constructor|cannot create"),
    ],
)
def test_what_is_of_a_wrong_type_says_so(system: airwasm.System, wrong: Wrong, why: str) -> None:
    with pytest.raises(TypeError, match=why):
        wrong(system)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda system: system.supervisor("s", strategy="all"), airwasm.InvalidArgument),
        (lambda system: system.supervisor("s", give_up=""), airwasm.InvalidArgument),
        (lambda system: system.supervisor("s", auto_shutdown="yes"), airwasm.InvalidArgument),
        (lambda system: system.supervisor("s", intensity=2**32), airwasm.InvalidArgument),
        (lambda system: system.supervisor("s", intensity=-1), airwasm.InvalidArgument),
        (lambda system: system.supervisor("Not An Id"), airwasm.InvalidArgument),
        (lambda system: system.supervisor("s", backoff=Backoff(jitter=float("nan"))), airwasm.InvalidChild),
        (lambda system: system.supervisor("s", backoff=Backoff(factor=float("inf"))), airwasm.InvalidChild),
        (lambda system: system.supervisor("s", [HostSpec(echo, significant=True)]), airwasm.InvalidChild),
        (lambda system: untyped.Backoff(initial_ms=-1), airwasm.InvalidArgument),
        (lambda system: untyped.Backoff(max_ms=2**64), airwasm.InvalidArgument),
        (lambda system: untyped.HostSpec(echo, overflow="drop"), airwasm.InvalidArgument),
        (lambda system: untyped.HostSpec(echo, restart="always"), airwasm.InvalidArgument),
        (lambda system: untyped.HostSpec(echo, health_missed=2**40), airwasm.InvalidArgument),
    ],
)
def test_what_the_core_refuses_leaves_nothing(
    system: airwasm.System, wrong: Wrong, error: type[Exception]
) -> None:
    with pytest.raises(error):
        wrong(system)
    assert system.list() == []


def test_specs_far_inside_each_other_are_refused(system: airwasm.System) -> None:
    spec = SupervisorSpec("s0")
    for depth in range(1, 100):
        spec = SupervisorSpec(f"s{depth}", [spec])
    with pytest.raises(airwasm.InvalidChild, match="below each other"):
        system.supervisor("top", [spec])
    assert system.list() == []
    with pytest.raises(RecursionError):
        for depth in range(100_000):
            spec = SupervisorSpec("s", [spec])


def test_what_belongs_to_another_system_is_refused(system: airwasm.System) -> None:
    with airwasm.System() as other:
        stranger = other.spawn_host(echo, "stranger")
        guest = airwasm.ActorSpec(other.load(GUESTS / "hello.wasm"), "guest")
        top, mine = system.supervisor("top"), system.spawn_host(echo, "mine")
        wrong: list[Callable[[], object]] = [
            lambda: system.supervisor("s", [guest]),
            lambda: top.start_child(SupervisorSpec("s", [guest])),
            lambda: top.terminate_child(stranger),
            lambda: other.children(top),
            lambda: system.monitor(stranger),
            lambda: mine.link(stranger),
        ]
        for call in wrong:
            with pytest.raises(airwasm.InvalidHandle, match="another system"):
                call()
        # A function belongs to nobody before it is started.
        spec = HostSpec(echo, "anywhere")
        for one in (system, other):
            assert one.supervisor("s", [spec]).children()[0].id == "default/anywhere/0"


def test_a_closed_system_supervises_nobody() -> None:
    with airwasm.System() as system:
        top = system.supervisor("top", [HostSpec(echo, "child")])
    wrong: list[Callable[[], object]] = [
        top.children,
        system.tree,
        lambda: system.supervisor("s", [HostSpec(echo)]),
        lambda: top.start_child(HostSpec(echo)),
        lambda: top.monitor(),
    ]
    for call in wrong:
        with pytest.raises(airwasm.Closed):
            call()


def test_who_monitors_when_the_system_closes_is_told(system: airwasm.System) -> None:
    top = system.supervisor("top", [HostSpec(echo, "child")])

    async def main() -> airwasm.Down:
        watched: Awaitable[airwasm.Down] = asyncio.ensure_future(top.monitor_async())
        await system.close_async()
        return await watched

    assert asyncio.run(main()).reason == "shutdown"


def test_threads_start_and_end_children_at_once(system: airwasm.System) -> None:
    top = system.supervisor("top")
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(20):
                child = top.start_child(HostSpec(echo, f"c{number}-{turn}"))
                assert child.request(b"x") == b"x"
                top.terminate_child(child)
                top.delete_child(child)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed and top.children() == []


def test_a_child_lets_go_of_its_function(system: airwasm.System) -> None:
    class Owner:
        def handle(self, message: airwasm.Message) -> bytes:
            return message.payload

    owner = Owner()
    gone = weakref.ref(owner)
    top = system.supervisor("top", [SupervisorSpec("below", [HostSpec(owner.handle, "child")])])
    del owner
    gc.collect()
    assert system.lookup("child").request(b"x") == b"x"
    top.stop()
    until = time.monotonic() + 10
    while gone() is not None and time.monotonic() < until:
        # What a thread of the core dropped goes at the next call.
        assert system.list() == []
    assert gone() is None


def test_the_interpreter_exits_while_children_run_and_crash() -> None:
    ran = python(
        """
        import asyncio, threading, time
        async def sleep(message): await asyncio.sleep(100)
        def crash(message): raise RuntimeError
        def hold(message): time.sleep(100)
        system = airwasm.System()
        children = [airwasm.HostSpec(sleep, "sleep"), airwasm.HostSpec(crash, "crash"), airwasm.HostSpec(hold, "hold")]
        system.supervisor("top", children, intensity=10**6, backoff=airwasm.Backoff(initial_ms=0))
        crash, hold = system.lookup("crash"), system.lookup("hold")
        crash.send_every(b"", 0.001), system.lookup("sleep").send(b""), hold.send(b"")
        threading.Thread(target=hold.monitor, daemon=True).start()
        while crash.status().restarts < 10:
            time.sleep(0.01)
        print("restarted")
        """,
        "-X",
        "dev",
    )
    assert (ran.returncode, ran.stdout) == (0, "restarted\n"), ran.stderr


def test_ctrl_c_ends_a_monitor() -> None:
    ran = python(
        """
        import os, signal, threading, time
        with airwasm.System() as system:
            actor = system.spawn_host(lambda message: b"", "lives")
            threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
            began = time.monotonic()
            try:
                actor.monitor()
            except KeyboardInterrupt:
                print("interrupted", time.monotonic() - began < 10, actor.status().state)
        """
    )
    assert ran.stdout == "interrupted True running\n", ran.stderr
