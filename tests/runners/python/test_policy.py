"""The policy in force: what it gives and denies, why, its tests, and another one in its place."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import airwasm
from conftest import GUESTS


class Written:
    """A policy of one rule in a file of a folder with two documents."""

    def __init__(self, folder: Path) -> None:
        self.path, self.docs = folder / "policy.yaml", folder / "docs"
        self.guide, self.pay = self.docs / "guide", self.docs / "private/pay"
        self.pay.parent.mkdir(parents=True)
        self.guide.write_text("a guide")
        self.pay.write_text("a secret")
        self.write()

    def write(self, allow: str = "docs/**", deny: str = "docs/private/**", head: str = "", test: str = "allow") -> None:
        folder = self.path.parent
        self.path.write_text(
            f"version: 1\n{head}\nrules:\n  - actors: [tools/reader/*]\n"
            f'    allow: ["fs.read {folder}/{allow}"]\n    deny: ["fs.read {folder}/{deny}"]\n'
            f'tests:\n  - {{ actor: tools/reader/0, {test}: "fs.read {self.guide}" }}\n'
        )

    def rule(self, line: int, scope: str) -> str:
        return f"{self.path}:{line} fs.read {self.path.parent}/{scope}"


@pytest.fixture
def policy(tmp_path: Path) -> Written:
    return Written(tmp_path)


@pytest.fixture
def ruled(policy: Written) -> Iterator[airwasm.System]:
    """A system under that policy."""
    with airwasm.System(policy=policy.path) as opened:
        yield opened


def reader(system: airwasm.System, name: str = "tools/reader/0") -> airwasm.Actor:
    return system.spawn(system.load(GUESTS / "reader.wasm"), name)


def ask(actor: airwasm.Actor, path: Path) -> bytes:
    return actor.request(str(path).encode())


def next_of(events: airwasm.Events, kind: str) -> airwasm.Event:
    return next(event for event in events if event.kind == kind)


def test_a_policy_gives_what_it_allows_and_says_which_rule_denies(ruled: airwasm.System, policy: Written) -> None:
    actor = reader(ruled)
    assert ask(actor, policy.guide) == b"a guide"
    with pytest.raises(PermissionError) as caught:
        ask(actor, policy.pay)
    error = caught.value
    assert isinstance(error, airwasm.Denied)
    assert error.rule == error.detail["rule"] == policy.rule(6, "docs/private/**") and error.rule in str(error)
    assert error.policy_line == "" and error.capability == f"fs.read {policy.pay}"
    with pytest.raises(airwasm.Denied) as caught:
        ask(reader(ruled, "other"), policy.guide)
    assert caught.value.rule == "" and caught.value.policy_line == f"- fs.read {policy.guide}"


def test_a_grant_of_code_lifts_no_deny(ruled: airwasm.System, policy: Written) -> None:
    actor = reader(ruled)
    actor.grant(f"fs.read {policy.docs}/**")
    with pytest.raises(airwasm.Denied) as caught:
        ask(actor, policy.pay)
    assert caught.value.rule == policy.rule(6, "docs/private/**")


def test_an_explanation_names_the_rule(ruled: airwasm.System, policy: Written) -> None:
    allowed = ruled.policy_explain("tools/reader/0", f"fs.read {policy.guide}")
    assert allowed.allowed is True and allowed.rule == policy.rule(5, "docs/**")
    assert str(allowed) == allowed.text == f"allow: {allowed.rule}"
    assert allowed.beaten is None and allowed.policy_line is None
    denied = ruled.policy_explain("tools/reader/0", airwasm.Capability("fs.read", str(policy.pay)))
    assert denied.allowed is False and denied.beaten == policy.rule(5, "docs/**")
    assert str(denied) == f"deny: {policy.rule(6, 'docs/private/**')} beats {denied.beaten}"
    nothing = ruled.policy_explain("other", f"fs.read {policy.guide}")
    assert nothing.rule is None and "nothing allows default/other/0" in str(nothing)
    assert nothing.policy_line and f"fs.read {policy.guide}" in nothing.policy_line
    assert nothing == ruled.policy_explain("other", f"fs.read {policy.guide}") != denied
    assert repr(allowed).startswith("Explanation(allowed=True, text='allow: ")


def test_a_policy_tests_itself(ruled: airwasm.System, system: airwasm.System) -> None:
    report = ruled.policy_test()
    assert (report.passed, report.failed) == (1, []) and repr(report) == "PolicyReport(passed=1, failed=[])"
    assert system.policy_test().passed == 0 and report != system.policy_test()


def test_another_policy_counts_at_once_for_those_that_live(ruled: airwasm.System, policy: Written) -> None:
    actor = reader(ruled)
    policy.write(deny="none")
    ruled.policy_load(policy.path)
    assert ask(actor, policy.pay) == b"a secret"
    policy.write(allow="docs/guide")
    ruled.policy_load(str(policy.path))
    with pytest.raises(airwasm.Denied):
        ask(actor, policy.pay)
    assert f"fs.read {policy.guide}" in [grant.capability for grant in actor.grants()]


def test_a_policy_is_loaded_by_asyncio_too(policy: Written) -> None:
    async def main() -> None:
        async with airwasm.System() as system:
            events = system.events("policy.*")
            await system.policy_load_async(policy.path)
            assert (await anext(events)).detail["file"] == str(policy.path)
            assert ask(reader(system), policy.guide) == b"a guide"
            policy.path.write_text("version: 2")
            with pytest.raises(airwasm.PolicyInvalid):
                await system.policy_load_async(policy.path)
            assert system.policy_test().passed == 1

    asyncio.run(main())


def test_a_load_that_nobody_awaits_goes_on(policy: Written) -> None:
    async def main() -> None:
        async with airwasm.System() as system:
            events = system.events("policy.*")
            task = asyncio.ensure_future(system.policy_load_async(policy.path))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await anext(events)).kind == "policy.loaded"
            assert system.policy_test().passed == 1

    asyncio.run(main())


def test_hostile_m9_a_broken_policy_leaves_the_one_in_force(ruled: airwasm.System, policy: Written) -> None:
    actor, events = reader(ruled), ruled.events("policy.*")
    policy.path.write_text("version: 1\nrules:\n  - actors: [a]\n    dney: []\n")
    with pytest.raises(airwasm.PolicyInvalid) as invalid:
        ruled.policy_load(policy.path)
    assert isinstance(invalid.value, ValueError)
    assert invalid.value.detail == {"file": str(policy.path), "line": 4, "column": 5}
    rejected = next_of(events, "policy.rejected").detail
    assert (rejected["code"], rejected["message"]) == ("POLICY_INVALID", str(invalid.value))
    policy.write(test="deny")
    with pytest.raises(airwasm.PolicyTestFailed) as failed:
        ruled.policy_load(policy.path)
    (line,) = failed.value.detail["failed"]
    assert line.startswith(f"{policy.path}:8: ") and failed.value.detail["passed"] == 0
    with pytest.raises(airwasm.PolicyTestFailed):
        airwasm.System(policy=policy.path)
    with pytest.raises(airwasm.PolicyInvalid, match="none"):
        ruled.policy_load(policy.path.parent / "none")
    assert ask(actor, policy.guide) == b"a guide" and ruled.policy_test().failed == []


def test_a_policy_that_is_watched_is_loaded_when_it_changes(policy: Written) -> None:
    with airwasm.System(policy=policy.path, policy_watch=0.1) as system:
        actor, events = reader(system), system.events("policy.*")
        policy.write(deny="none")
        assert next_of(events, "policy.loaded").detail["file"] == str(policy.path)
        assert ask(actor, policy.pay) == b"a secret"
        policy.path.write_text("no policy")
        assert next_of(events, "policy.rejected").detail["code"] == "POLICY_INVALID"
        assert ask(actor, policy.pay) == b"a secret"


def test_under_a_sealed_policy_code_grants_nothing(policy: Written) -> None:
    policy.write(head="sealed: true")
    with airwasm.System(policy=policy.path) as system:
        actor = reader(system)
        assert ask(actor, policy.guide) == b"a guide"
        with pytest.raises(airwasm.Denied) as caught:
            actor.grant("fs.read /**")
        assert caught.value.rule == "sealed" and str(policy.path) in str(caught.value)
        with pytest.raises(airwasm.Denied):
            system.spawn(system.load(GUESTS / "reader.wasm"), grants=["fs.read /**"])


def test_the_host_asks_for_its_own_ends(system: airwasm.System) -> None:
    till = system.spawn_host(lambda message: None, "till", grants=["custom.billing charge"])
    till.check("custom.billing charge")
    system.check(till, airwasm.Capability("custom.billing", "charge"))
    with pytest.raises(airwasm.Denied) as caught:
        till.check("custom.billing refund")
    assert caught.value.policy_line == "- custom.billing refund" and caught.value.actor == "default/till/0"
    assert caught.value.function == "host" and system.stats().denied == 1
    with pytest.raises(airwasm.InvalidArgument, match="ask"):
        till.check("fs.read /**")
    with airwasm.System() as other, pytest.raises(airwasm.InvalidHandle):
        other.check(till, "custom.billing charge")


@pytest.mark.parametrize("wrong", [1, None, b"clock", ["clock"]])
def test_other_types_are_type_errors(system: airwasm.System, wrong: Any) -> None:
    actor = reader(system)
    for call in (
        lambda: actor.check(wrong),
        lambda: system.check(actor, wrong),
        lambda: system.check(wrong, "clock"),
        lambda: system.policy_explain(wrong, "clock"),
        lambda: system.policy_explain("a", wrong),
    ):
        with pytest.raises(TypeError):
            call()


def test_a_path_is_a_path(system: airwasm.System) -> None:
    wrong: Any = 1
    for call in (system.policy_load, airwasm.System.audit_verify, lambda it: airwasm.System(policy=it)):
        with pytest.raises(TypeError):
            call(wrong)


@pytest.mark.parametrize("wrong", [0, -1, float("nan")])
def test_a_watch_needs_an_interval(policy: Written, wrong: float) -> None:
    with pytest.raises(airwasm.InvalidArgument, match="policy_watch"):
        airwasm.System(policy=policy.path, policy_watch=wrong)


def test_a_watch_takes_seconds(policy: Written) -> None:
    wrong: Any = "1s"
    with pytest.raises(TypeError):
        airwasm.System(policy=policy.path, policy_watch=wrong)
    airwasm.System(policy=policy.path, policy_watch=float("inf")).close()


def test_an_explanation_needs_an_id_and_one_exact_thing(system: airwasm.System) -> None:
    for actor, capability, which in [("No Id", "clock", "actor"), ("a", "fs.read /**", "capability")]:
        with pytest.raises(airwasm.InvalidArgument) as caught:
            system.policy_explain(actor, capability)
        assert caught.value.detail["which"] == which


def test_a_closed_system_has_no_policy(policy: Written) -> None:
    system = airwasm.System()
    actor = system.spawn_host(lambda message: None, "a")
    system.close()
    for call in (
        lambda: system.policy_load(policy.path),
        lambda: system.policy_explain("a", "clock"),
        lambda: system.policy_test(),
        lambda: actor.check("clock"),
    ):
        with pytest.raises(airwasm.Closed):
            call()
