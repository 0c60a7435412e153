"""How a handler is called, and what becomes of what it returns or raises.

`answer` is the duty to answer one message; each of its methods settles it.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from . import Failure

# The end of a traceback that an error carries; its beginning is cut first.
TRACEBACK_MAX = 16 * 1_024


class Answer(Protocol):
    def reply(self, value: Any) -> None: ...
    def refuse(self, code: str, text: str) -> None: ...
    def crash(self, kind: str, text: str, traceback: str) -> None: ...
    def later(self, value: Awaitable[Any]) -> None: ...


def call(handler: Callable[[Any], Any], message: Any, answer: Answer) -> None:
    """Calls a plain function; what it returns may still be something to await."""
    try:
        value = handler(message)
        if hasattr(value, "__await__"):
            answer.later(value)
        else:
            _returned(value, answer)
    except BaseException as raised:
        _raised(raised, answer)


def begin(handler: Callable[[Any], Any], message: Any, answer: Answer, tasks: set[asyncio.Task[None]]) -> None:
    """Starts an `async` function on the loop that runs here."""

    async def served() -> None:
        await _settle(handler(message), answer)

    _start(served(), tasks)


def await_(value: Awaitable[Any], answer: Answer, tasks: set[asyncio.Task[None]]) -> None:
    """Awaits on the loop that runs here what a plain function returned."""
    _start(_settle(value, answer), tasks)


def _start(coroutine: Any, tasks: set[asyncio.Task[None]]) -> None:
    task = asyncio.ensure_future(coroutine)
    # The loop itself holds its tasks weakly.
    tasks.add(task)
    task.add_done_callback(tasks.discard)


async def _settle(value: Awaitable[Any], answer: Answer) -> None:
    try:
        _returned(await value, answer)
    except asyncio.CancelledError:
        answer.crash("CancelledError", "the handler was cancelled, as by its event loop when that closes", "")
        raise
    except BaseException as raised:
        _raised(raised, answer)


def _returned(value: Any, answer: Answer) -> None:
    if isinstance(value, Failure):
        _raised(value, answer)
    else:
        answer.reply(b"" if value is None else value)


def _raised(raised: BaseException, answer: Answer) -> None:
    if isinstance(raised, Failure):
        answer.refuse(str(raised.detail.get("code", "")), str(raised.detail.get("text", "")))
        return
    try:
        text = str(raised)
    except Exception:
        text = ""
    lines = "".join(traceback.format_exception(raised))
    answer.crash(type(raised).__qualname__, text, lines[-TRACEBACK_MAX:])
