"""The story of airwasm: a tool is denied, is stopped, and comes back, while another one keeps answering."""

import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import airwasm

GUESTS = Path(sys.argv[1] if len(sys.argv) > 1 else "target/guests")


@dataclass
class Told:
    """What has happened so far."""

    denied: int = 0
    stopped: int = 0
    restarted: int = 0
    answered: int = 0


def title(text: str) -> None:
    print(f"\n{text}")


def say(text: object) -> None:
    print(f"   {text}")


def denials(system: airwasm.System, told: Told) -> None:
    """A tool is denied a file, is granted it, and has it taken back."""
    with tempfile.TemporaryDirectory(prefix="airwasm-") as folder:
        note = Path(folder, "note.txt")
        note.write_text("what the note says")
        path = str(note).encode()
        reader = system.spawn(system.load(GUESTS / "reader.wasm"), "reader")

        title("1. denied: the tool asks for a file that nobody gave it")
        line = refused(reader, path, told)

        title("2. granted: the very line of the message, without its dash")
        grant = reader.grant(line.removeprefix("- "))
        say(reader.request(path).decode())

        title("3. taken back: from the next call on")
        grant.revoke()
        refused(reader, path, told)


def refused(reader: airwasm.Actor, path: bytes, told: Told) -> str:
    try:
        reader.request(path)
    except airwasm.Denied as e:
        told.denied += 1
        say(e)
        say(f"to allow it: {e.policy_line}")
        return e.policy_line
    raise SystemExit("the reader was not denied")


def endless_loop(system: airwasm.System, told: Told) -> None:
    """A tool loops for ever; another one answers all the while."""
    title("4. stopped: a tool loops for ever, and has 200 ms of CPU time")
    looper = system.spawn(
        system.load(GUESTS / "looper.wasm"), "looper", budget=airwasm.Budget(cpu_ms=200), restart="permanent"
    )
    hello = system.lookup("hello")
    looping = threading.Event()

    def keep_asking() -> None:
        while not over.is_set():
            looping.set()
            if hello.request(b"world") == b"hello world":
                told.answered += 1

    over = threading.Event()
    other = threading.Thread(target=keep_asking)
    other.start()
    looping.wait()
    try:
        looper.request(b"loop")
    except airwasm.BudgetExceeded as e:
        told.stopped += 1
        say(e)
    finally:
        over.set()
        other.join()
    say(f"meanwhile the other tool answered {told.answered} times")


def crash(system: airwasm.System, told: Told) -> None:
    """A tool crashes, and its supervisor starts it again; the handle stays the same."""
    title("5. comes back: a tool crashes and is started again")
    crasher = system.spawn(system.load(GUESTS / "crasher.wasm"), "crasher", restart="permanent")
    events = system.events("actor.*")
    try:
        crasher.request(b"boom")
    except airwasm.Trapped as e:
        say(e)
    for event in events:
        if event.actor == crasher.id:
            say(event.kind)
        if event.actor == crasher.id and event.kind == "actor.restarted":
            told.restarted += 1
            break
    say(f"ping: {crasher.request(b'ping').decode()}")


def main() -> int:
    told = Told()
    with airwasm.System() as system:
        system.spawn(system.load(GUESTS / "hello.wasm"), "hello")
        denials(system, told)
        endless_loop(system, told)
        crash(system, told)
    good = told.denied >= 1 and told.stopped >= 1 and told.restarted >= 1 and told.answered >= 1
    counts = f"denied={told.denied} stopped={told.stopped} restarted={told.restarted}"
    print(f"\ndemo host=python {counts} {'ok' if good else 'failed'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
