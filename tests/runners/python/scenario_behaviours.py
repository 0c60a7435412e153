"""The functions that every host offers as actors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import airwasm
from scenario_step import Mismatch


def behave(behaviour: str, folder: str) -> Callable[[airwasm.Message], Any]:
    """A function with a memory of its own, which outlives the lives of its actor; `folder` is the scenario's."""
    found = getattr(_Behaviours(Path(folder)), f"do_{behaviour}", None)
    if found is None:
        raise Mismatch(f"unknown behaviour {behaviour}")
    return found  # type: ignore[no-any-return]


class _Behaviours:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
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
