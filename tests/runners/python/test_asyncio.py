"""How asyncio waits: cancelled, timed out, on another loop, on a closed one; and what never stops a loop."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

import airwasm
from conftest import GUESTS, Spawn


def run(main: Callable[[], Coroutine[Any, Any, None]], loop: type[asyncio.AbstractEventLoop] | None = None) -> None:
    """Runs it on a loop of its own, and lets nothing pass that the loop was told off about."""
    complaints: list[dict[str, Any]] = []

    async def watched() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        await main()
        gc.collect()
        await asyncio.sleep(0)

    with asyncio.Runner(debug=True, loop_factory=loop) as runner:
        runner.run(watched())
    gc.collect()
    assert complaints == []


class WithoutReaders(asyncio.SelectorEventLoop):
    """A loop that can watch no descriptor, as on some platforms."""

    def add_reader(self, *_: Any) -> None:  # type: ignore[override]
        raise NotImplementedError


@pytest.mark.parametrize("loop", [asyncio.SelectorEventLoop, WithoutReaders], ids=["readers", "no_readers"])
def test_a_hundred_at_once(spawn: Spawn, loop: type[asyncio.AbstractEventLoop]) -> None:
    echo, looper = spawn("echo"), spawn("looper")

    async def main() -> None:
        answers = await asyncio.gather(*(echo.request_async(b"%d" % n) for n in range(100)))
        assert answers == [b"%d" % n for n in range(100)]
        slow = await asyncio.gather(*(looper.request_async(b"spin 2") for _ in range(10)))
        assert slow == [b"spun 2"] * 10

    run(main, loop)
    run(main, loop)


def test_everything_that_waits_has_a_twin(system: airwasm.System) -> None:
    async def main() -> None:
        async with airwasm.System() as own:
            component = await own.load_async(GUESTS / "echo.wasm")
            same = await own.load_bytes_async((GUESTS / "echo.wasm").read_bytes())
            assert component.digest == same.digest
            echo = await own.spawn_async(component, "echo")
            assert await own.request_async(echo, b"x") == b"x"
            assert await echo.request_async(bytearray(b"y"), timeout=1) == b"y"
            await echo.stop_async()
            other = await own.spawn_async(airwasm.ActorSpec(component))
            await own.stop_async(other, deadline=1)
            with pytest.raises(airwasm.ActorStopped):
                await echo.request_async(b"x")
            assert (await own.close_async()).stopped == 0
        with pytest.raises(airwasm.Closed):
            await own.load_async(GUESTS / "echo.wasm")

    run(main)


def test_an_exception_leaves_async_with(system: airwasm.System) -> None:
    async def main() -> None:
        with pytest.raises(KeyError):
            async with airwasm.System() as own:
                raise KeyError("kept")
        assert own.is_closed()

    run(main)


def test_bad_arguments_are_told_at_the_call(spawn: Spawn) -> None:
    echo = spawn("echo")

    async def main() -> None:
        with pytest.raises(TypeError):
            echo.request_async("text")  # type: ignore[arg-type]
        with pytest.raises(airwasm.InvalidArgument):
            echo.request_async(b"x", timeout=-1)

    run(main)
    with pytest.raises(RuntimeError, match="no running event loop"):
        echo.request_async(b"x")


def test_hostile_j8_a_cancelled_task_cancels_its_request(spawn: Spawn, system: airwasm.System) -> None:
    looper = spawn("looper")

    async def main() -> None:
        first = asyncio.ensure_future(looper.request_async(b"sleep 300"))
        queued = asyncio.ensure_future(looper.request_async(b"never handled"))
        await asyncio.sleep(0)
        queued.cancel()
        with pytest.raises(asyncio.CancelledError):
            await queued
        assert await first == b"slept 300"
        assert await looper.request_async(b"next") == b"next"

    run(main)
    # The cancelled one was taken out of the mailbox.
    assert looper.status().handled == 2 and system.stats().dropped == 1


def test_hostile_j8_a_timeout_leaves_the_actor_alive(spawn: Spawn) -> None:
    looper = spawn("looper")

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(looper.request_async(b"sleep 200"), timeout=0.01)
        with pytest.raises(airwasm.Timeout):
            await looper.request_async(b"sleep 200", timeout=0.01)
        assert await looper.request_async(b"alive") == b"alive"

    run(main)


def test_hostile_j8_nobody_waits_for_an_error(spawn: Spawn) -> None:
    looper = spawn("looper")
    crasher = spawn("crasher", restart="permanent")

    async def main() -> None:
        crasher.request_async(b"fail")  # Neither of them is awaited.
        looper.request_async(b"sleep 30", timeout=0.001)
        assert await looper.request_async(b"after") == b"after"

    run(main)


def test_hostile_j8_a_loop_closes_before_the_answer(spawn: Spawn) -> None:
    looper = spawn("looper")

    async def leave() -> None:
        looper.request_async(b"sleep 100")
        await asyncio.sleep(0)

    asyncio.run(leave())
    gc.collect()
    # The answer came to nobody; another loop, and none, go on.
    assert looper.request(b"after") == b"after"

    async def main() -> None:
        assert await looper.request_async(b"again") == b"again"

    run(main)


def test_hostile_j8_a_future_of_another_loop_is_refused(spawn: Spawn) -> None:
    looper = spawn("looper")
    first = asyncio.new_event_loop()

    async def start() -> Any:
        return looper.request_async(b"sleep 50")

    pending = first.run_until_complete(start())

    async def main() -> None:
        with pytest.raises(RuntimeError, match="attached to a different loop"):
            await asyncio.shield(asyncio.ensure_future(waiting()))

    async def waiting() -> None:
        await pending

    run(main)
    assert first.run_until_complete(pending) == b"slept 50"
    first.close()


def test_two_loops_in_two_threads(spawn: Spawn) -> None:
    echo, looper = spawn("echo"), spawn("looper")
    answers: list[bytes] = []

    def own_loop() -> None:
        async def main() -> None:
            for n in range(20):
                answers.append(await echo.request_async(b"%d" % n))
                answers.append(await looper.request_async(b"spin 1"))

        asyncio.run(main())

    threads = [threading.Thread(target=own_loop) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 160 and answers.count(b"spun 1") == 80


def test_hostile_a1_an_endless_guest_never_stops_the_loop(spawn: Spawn) -> None:
    looper = spawn("looper", budget=airwasm.Budget(cpu_ms=500))
    echo = spawn("echo")

    async def main() -> None:
        ticks, answers = 0, 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0)
                ticks += 1

        async def ask() -> None:
            nonlocal answers
            while True:
                answers += await echo.request_async(b"x") == b"x"

        others = [asyncio.create_task(tick()), asyncio.create_task(ask())]
        with pytest.raises(airwasm.BudgetExceeded):
            await looper.request_async(b"loop")
        assert ticks > 20 and answers > 20, (ticks, answers)
        for other in others:
            other.cancel()

    # Without asyncio's own debugging, which makes each turn dear.
    asyncio.run(main())


def test_answers_that_are_there_at_once_let_the_loop_turn(spawn: Spawn) -> None:
    echo = spawn("echo")

    async def main() -> None:
        turned = asyncio.Event()
        asyncio.get_running_loop().call_soon(turned.set)
        while not turned.is_set():
            assert await echo.request_async(b"x") == b"x"

    run(main)


def test_events_are_awaited(spawn: Spawn, system: airwasm.System) -> None:
    events = system.events("actor.*")
    crasher = spawn("crasher", restart="permanent")

    async def main() -> None:
        with pytest.raises(airwasm.Trapped):
            await crasher.request_async(b"boom")
        kinds = []
        async for event in events:
            kinds.append(event.kind)
            if event.kind == "actor.restarted":
                break
        assert kinds == ["actor.started", "actor.crashed", "actor.restarted"]

    run(main)


def test_an_event_is_not_lost_to_who_no_longer_waits(spawn: Spawn, system: airwasm.System) -> None:
    events = system.events("message.*,actor.stopped")
    actors = [spawn("echo", f"echo{n}") for n in range(50)]

    async def main() -> None:
        seen: list[str | None] = []
        for actor in actors:
            waiting = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0)
            stopping = asyncio.ensure_future(actor.stop_async())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting, stopping])
            if not waiting.cancelled():
                seen.append(waiting.result().actor)
        while len(seen) < len(actors):
            seen.append((await anext(events)).actor)
        assert len(seen) == len(set(seen)) and set(seen) == {actor.id for actor in actors}

    run(main)


def test_closing_ends_an_async_iteration(system: airwasm.System) -> None:
    events = system.events("actor.*")

    async def main() -> None:
        async def collect() -> list[str]:
            return [event.kind async for event in events]

        collecting = asyncio.create_task(collect())
        await asyncio.sleep(0)
        await system.close_async()
        assert await collecting == []

    run(main)
