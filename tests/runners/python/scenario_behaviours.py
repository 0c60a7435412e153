"""The functions that every host offers as actors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import airwasm
from scenario_step import Mismatch


def behave(behaviour: str, folder: str, system: airwasm.System) -> Callable[[airwasm.Message], Any]:
    """A function with a memory of its own, which outlives the lives of its actor; the rest is the scenario's."""
    found = getattr(_Behaviours(Path(folder), system), f"do_{behaviour}", None)
    if found is None:
        raise Mismatch(f"unknown behaviour {behaviour}")
    return found  # type: ignore[no-any-return]


class _Behaviours:
    def __init__(self, folder: Path, system: airwasm.System) -> None:
        self.folder = folder
        self.system = system
        self.raised = False
        self.topic = ""
        self.texts: list[bytes] = []

    def do_upper(self, message: airwasm.Message) -> bytes:
        return message.payload.upper()

    def do_sender(self, message: airwasm.Message) -> bytes:
        return message.sender.encode()

    def do_fail(self, _message: airwasm.Message) -> bytes:
        raise airwasm.Failure("refused", "asked to fail")

    def do_raise(self, _message: airwasm.Message) -> bytes:
        raise RuntimeError("raised on purpose")

    def do_raise_once(self, message: airwasm.Message) -> bytes:
        if not self.raised:
            self.raised = True
            self.do_raise(message)
        return b"ok"

    def do_none(self, _message: airwasm.Message) -> None:
        return None

    async def do_later(self, _message: airwasm.Message) -> bytes:
        await asyncio.sleep(0)
        return b"later"

    def do_topic(self, message: airwasm.Message) -> bytes:
        self.topic = self.topic if message.topic is None else message.topic
        return self.topic.encode()

    def do_hold(self, _message: airwasm.Message) -> bytes:
        # Until the scenario and its folder are gone, if the file never comes.
        while self.folder.exists() and not (self.folder / "go").exists():
            time.sleep(0.005)
        return b"held"

    def do_collect(self, message: airwasm.Message) -> bytes:
        before = b",".join(self.texts)
        self.texts.append(message.payload)
        return before

    async def do_waits(self, message: airwasm.Message) -> bytes:
        me, above = self.system.lookup(message.to), self.system.lookup("top")
        what = message.payload.decode()
        if what in ("delete", "restart"):
            self.system.terminate_child_async(above, me)
        waits: dict[str, Callable[[], Awaitable[Any]]] = {
            "stop": me.stop_async,
            "stop above": above.stop_async,
            "monitor": me.monitor_async,
            "monitor above": above.monitor_async,
            "terminate": lambda: self.system.terminate_child_async(above, me),
            "delete": lambda: self.system.delete_child_async(above, me),
            "restart": lambda: self.system.restart_child_async(above, me),
        }
        try:
            await waits[what]()
        except airwasm.AirwasmError as error:
            return error.name.encode()
        return b"OK"
