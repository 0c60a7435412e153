"""Stopped at its budget, and it comes back."""

import sys
from pathlib import Path

import airwasm

guests = Path(sys.argv[1] if len(sys.argv) > 1 else "target/guests")
with airwasm.System() as system:
    events = system.events("actor.*")
    spec = airwasm.ActorSpec(system.load(guests / "looper.wasm"), "looper", budget=airwasm.Budget(cpu_ms=200))
    system.supervisor("tools", [spec], backoff=airwasm.Backoff(initial_ms=100, max_ms=10_000))
    looper = system.lookup("looper")
    try:
        looper.request(b"loop")
    except airwasm.BudgetExceeded as stopped:
        print(stopped.name, stopped.which)
    # The same handle: the request waits for the restart.
    print(looper.request(b"hi").decode())
    for event in events:
        print(event.kind, event.actor)
        if event.kind == "actor.restarted":
            break
