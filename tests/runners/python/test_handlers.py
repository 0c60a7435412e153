"""Python functions as actors."""

from __future__ import annotations

import asyncio
import functools
import gc
import threading
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import airwasm
from conftest import Spawn


def test_a_message_says_who_to_and_what(system: airwasm.System, spawn: Spawn) -> None:
    seen: list[airwasm.Message] = []
    system.spawn_host(seen.append, "listener")
    listener = system.lookup("listener")
    assert listener.request(b"one", content_type="text/plain") == b""
    relay = spawn("relay", grants=["message.request listener"])
    assert relay.request(b"default/listener/0 two") == b""
    one, two = seen
    assert (one.sender, one.to, one.payload, one.content_type) == ("", "default/listener/0", b"one", "text/plain")
    assert (two.sender, two.payload, two.content_type) == ("default/relay/0", b"two", None)
    assert "default/relay/0" in repr(two) and weakref.ref(two)() is two


@pytest.mark.parametrize("value", [b"abc", bytearray(b"abc"), memoryview(b"abc"), None])
def test_an_answer_is_a_buffer_or_nothing(system: airwasm.System, value: Any) -> None:
    assert system.spawn_host(lambda _: value).request(b"") == (b"" if value is None else b"abc")


@pytest.mark.parametrize("value", ["text", 5, [b"x"]])
def test_any_other_answer_is_a_crash(system: airwasm.System, value: Any) -> None:
    with pytest.raises(airwasm.HandlerRaised, match="a payload is bytes"):
        system.spawn_host(lambda _: value).request(b"")


def raising(message: airwasm.Message) -> bytes:
    raise KeyError(f"no {message.payload!r}")


async def raising_later(message: airwasm.Message) -> bytes:
    await asyncio.sleep(0)
    return raising(message)


@pytest.mark.parametrize("handler", [raising, raising_later, lambda message: raising_later(message)])
def test_hostile_j2_an_exception_reaches_the_caller(system: airwasm.System, handler: Any) -> None:
    actor = system.spawn_host(handler, "raising", restart="permanent")
    events = system.events("actor.crashed")
    with pytest.raises(airwasm.HandlerRaised, match="KeyError") as caught:
        actor.request(b"x")
    error = caught.value
    assert error.actor == "default/raising/0"
    assert error.detail["type"] == "KeyError" and "no b'x'" in error.detail["text"]
    # The traceback is kept, and shown where the error is printed.
    assert "in raising" in error.detail["traceback"] and "raise KeyError" in error.__notes__[0]
    assert next(events).detail["code"] == "HANDLER_RAISED"
    with pytest.raises(airwasm.HandlerRaised):
        actor.request(b"it was started again")


def test_hostile_j2_an_exception_reaches_a_guest_as_a_crash(system: airwasm.System, spawn: Spawn) -> None:
    system.spawn_host(raising, "raising")
    with pytest.raises(airwasm.Failure, match="crashed: HANDLER_RAISED"):
        spawn("relay", grants=["message.request raising"]).request(b"default/raising/0 x")


def test_odd_exceptions_are_crashes_too(system: airwasm.System) -> None:
    class Odd(BaseException):
        def __str__(self) -> str:
            raise ValueError("no text either")

    def deep(message: airwasm.Message) -> bytes:
        return deep(message)

    def leave(message: airwasm.Message) -> bytes:
        raise SystemExit(3)

    def odd(message: airwasm.Message) -> bytes:
        raise Odd

    for handler, name in ((deep, "RecursionError"), (leave, "SystemExit"), (odd, "Odd")):
        with pytest.raises(airwasm.HandlerRaised) as caught:
            system.spawn_host(handler).request(b"")
        assert caught.value.detail["type"].endswith(name)
        assert len(caught.value.detail["traceback"]) <= 16 * 1_024


def test_a_failure_is_raised_or_returned(system: airwasm.System) -> None:
    def raised(message: airwasm.Message) -> bytes:
        raise airwasm.Failure("refused", "not today")

    async def returned(message: airwasm.Message) -> airwasm.Failure:
        return airwasm.Failure("refused", "not today")

    for handler in (raised, returned):
        actor = system.spawn_host(handler)
        for _ in range(2):
            with pytest.raises(airwasm.Failure) as caught:
                actor.request(b"")
            assert (caught.value.detail["code"], caught.value.detail["text"]) == ("refused", "not today")
        assert actor.status().state == "running" and actor.status().restarts == 0


class Callable_:
    async def __call__(self, message: airwasm.Message) -> bytes:
        return threading.current_thread().name.encode()


async def thread_name(message: airwasm.Message) -> bytes:
    await asyncio.sleep(0)
    return threading.current_thread().name.encode()


