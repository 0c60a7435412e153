"""What the host tests share: a system, the guests, and programs of their own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import airwasm

ROOT = Path(__file__).resolve().parents[3]
GUESTS = ROOT / "target/guests"
HANGS_AFTER = 60


def thread_names() -> set[str]:
    names = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # It has just ended.
            names.add((task / "comm").read_text().strip())
    return names


Spawn = Callable[..., airwasm.Actor]


@pytest.fixture(autouse=True)
def no_other_runtime() -> Iterator[None]:
    """The fallback runtime of wasmtime-wasi never starts."""
    yield
    assert "tokio-rt-worker" not in thread_names()


@pytest.fixture
def system() -> Iterator[airwasm.System]:
    with airwasm.System() as opened:
        yield opened


@pytest.fixture
def spawn(system: airwasm.System) -> Spawn:
    """Spawns a guest by its name; an actor that is told nothing else has that name too."""

    def by_name(guest: str, name: str | None = None, **options: object) -> airwasm.Actor:
        return system.spawn(system.load(GUESTS / f"{guest}.wasm"), name or guest, **options)  # type: ignore[call-overload, no-any-return]

    return by_name


def python(source: str, *options: str, **more: object) -> subprocess.CompletedProcess[str]:
    """Runs a program of its own; it finds `GUESTS` and `airwasm` in its names."""
    program = f"import airwasm\nGUESTS = {str(GUESTS)!r}\n" + textwrap.dedent(source)
    command = [sys.executable, *options, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, timeout=HANGS_AFTER, **more)  # type: ignore[call-overload, no-any-return]
