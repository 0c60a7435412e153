"""How a handler is called, and what becomes of what it returns or raises.

`answer` is the duty to answer one message; each of its methods settles it.
"""

from __future__ import annotations

import asyncio
import traceback
import weakref
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Protocol

from . import Failure

# The end of a traceback that an error carries; its beginning is cut first.
TRACEBACK_MAX = 16 * 1_024


class Answer(Protocol):
    def reply(self, value: Any) -> None: ...
    def refuse(self, code: str, text: str) -> None: ...
    def crash(self, kind: str, text: str, traceback: str) -> None: ...
    def later(self, value: Awaitable[Any]) -> None: ...


# What is owed by the handler that this context belongs to: a request in it is made on behalf of that handler's actor.
_owed: ContextVar[weakref.ref[Answer] | None] = ContextVar("airwasm", default=None)
current = _owed.get


def call(handler: Callable[[Any], Any], message: Any, answer: Answer) -> None:
    """Calls a plain function; what it returns may still be something to await."""
    before = _owed.set(weakref.ref(answer))
    try:
        value = handler(message)
        if hasattr(value, "__await__"):
            answer.later(value)
        else:
            _returned(value, answer)
    except BaseException as raised:
        _raised(raised, answer)
    finally:
        _owed.reset(before)


def begin(handler: Callable[[Any], Any], message: Any, answer: Answer, tasks: set[asyncio.Task[None]]) -> None:
    """Starts an `async` function on the loop that runs here."""
    _start(_settle(lambda: handler(message), answer), tasks)


def await_(value: Awaitable[Any], answer: Answer, tasks: set[asyncio.Task[None]]) -> None:
    """Awaits on the loop that runs here what a plain function returned."""
    _start(_settle(lambda: value, answer), tasks)


def _start(coroutine: Any, tasks: set[asyncio.Task[None]]) -> None:
    task = asyncio.ensure_future(coroutine)
    # The loop itself holds its tasks weakly.
    tasks.add(task)
    task.add_done_callback(tasks.discard)


async def _settle(value: Callable[[], Awaitable[Any]], answer: Answer) -> None:
    _owed.set(weakref.ref(answer))
    try:
        _returned(await value(), answer)
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
