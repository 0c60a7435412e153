"""The file actor and the process actor, asked by Python and by a function of Python."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

import airwasm


def line(op: str, body: bytes = b"", **keys: Any) -> bytes:
    head = json.dumps({"op": op, **keys}).encode()
    return head + b"\n" + body if body else head


def test_bytes_are_written_and_read_as_they_are(system: airwasm.System, tmp_path: Path) -> None:
    files = system.spawn_files("files", grants=[f"fs.read,write {tmp_path}/**"])
    body = bytes(range(256)) * 1_000
    path = str(tmp_path / "all bytes")
    assert json.loads(files.request(line("write", body, path=path, create=True))) == {"written": len(body)}
    assert files.request(line("read", path=path)) == body
    assert files.request(line("read", path=path, offset=255, length=2)) == b"\xff\x00"
    with pytest.raises(airwasm.NotFound):
        files.request(line("read", path=path + "x"))
    with pytest.raises(airwasm.Denied) as denied:
        files.request(line("remove_file", path=path))
    assert denied.value.capability == f'fs.delete "{path}"'


def test_a_function_of_the_host_asks_by_the_rights_of_the_host_program(system: airwasm.System, tmp_path: Path) -> None:
    path = tmp_path / "note"
    path.write_text("a note")
    files = system.spawn_files("files", grants=[f"fs.read {tmp_path}/**"])
    asks = system.spawn_host(lambda _: files.request(line("read", path=str(path))), "asks")
    assert asks.request(b"?") == b"a note"


def test_both_have_twins_to_await_and_many_wait_at_once() -> None:
    async def main() -> None:
        async with airwasm.System() as system:
            python = str(Path(sys.executable).resolve())
            await system.spawn_files_async("files")
            processes = await system.spawn_processes_async("processes", grants=[f"process.run {python} -c **"])
            run = line("run", b"input", program=python, args=["-c", "print(input()[::-1])"])
            for _ in range(2):
                for answer in await asyncio.gather(*(processes.request_async(run, timeout=60) for _ in range(4))):
                    head, _, output = answer.partition(b"\n")
                    assert json.loads(head) == {"exit": {"code": 0}, "stdout": 6, "stderr": 0}
                    assert output == b"tupni\n"

    asyncio.run(main())


def test_what_is_for_guests_is_refused(system: airwasm.System) -> None:
    for spawn in (system.spawn_files, system.spawn_processes):
        with pytest.raises(airwasm.InvalidArgument):
            spawn(budget=airwasm.Budget(cpu_ms=1))  # type: ignore[call-arg]
        with pytest.raises(TypeError):
            spawn(config={})  # type: ignore[call-arg]
