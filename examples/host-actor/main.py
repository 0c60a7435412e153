"""A Python function as an actor: a guest asks it for a row."""

import sys
from pathlib import Path

import airwasm

guests = Path(sys.argv[1] if len(sys.argv) > 1 else "target/guests")
rows = {b"42": b"Ada"}

with airwasm.System() as system:
    system.spawn_host(lambda message: rows[message.payload], "db")  # `async def` works too
    report = system.spawn(system.load(guests / "relay.wasm"), "report", grants=["message.request db"])
    print(report.request(b"default/db/0 42").decode())
