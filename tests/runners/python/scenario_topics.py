"""The steps about topics, groups, timers, and letters that nobody read."""

from __future__ import annotations

import asyncio

import airwasm
from scenario_place import Place
from scenario_step import Step


class TopicSteps(Place):
    def __init__(self, folder: str, runner: asyncio.Runner, cached: bool) -> None:
        super().__init__(folder, runner, cached)
        self.subscriptions: dict[str, airwasm.Subscription] = {}
        self.timers: dict[str, airwasm.Timer] = {}

    def op_subscribe(self, step: Step) -> None:
        subscription = self.actor(step).subscribe(step.need("pattern"))
        self.subscriptions[step.pop("as", "")] = subscription

    def op_unsubscribe(self, step: Step) -> None:
        self.subscriptions[step.need("subscription")].unsubscribe()

    def op_publish(self, step: Step) -> None:
        step.same("expect_count", self.system.publish(step.need("topic"), step.need("text").encode()))

    def op_join(self, step: Step) -> None:
        self.actor(step).join(step.need("group"))

    def op_leave(self, step: Step) -> None:
        step.same("expect_left", self.actor(step).leave(step.need("group")))

    def op_members(self, step: Step) -> None:
        self.same_ids(step, (member.id for member in self.system.members(step.need("group"))))

    def op_broadcast(self, step: Step) -> None:
        step.same("expect_count", self.system.broadcast(step.need("group"), step.need("text").encode()))

    def op_dead_letters(self, step: Step) -> None:
        letters = self.system.dead_letters()
        step.same("expect_count", len(letters))
        first = letters[0] if letters else None
        step.same("expect_text", first and first.payload.decode())
        step.same("expect_reason", first and first.reason)
        step.same("expect_sender", first and first.sender)

    def op_send_after(self, step: Step) -> None:
        text, delay = step.need("text").encode(), step.need("delay_ms") / 1_000
        self.timers[step.pop("as", "")] = self.actor(step).send_after(text, delay)

    def op_send_every(self, step: Step) -> None:
        text, period = step.need("text").encode(), step.need("period_ms") / 1_000
        self.timers[step.pop("as", "")] = self.actor(step).send_every(text, period)

    def op_cancel_timer(self, step: Step) -> None:
        step.same("expect_cancelled", self.timers[step.need("timer")].cancel())
