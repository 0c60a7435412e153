"""Load a component, spawn it, ask it."""

import sys
from pathlib import Path

import airwasm

guests = Path(sys.argv[1] if len(sys.argv) > 1 else "target/guests")

with airwasm.System() as system:
    hello = system.spawn(system.load(guests / "hello.wasm"), "hello")
    print(hello.request(b"world").decode())
