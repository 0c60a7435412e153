"""Async functions that send and ask: without blocking, and never for ever in a circle."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

import pytest

import airwasm
from conftest import Spawn

Handler = Callable[[airwasm.Message], Awaitable[bytes]]


def asks(system: airwasm.System, name: str) -> Handler:
    async def handler(message: airwasm.Message) -> bytes:
        return await system.lookup(name).request_async(message.payload, timeout=20)

    return handler


def told_at_once(actor: airwasm.Actor) -> None:
    began = time.monotonic()
    with pytest.raises(airwasm.HandlerRaised, match="Cycle.*waits for"):
        actor.request(b"", timeout=20)
    assert time.monotonic() - began < 5


def test_an_async_function_that_asks_itself_is_told_so_at_once(system: airwasm.System) -> None:
    told_at_once(system.spawn_host(asks(system, "self"), "self"))


def test_async_functions_that_ask_each_other_are_told_so_at_once(system: airwasm.System) -> None:
    system.spawn_host(asks(system, "one"), "two")
    told_at_once(system.spawn_host(asks(system, "two"), "one"))


def test_a_circle_through_a_plain_function_is_told_at_once(system: airwasm.System) -> None:
    # Blocking in a handler, by a loop in it, and what it returns to be awaited.
    blocks = system.spawn_host(lambda message: system.lookup("two").request(message.payload, timeout=20), "one")
    system.spawn_host(lambda message: asks(system, "one")(message), "two")
    told_at_once(blocks)
    runs = system.spawn_host(lambda message: asyncio.run(coroutine(message)), "three")

    async def coroutine(message: airwasm.Message) -> bytes:
        return await asks(system, "four")(message)

    system.spawn_host(asks(system, "three"), "four")
    told_at_once(runs)


def test_a_circle_through_a_blocked_loop_is_told_at_once(system: airwasm.System) -> None:
    async def blocks(message: airwasm.Message) -> bytes:
        return system.lookup("plain").request(message.payload, timeout=20)

    system.spawn_host(lambda message: system.lookup("blocks").request(message.payload, timeout=20), "plain")
    told_at_once(system.spawn_host(blocks, "blocks"))


def test_tasks_of_a_handler_ask_on_its_behalf(system: airwasm.System) -> None:
    async def gathers(message: airwasm.Message) -> bytes:
        ask = asks(system, "self")
        return b"".join(await asyncio.gather(ask(message), ask(message)))

    told_at_once(system.spawn_host(gathers, "self"))


def test_a_task_that_outlives_its_handler_asks_for_nobody(system: airwasm.System) -> None:
    async def main() -> None:
        ended, tasks = asyncio.Event(), list[asyncio.Task[bytes]]()

        async def later() -> bytes:
            await ended.wait()
            return await system.lookup("self").request_async(b"again")

        async def handler(message: airwasm.Message) -> bytes:
            if message.payload != b"again":
                tasks.append(asyncio.create_task(later()))
            return message.payload

        actor = system.spawn_host(handler, "self")
        assert await actor.request_async(b"first") == b"first"
        ended.set()
        assert await tasks[0] == b"again"

    asyncio.run(main())


def test_an_actor_of_the_same_name_in_another_system_is_another(system: airwasm.System) -> None:
    with airwasm.System() as other:
        other.spawn_host(lambda message: b"other", "self")
        assert system.spawn_host(asks(other, "self"), "self").request(b"") == b"other"


def test_who_asks_in_turn_is_no_circle(system: airwasm.System, spawn: Spawn) -> None:
    hello = spawn("hello")

    async def handler(message: airwasm.Message) -> bytes:
        first = await hello.request_async(b"one")
        return first + b", " + await hello.request_async(b"two")

    actor = system.spawn_host(handler)
    for _ in range(10):
        assert actor.request(b"") == b"hello one, hello two"


def test_a_send_that_waits_for_room_lets_the_loop_serve(system: airwasm.System) -> None:
    async def main() -> None:
        seen = list[bytes]()

        async def handler(message: airwasm.Message) -> None:
            await asyncio.sleep(0)
            seen.append(message.payload)

        limits = airwasm.Limits(mailbox_messages=1)
        actor = system.spawn_host(handler, "narrow", overflow="block", limits=limits)
        await asyncio.gather(*(actor.send_async(b"%d" % n) for n in range(50)))
        await system.send_async(actor, bytearray(b"last"), content_type="text/plain")
        assert await actor.request_async(b"") == b""
        assert sorted(seen[:50]) == sorted(b"%d" % n for n in range(50)) and seen[50:] == [b"last", b""]

    asyncio.run(main())


def test_a_send_that_is_cancelled_takes_its_message_back(system: airwasm.System) -> None:
    async def main() -> None:
        go, seen = asyncio.Event(), list[bytes]()

        async def handler(message: airwasm.Message) -> None:
            await go.wait()
            seen.append(message.payload)

        limits = airwasm.Limits(mailbox_messages=1)
        actor = system.spawn_host(handler, "narrow", overflow="block", limits=limits)
        await actor.send_async(b"handled")
        while actor.status().mailbox_messages:
            await asyncio.sleep(0.001)
        await actor.send_async(b"queued")
        waiting = asyncio.ensure_future(actor.send_async(b"cancelled"))
        await asyncio.sleep(0.01)
        assert not waiting.done() and waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        go.set()
        assert await actor.request_async(b"") == b""
        assert seen == [b"handled", b"queued", b""]

    asyncio.run(main())


Ends = Callable[[airwasm.System, airwasm.Actor, airwasm.Supervisor], Awaitable[object]]


def behind_its_end(ask: Ends) -> Ends:
    def wait(system: airwasm.System, me: airwasm.Actor, above: airwasm.Supervisor) -> Awaitable[object]:
        # Fired, not awaited: it happens when the handler has answered.
        above.terminate_child_async(me)
        return ask(system, me, above)

    return wait


WAITS: dict[str, Ends] = {
    "stop": lambda system, me, above: me.stop_async(deadline=3_600),
    "system.stop": lambda system, me, above: system.stop_async(me, deadline=3_600),
    "stop above": lambda system, me, above: above.stop_async(deadline=3_600),
    "monitor": lambda system, me, above: me.monitor_async(),
    "monitor above": lambda system, me, above: system.monitor_async(above),
    "terminate": lambda system, me, above: above.terminate_child_async(me),
    "delete": behind_its_end(lambda system, me, above: above.delete_child_async(me)),
    "restart": behind_its_end(lambda system, me, above: above.restart_child_async(me)),
    "start": behind_its_end(lambda system, me, above: above.start_child_async(airwasm.HostSpec(print, "other"))),
}


@pytest.mark.parametrize("name", WAITS)
def test_an_async_function_that_waits_for_its_own_end_is_told_so_at_once(system: airwasm.System, name: str) -> None:
    async def handler(message: airwasm.Message) -> bytes:
        await asyncio.sleep(0)
        with pytest.raises(airwasm.Cycle, match="default/inside/0 waits for default/(inside|above)/0"):
            await asyncio.wait_for(WAITS[name](system, system.lookup("inside"), above), 20)
        return b"told"

    above = system.supervisor("above", strategy="one_for_all")
    inside = above.start_child(airwasm.HostSpec(handler, "inside", shutdown_ms=3_600_000))
    assert inside.request(b"", timeout=20) == b"told"
    if name.startswith("monitor"):
        inside.kill()
    if name == "stop above":
        above = system.supervisor("other")
    above.stop()


def test_an_async_function_that_blocks_for_its_own_end_is_told_so_at_once(system: airwasm.System) -> None:
    async def handler(message: airwasm.Message) -> bytes:
        actor = system.lookup(message.to)
        for wait in (actor.monitor, actor.stop):
            with pytest.raises(airwasm.Cycle):
                wait()
        return b"told"

    actor = system.spawn_host(handler, "inside")
    assert actor.request(b"", timeout=20) == b"told"
    with contextlib.suppress(airwasm.ActorStopped):
        assert actor.monitor(timeout=20).reason == "shutdown"


def test_a_stop_that_is_only_asked_for_is_no_wait(system: airwasm.System, caplog: pytest.LogCaptureFixture) -> None:
    async def handler(message: airwasm.Message) -> bytes:
        system.lookup(message.to).stop_async()
        await asyncio.sleep(0)
        return b"answered"

    actor = system.spawn_host(handler, "inside")
    assert actor.request(b"", timeout=20) == b"answered"
    with contextlib.suppress(airwasm.ActorStopped):
        assert actor.monitor(timeout=20).reason == "shutdown"
    assert not caplog.records


def test_a_send_that_would_wait_for_its_own_handler_is_told_so_at_once(system: airwasm.System) -> None:
    seen = list[bytes]()

    async def handler(message: airwasm.Message) -> None:
        seen.append(message.payload)
        if len(seen) == 1:
            await actor.send_async(b"second")
            with pytest.raises(airwasm.Cycle):
                await actor.send_async(b"third")

    actor = system.spawn_host(handler, overflow="block", limits=airwasm.Limits(mailbox_messages=1))
    actor.request(b"first", timeout=20)
    actor.request(b"last", timeout=20)
    assert seen == [b"first", b"second", b"last"]


def test_a_send_that_is_refused_says_so_at_once(system: airwasm.System) -> None:
    async def main() -> None:
        actor = system.spawn_host(asks(system, "nobody"), "actor")
        with pytest.raises(TypeError):
            actor.send_async("text")  # type: ignore[arg-type]
        actor.stop()
        with pytest.raises(airwasm.ActorStopped):
            await actor.send_async(b"x")
        with airwasm.System() as other:
            with pytest.raises(airwasm.InvalidHandle):
                other.send_async(actor, b"x")

    asyncio.run(main())
