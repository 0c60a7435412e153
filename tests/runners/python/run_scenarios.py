"""Runs tests/scenarios/*.jsonl through the public API of the Python host. The format is in tests/scenarios/README.md.

An argument runs only the scenarios whose name contains it. Steps of the asynchronous form go through asyncio, all
others through the blocking form.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import airwasm
from scenario_behaviours import behave
from scenario_policy import PolicySteps
from scenario_regions import RegionSteps
from scenario_step import SCENARIOS, Mismatch, Step, guest, guest_options, host_options, service_options
from scenario_supervision import SupervisionSteps
from scenario_topics import TopicSteps

# Seconds that `handled` waits.
HANDLED_WITHIN = 20


class World(SupervisionSteps, TopicSteps, PolicySteps, RegionSteps):
    """A system with the steps of a scenario; more of them are in the classes above it."""

    def run(self, values: dict[str, Any]) -> None:
        step = Step(values, self.folder)
        expected = step.pop("expect_error", None)
        facts = ("expect_message", "expect_policy_line", "expect_which") if expected else ()
        wanted = Step(step.pick(*facts))
        operation = getattr(self, "op_" + step.need("op"), None)
        if operation is None:
            raise Mismatch(f"unknown op {values['op']}")
        try:
            operation(step)
        except asyncio.CancelledError:
            error: airwasm.AirwasmError = airwasm.Cancelled("cancelled")
        except airwasm.AirwasmError as raised:
            error = raised
        else:
            if expected is not None or step:
                raise Mismatch(f"expected {expected or 'success'}, got success with {sorted(step)} left over")
            return
        if error.name != expected:
            raise Mismatch(f"expected {expected or 'success'}, got {error.name}: {error}")
        wanted.among("expect_message", str(error))
        wanted.same("expect_policy_line", error.detail.get("policy_line"))
        wanted.same("expect_which", error.detail.get("which"))

    def op_load(self, step: Step) -> None:
        name = step.need("component")
        self.components[name] = self.system.load(guest(name))

    def op_load_path(self, step: Step) -> None:
        self.system.load(step.need("path"))

    def op_load_bytes(self, step: Step) -> None:
        self.system.load_bytes(step.need("text").encode())

    def op_load_cut(self, step: Step) -> None:
        whole = guest(step.need("component")).read_bytes()
        self.system.load_bytes(memoryview(whole)[: step.need("bytes")])

    def op_inspect(self, step: Step) -> None:
        info = self.system.inspect(self.component(step.need("component")))
        step.among("expect_import", "\n".join(info.imports))
        step.among("expect_export", "\n".join(info.exports))
        step.among("expect_capability", "\n".join(info.capabilities))
        step.same("expect_capabilities", " ".join(info.capabilities))
        step.same("expect_handler", info.handler)

    def op_types(self, step: Step) -> None:
        component = self.component(step.need("component"))
        step.among("expect_part", self.system.types(component, step.need("language")))

    def op_unload(self, step: Step) -> None:
        self.system.unload(self.components[step.need("component")])

    def op_spawn(self, step: Step) -> None:
        component, options = self.component(step.need("component")), guest_options(step)
        self.keep(step, self.system.spawn(component, **options, **step.pick("name", "restart")))

    def op_spawn_host(self, step: Step) -> None:
        handler, options = behave(step.need("behaviour"), self.folder, self.system), host_options(step)
        self.keep(step, self.system.spawn_host(handler, **options, **step.pick("name", "restart")))

    def op_spawn_files(self, step: Step) -> None:
        self.keep(step, self.system.spawn_files(**service_options(step)))

    def op_spawn_processes(self, step: Step) -> None:
        self.keep(step, self.system.spawn_processes(**service_options(step)))

    def op_send(self, step: Step) -> None:
        self.actor(step).send(step.need("text").encode())

    def op_request(self, step: Step) -> None:
        timeout = step.seconds("timeout_ms", "timeout")
        answer = self.actor(step).request(step.need("text").encode(), **timeout).decode()
        step.same("expect_text", answer)
        step.among("expect_part", answer)

    def op_request_size(self, step: Step) -> None:
        timeout = step.seconds("timeout_ms", "timeout")
        step.same("expect_bytes", len(self.actor(step).request(bytearray(b"x" * step.need("bytes")), **timeout)))

    def op_request_many(self, step: Step) -> None:
        actor, text, count = self.actor(step), step.need("text").encode(), step.need("count")
        answers = self.wait(lambda: asyncio.gather(*(actor.request_async(text) for _ in range(count))))
        step.same("expect_text", *{answer.decode() for answer in answers})

    def op_request_start(self, step: Step) -> None:
        actor, text, timeout = self.actor(step), step.need("text").encode(), step.seconds("timeout_ms", "timeout")
        self.requests[step.need("as")] = self.begin(lambda: actor.request_async(text, **timeout))

    def op_request_await(self, step: Step) -> None:
        request = self.requests[step.need("request")]
        step.same("expect_text", self.wait(lambda: request).decode())

    def op_request_cancel(self, step: Step) -> None:
        self.requests[step.need("request")].cancel()

    def op_grant(self, step: Step) -> None:
        ttl = step.seconds("ttl_ms", "ttl")
        grant = self.actor(step).grant(step.need("capability"), **ttl)
        self.grants[step.pop("as", "")] = grant

    def op_revoke(self, step: Step) -> None:
        step.same("expect_cut", self.grants[step.need("grant")].revoke())

    def op_grants(self, step: Step) -> None:
        grants = self.actor(step, "of").grants()
        texts = [grant.capability for grant in grants]
        step.among("expect_grant", texts)
        step.among("expect_given_by", [grant.given_by for grant in grants])
        step.same("expect_count", len(texts))

    def op_lookup(self, step: Step) -> None:
        self.keep(step, self.system.lookup(step.need("id")))

    def op_list(self, step: Step) -> None:
        self.same_ids(step, (actor.id for actor in self.system.list(step.pop("pattern", None))))

    def op_stop(self, step: Step) -> None:
        self.actor(step).stop()

    def op_kill(self, step: Step) -> None:
        self.actor(step).kill()

    def op_status(self, step: Step) -> None:
        status = self.actor(step, "of").status()
        for key in ("state", "restarts", "handled", "listening"):
            step.same(f"expect_{key}", getattr(status, key))

    def op_handled(self, step: Step) -> None:
        actor, until = self.actor(step, "of"), time.monotonic() + HANDLED_WITHIN
        while actor.status().handled != step["expect_count"] and time.monotonic() < until:
            time.sleep(0.002)
        step.same("expect_count", actor.status().handled)

    def op_event(self, step: Step) -> None:
        kind, of = step.need("kind"), step.pop("of", None)
        actor = self.actors[of].id if of in self.actors else of

        async def matching() -> airwasm.Event:
            async for event in self.events:
                if event.kind == kind and actor in (None, event.actor):
                    return event
            raise Mismatch("the events have ended")

        try:
            event = self.wait(lambda: asyncio.wait_for(matching(), step.pop("within_ms", 5_000) / 1_000))
        except TimeoutError:
            raise Mismatch(f"no event {kind} of {actor}") from None
        if key := step.pop("expect_key", None):
            value = event.detail[key]
            step.same("expect_value", value if isinstance(value, str) else json.dumps(value))

    def op_stat(self, step: Step) -> None:
        step.same("expect_count", getattr(self.system.stats(), step.need("name")))

    def op_file(self, step: Step) -> None:
        path = Path(step.need("path"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(step.need("text"))

    def op_symlink(self, step: Step) -> None:
        path = Path(step.need("path"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(step.need("target"))

    def op_kv_get(self, step: Step) -> None:
        value = self.system.kv_get(step.need("namespace"), step.need("key"))
        if value is None and "expect_text" not in step:
            return
        step.same("expect_text", None if value is None else value.decode())

    def op_kv_set(self, step: Step) -> None:
        namespace, key, text = step.need("namespace"), step.need("key"), step.need("text").encode()
        self.wait(lambda: self.system.kv_set_async(namespace, key, text))

    def op_kv_delete(self, step: Step) -> None:
        step.same("expect_found", self.system.kv_delete(step.need("namespace"), step.need("key")))

    def op_kv_list(self, step: Step) -> None:
        keys, _ = self.system.kv_list(step.need("namespace"))
        self.same_ids(step, keys)

    def op_reopen(self, step: Step) -> None:
        self.system.close()
        fuel, helper = (step.pop(key, False) for key in ("counts_fuel", "helper"))
        self.open(kv=step.pop("kv", None), fuel=fuel, compile_helper=helper)

    def op_close(self, step: Step) -> None:
        report = self.system.close()
        step.same("expect_stopped", report.stopped)
        step.same("expect_dead_letters", report.dead_letters)


def run_file(path: Path, only: str, tally: dict[str, int]) -> None:
    blocks: list[tuple[dict[str, Any], list[tuple[int, dict[str, Any]]]]] = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        values = json.loads(line) if line.strip() else {}
        if "scenario" in values:
            blocks.append((values, []))
        elif values:
            blocks[-1][1].append((number, values))
    for values, steps in blocks:
        name, needs = values["scenario"], values.get("needs", "").split()
        if only in name and all_there(name, needs):
            tally["scenarios"] += 1
            with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
                run_scenario(World(folder, runner, bool(needs)), f"{path.name}:{{}}: {name}", steps, tally)


def all_there(scenario: str, needs: list[str]) -> bool:
    """Whether each guest that the scenario needs was made."""
    missing = next((need for need in needs if not guest(need).exists()), None)
    if missing:
        print(f"skipped: {scenario}: no {missing}")
    return missing is None


def run_scenario(world: World, place: str, steps: list[tuple[int, dict[str, Any]]], tally: dict[str, int]) -> None:
    for number, values in steps:
        tally["steps"] += 1
        try:
            world.run(values)
        except Exception as error:
            tally["failed"] += 1
            text = str(error) if isinstance(error, Mismatch) else traceback.format_exc()
            print(f"{place.format(number)}: {text}\n  {json.dumps(values)}")
            break
    world.system.close(deadline=0.001)


def main() -> int:
    tally = {"scenarios": 0, "steps": 0, "failed": 0}
    for path in sorted(SCENARIOS.glob("*.jsonl")):
        run_file(path, sys.argv[1] if len(sys.argv) > 1 else "", tally)
    print("host=python", *(f"{key}={count}" for key, count in tally.items()))
    return int(tally["failed"] > 0 or tally["scenarios"] == 0)


if __name__ == "__main__":
    sys.exit(main())
