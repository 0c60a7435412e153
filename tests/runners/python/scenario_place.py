"""What the steps of one scenario share: its system, and the names it gives to what it makes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import airwasm
from scenario_step import CODE, Step, guest


class Place:
    def __init__(self, folder: str, runner: asyncio.Runner, cached: bool) -> None:
        self.folder, self.runner = folder, runner
        self.open(cache_dir=CODE if cached else None)

    def open(self, **options: Any) -> None:
        """A fresh system."""
        self.system = airwasm.System(**options)
        self.events = self.system.events()
        self.components: dict[str, airwasm.Component] = {}
        self.actors: dict[str, airwasm.Actor] = {}
        self.grants: dict[str, airwasm.Grant] = {}
        self.requests: dict[str, asyncio.Future[bytes]] = {}

    def wait(self, start: Callable[[], Awaitable[Any]]) -> Any:
        """What an awaitable that is made on the loop comes to."""

        async def main() -> Any:
            return await start()

        return self.runner.run(main())

    def begin(self, start: Callable[[], Awaitable[Any]]) -> asyncio.Future[Any]:
        """An awaitable that is made on the loop, to be awaited by a later step."""

        async def main() -> asyncio.Future[Any]:
            return asyncio.ensure_future(start())

        return self.runner.run(main())

    def actor(self, step: Step, key: str = "to") -> airwasm.Actor:
        name = step.need(key)
        return self.actors.get(name) or self.system.lookup(name)

    def keep(self, step: Step, actor: airwasm.Actor) -> None:
        step.same("expect_id", actor.id)
        if alias := step.pop("as", None):
            self.actors[alias] = actor

    def component(self, name: str) -> airwasm.Component:
        if name not in self.components:
            self.components[name] = self.system.load(guest(name))
        return self.components[name]

    def same_ids(self, step: Step, ids: Iterable[str]) -> None:
        step.same("expect_ids", " ".join(ids))
