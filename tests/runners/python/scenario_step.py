"""One line of a scenario, how it is compared with what was got, and what its words stand for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import airwasm

ROOT = Path(__file__).resolve().parents[3]
SCENARIOS = ROOT / "tests/scenarios"
# Where the compiled code of scenarios that say what they need is kept.
CODE = ROOT / "target/guests-code"
# The words of the format's description: a key that is none of them is unknown, whatever the operation.
KEYS = set(re.findall(r"`(\w+)`", (SCENARIOS / "README.md").read_text()))


class Mismatch(Exception):
    """A step that did not come out as its line says."""


class Step(dict[str, Any]):
    """One line; keys are taken out as they are used, so that one that is left over is unknown."""

    def __init__(self, values: Mapping[str, Any], folder: str = "") -> None:
        super().__init__(values)
        for key, value in self.items():
            self[key] = value.replace("$TMP", folder) if isinstance(value, str) else value
        if unknown := self.keys() - KEYS:
            raise Mismatch(f"unknown keys {sorted(unknown)}")

    def need(self, key: str) -> Any:
        if key not in self:
            raise Mismatch(f"{key} is missing")
        return self.pop(key)

    def pick(self, *keys: str) -> dict[str, Any]:
        """The options that are there."""
        return {key: self.pop(key) for key in keys if key in self}

    def seconds(self, key: str, name: str) -> dict[str, Any]:
        """An option in milliseconds, under its name in Python, where waiting takes seconds."""
        return {name: self.pop(key) / 1_000} if key in self else {}

    def same(self, key: str, got: object) -> None:
        if key in self and (expected := self.pop(key)) != got:
            raise Mismatch(f"{key}: expected {expected!r}, got {got!r}")

    def among(self, key: str, got: Any) -> None:
        if key in self and (part := self.pop(key)) not in got:
            raise Mismatch(f"{key}: no {part!r} in {got!r}")


def guest(name: str) -> Path:
    return ROOT / "target/guests" / f"{name}.wasm"


def config_of(text: str | None) -> Any:
    """The value of a JSON text; for what is none, a value that JSON cannot hold."""
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return float("nan")


def guest_options(step: Step) -> dict[str, Any]:
    """The options of a guest, its component, name and restart apart."""
    budget = step.pick("cpu_ms", "wall_ms", "host_calls", "output_bytes", "fuel")
    limits = step.pick(
        "memory_bytes", "handles", "mailbox_messages", "payload_bytes", "cpu_percent", "written_bytes",
        "region_bytes",
    )
    options = {"budget": airwasm.Budget(**budget), "limits": airwasm.Limits(**limits)}
    config, grants = config_of(step.pop("config", None)), step.pop("grant", "").splitlines()
    args, lines = step.pop("args", "").splitlines(), step.pop("env", "").splitlines()
    env = dict(line.split("=", 1) for line in lines)
    return host_options(step) | options | {"config": config, "grants": grants, "args": args, "env": env} | step.pick("http_listen")


def service_options(step: Step) -> dict[str, Any]:
    """The options of an actor that does for others what the operating system does."""
    limits = airwasm.Limits(**step.pick("payload_bytes"))
    grants = step.pop("grant", "").splitlines()
    return step.pick("name", "restart") | {"grants": grants, "limits": limits}


def host_options(step: Step) -> dict[str, Any]:
    """The options that guests and functions of the host share."""
    limits = airwasm.Limits(**step.pick("mailbox_messages"))
    return step.pick("overflow", "errors_max", "health_interval_ms", "health_missed") | {"limits": limits}
