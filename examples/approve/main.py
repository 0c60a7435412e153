"""A guest asks for what it lacks, and the host decides."""

import sys
import tempfile
import threading
from pathlib import Path

import airwasm

guests = Path(sys.argv[1] if len(sys.argv) > 1 else "target/guests")


def decide(system: airwasm.System, approved: str) -> None:
    """Approves this one, for a minute."""
    for event in system.events("capability.asked"):
        if event.detail["capability"] == approved:
            system.lookup(event.actor).grant(approved, ttl=60)


with tempfile.TemporaryDirectory(prefix="airwasm-") as folder, airwasm.System() as system:
    note = Path(folder, "note.txt")
    note.write_text("a note")
    threading.Thread(target=decide, args=(system, f"fs.read {note}")).start()

    broker = system.spawn(system.load(guests / "broker.wasm"), "broker")
    print(broker.request(f"ask 20000 fs.read {note}".encode()).decode())
    print(broker.request(f"read {note}".encode()).decode())
    try:
        broker.request(b"ask 100 fs.read /etc/passwd")
    except airwasm.Denied as e:
        print(e)
