"""What a child of `multiprocessing` does; a module, for such a child imports it by name."""

from __future__ import annotations

import airwasm


def ask(guest: str, text: bytes) -> bytes:
    with airwasm.System() as system:
        return system.spawn(system.load(guest), "hello").request(text)


def fail(guest: str) -> None:
    with airwasm.System() as system:
        system.spawn(system.load(guest), "reader").request(b"/etc/passwd")