def test_async_handlers_run_on_a_loop_of_the_system(system: airwasm.System) -> None:
    forms: list[Callable[[airwasm.Message], Awaitable[bytes]]] = [
        thread_name,
        Callable_(),
        functools.partial(thread_name),
        lambda message: thread_name(message),
    ]
    for handler in forms:
        assert system.spawn_host(handler).request(b"") == b"airwasm-asyncio"
    assert [thread.name for thread in threading.enumerate()].count("airwasm-asyncio") == 1


def test_async_handlers_run_on_the_loop_that_was_there(system: airwasm.System) -> None:
    async def main() -> None:
        name = threading.current_thread().name.encode()
        for handler in (thread_name, Callable_(), lambda message: thread_name(message)):
            assert await system.spawn_host(handler).request_async(b"") == name

    asyncio.run(main())
    assert "airwasm-asyncio" not in [thread.name for thread in threading.enumerate()]


def test_the_background_loop_ends_with_its_system() -> None:
    with airwasm.System() as system:
        assert system.spawn_host(thread_name).request(b"") == b"airwasm-asyncio"
        (thread,) = [thread for thread in threading.enumerate() if thread.name == "airwasm-asyncio"]
    thread.join()


def test_hostile_j8_a_handler_whose_loop_is_closed_answers(system: airwasm.System) -> None:
    started = threading.Event()

    async def hangs(message: airwasm.Message) -> bytes:
        started.set()
        await asyncio.Event().wait()
        return b"never"

    async def main() -> tuple[airwasm.Actor, airwasm.Actor, Any]:
        idle, busy = system.spawn_host(thread_name, "idle"), system.spawn_host(hangs, "busy", restart="permanent")
        waiting = asyncio.get_running_loop().run_in_executor(None, lambda: ask(busy))
        while not started.is_set():
            await asyncio.sleep(0.001)
        return idle, busy, waiting

    answers: list[str] = []

    def ask(actor: airwasm.Actor) -> None:
        try:
            actor.request(b"", timeout=30)
        except airwasm.HandlerRaised as e:
            answers.append(str(e))

    with asyncio.Runner() as runner:
        idle, busy, _ = runner.run(main())
        loop = runner.get_loop()
        for task in asyncio.all_tasks(loop):
            task.cancel()
    for actor in (idle, busy):
        ask(actor)
    assert len(answers) == 3, answers
    assert all("event loop" in answer for answer in answers[1:]), answers


def test_hostile_j1_threads_callbacks_and_the_collector(system: airwasm.System, spawn: Spawn) -> None:
    hello = spawn("hello")
    spawn("relay", "relay", grants=["message.request nested"])
    relay = system.lookup("relay")

    def nested(message: airwasm.Message) -> bytes:
        garbage: list[Any] = []
        garbage.append(garbage)
        return hello.request(message.payload)

    nesting = system.spawn_host(nested, "nested")
    over = threading.Event()
    failures: list[BaseException] = []

    def collect() -> None:
        while not over.is_set():
            gc.collect()

    def work(number: int) -> None:
        try:
            for n in range(50):
                text = b"%d %d" % (number, n)
                assert hello.request(text) == b"hello " + text
                assert nesting.request(text) == b"hello " + text
                assert relay.request(b"default/nested/0 " + text) == b"hello " + text
        except BaseException as e:
            failures.append(e)

    collector = threading.Thread(target=collect)
    workers = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in [collector, *workers]:
        thread.start()
    for thread in workers:
        thread.join()
    over.set()
    collector.join()
    assert failures == []


def test_a_blocking_close_inside_a_handler_fails_at_once(system: airwasm.System) -> None:
    actor = system.spawn_host(lambda _: system.close() and b"")
    with pytest.raises(airwasm.HandlerRaised, match="WouldDeadlock"):
        actor.request(b"")
    assert not system.is_closed()


def test_one_message_at_a_time_and_in_order(system: airwasm.System) -> None:
    inside, seen = 0, []

    async def handler(message: airwasm.Message) -> bytes:
        nonlocal inside
        inside += 1
        assert inside == 1
        await asyncio.sleep(0)
        inside -= 1
        seen.append(int(message.payload))
        return b""

    async def main() -> None:
        actor = system.spawn_host(handler)
        await asyncio.gather(*(actor.request_async(b"%d" % n) for n in range(100)))

    asyncio.run(main())
    assert seen == list(range(100))


def test_blocking_the_loop_that_must_answer_fails_at_once(system: airwasm.System) -> None:
    async def main() -> None:
        actor = system.spawn_host(thread_name, "here")
        with pytest.raises(airwasm.WouldDeadlock):
            actor.request(b"", timeout=float("inf"))
        assert await actor.request_async(b"")
        # From another thread it may block.
        assert await asyncio.get_running_loop().run_in_executor(None, actor.request, b"")

    asyncio.run(main())

    async def itself(message: airwasm.Message) -> bytes:
        return system.lookup("itself").request(b"", timeout=float("inf"))

    with pytest.raises(airwasm.HandlerRaised, match="WouldDeadlock"):
        system.spawn_host(itself, "itself").request(b"")
