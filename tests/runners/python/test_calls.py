"""What may be passed, and what is refused with which error."""

from __future__ import annotations

import sys
import weakref
from array import array
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

import airwasm
from conftest import GUESTS, Spawn


@pytest.mark.parametrize(
    "payload",
    [b"abc", bytearray(b"abc"), memoryview(b"abc"), array("B", b"abc"), memoryview(b"a.b.c")[::2]],
    ids=["bytes", "bytearray", "memoryview", "array", "strided"],
)
def test_any_buffer_is_a_payload(spawn: Spawn, payload: bytes) -> None:
    assert spawn("echo").request(payload) == b"abc"


def test_a_buffer_of_numbers_is_its_bytes(spawn: Spawn) -> None:
    numbers = array("I", [1, 2, 3])
    assert spawn("echo").request(numbers) == numbers.tobytes()


def test_a_released_view_is_refused(spawn: Spawn) -> None:
    view = memoryview(b"abc")
    view.release()
    with pytest.raises(ValueError, match="released"):
        spawn("echo").request(view)


@pytest.mark.parametrize("payload", ["text", 3, None, [1, 2], object()], ids=["str", "int", "none", "list", "object"])
def test_what_is_no_buffer_is_a_type_error(system: airwasm.System, spawn: Spawn, payload: bytes) -> None:
    echo = spawn("echo")
    for call in (echo.request, echo.send, system.load_bytes, lambda it: system.request(echo, it)):
        with pytest.raises(TypeError, match="a payload is bytes, bytearray or another buffer, not"):
            call(payload)
    assert echo.request(b"still there") == b"still there"


@pytest.mark.parametrize("seconds", [0.5, 1, timedelta(seconds=1), float("inf"), 1e300, airwasm.UNLIMITED])
def test_times_are_seconds(spawn: Spawn, seconds: float) -> None:
    assert spawn("echo").request(b"x", timeout=seconds) == b"x"


@pytest.mark.parametrize("seconds", [-1, -0.001, float("nan"), timedelta(seconds=-1), 0])
def test_a_time_that_is_none_is_an_invalid_argument(spawn: Spawn, seconds: float) -> None:
    with pytest.raises(airwasm.InvalidArgument) as caught:
        spawn("echo").request(b"x", timeout=seconds)
    assert isinstance(caught.value, ValueError)
    assert caught.value.detail["which"].startswith("timeout")


def test_wrong_types_are_type_errors(system: airwasm.System, spawn: Spawn) -> None:
    echo, component = spawn("echo"), system.load(GUESTS / "echo.wasm")
    wrong: list[Callable[[], object]] = [
        lambda: echo.request(b"x", timeout="5"),  # type: ignore[arg-type]
        lambda: echo.grant("clock", ttl="60s"),  # type: ignore[arg-type]
        lambda: echo.grant(5),  # type: ignore[arg-type]
        lambda: echo.stop(deadline=b"1"),  # type: ignore[arg-type]
        lambda: system.load(5),  # type: ignore[arg-type]
        lambda: system.spawn("echo.wasm"),  # type: ignore[call-overload]
        lambda: system.spawn(component, 5),  # type: ignore[call-overload]
        lambda: system.spawn(component, grants="clock"),
        lambda: system.spawn(component, limits={}),  # type: ignore[call-overload]
        lambda: system.spawn(component, args="--all"),
        lambda: system.spawn(component, env=[("LANG", "C")]),  # type: ignore[call-overload]
        lambda: system.spawn(component, env={"N": 1}),  # type: ignore[dict-item]
        lambda: system.spawn_host(lambda _: b"", args=["a"]),  # type: ignore[call-arg]
        lambda: system.spawn(airwasm.ActorSpec(component), "twice"),  # type: ignore[call-overload]
        lambda: system.spawn_host("no function"),  # type: ignore[arg-type]
        lambda: system.lookup(echo),  # type: ignore[arg-type]
        lambda: airwasm.Budget(cpu_ms="200ms"),  # type: ignore[arg-type]
        lambda: airwasm.Budget(200),  # type: ignore[call-arg]
        lambda: airwasm.Capability(b"clock"),  # type: ignore[arg-type]
        lambda: system.events(5),  # type: ignore[arg-type]
    ]
    for call in wrong:
        with pytest.raises(TypeError):
            call()
    assert system.stats().actors == 1


def test_wrong_values_say_which(system: airwasm.System, spawn: Spawn) -> None:
    echo, component = spawn("echo"), system.load(GUESTS / "echo.wasm")
    wrong: dict[str, Callable[[], object]] = {
        "restart": lambda: system.spawn(component, restart="sometimes"),  # type: ignore[call-overload]
        "config": lambda: system.spawn(component, config={"key": object()}),
        "args": lambda: system.spawn(component, args=["a\0b"]),
        "env": lambda: system.spawn(component, env={"A=B": "c"}),
        "cpu_ms": lambda: system.spawn(component, budget=airwasm.Budget(cpu_ms=0)),
        "handles": lambda: airwasm.Limits(handles=-1),
        "fuel": lambda: airwasm.Budget(fuel=2**64),
        "id": lambda: system.lookup("No Name"),
        "ttl": lambda: echo.grant("clock", ttl=-1),
        "deadline": lambda: echo.stop(deadline=-1),
        "kinds": lambda: system.events("Actor!"),
        "capability": lambda: echo.grant("fs.raed /data"),
    }
    for which, call in wrong.items():
        with pytest.raises(airwasm.InvalidArgument) as caught:
            call()
        assert caught.value.detail["which"] == which
    with pytest.raises(airwasm.Io) as missing:
        airwasm.System(cache_dir="/no/such/cache")
    assert missing.value.detail["path"] == "/no/such/cache"
    assert echo.request(b"alive") == b"alive"


def test_bad_components_have_their_own_errors(system: airwasm.System, tmp_path: Path) -> None:
    good = (GUESTS / "echo.wasm").read_bytes()
    for bad in (b"", b"garbage", b"(component)", good[:-1], good[: len(good) // 2]):
        with pytest.raises(airwasm.InvalidComponent):
            system.load_bytes(bad)
    with pytest.raises(airwasm.CoreModule):
        system.load(GUESTS / "core.wasm")
    with pytest.raises(airwasm.Io) as caught:
        system.load(tmp_path / "nothing.wasm")
    assert (caught.value.errno, caught.value.filename) == (2, str(tmp_path / "nothing.wasm"))
    with pytest.raises(OSError, match="nothing.wasm"):
        system.load(tmp_path / "nothing.wasm")


def test_a_payload_over_the_limit_is_refused(spawn: Spawn) -> None:
    echo = spawn("echo", limits=airwasm.Limits(payload_bytes=10))
    assert echo.request(b"x" * 10) == b"x" * 10
    with pytest.raises(airwasm.PayloadTooLarge) as caught:
        echo.request(b"x" * 11)
    assert (caught.value.detail["allowed"], caught.value.detail["given"]) == (10, 11)


def test_a_large_payload_comes_back_whole(spawn: Spawn) -> None:
    payload = bytes(range(256)) * 8 * 1_024
    assert spawn("echo").request(payload) == payload


def test_two_systems_never_meet(spawn: Spawn, system: airwasm.System) -> None:
    spawn("echo")
    with airwasm.System() as other:
        with pytest.raises(airwasm.ActorNotFound):
            other.lookup("echo")
        mine = system.lookup("echo")
        theirs = other.spawn(other.load(GUESTS / "echo.wasm"), "echo")
        assert mine != theirs and mine == system.lookup("echo")
        grant = mine.grant("clock")
        for call in (
            lambda: other.request(mine, b"x"),
            lambda: other.stop(mine),
            lambda: other.revoke(grant),
            lambda: other.spawn(system.load(GUESTS / "echo.wasm")),
            lambda: other.spawn(airwasm.ActorSpec(system.load(GUESTS / "echo.wasm"))),
        ):
            with pytest.raises(airwasm.InvalidHandle):
                call()
        assert other.stats().actors == 1
    assert mine.request(b"alive") == b"alive"


def test_methods_of_the_system_are_those_of_its_handles(spawn: Spawn, system: airwasm.System) -> None:
    echo = spawn("echo")
    assert system.request(echo, b"x") == b"x"
    system.send(echo, b"x")
    grant = system.grant(echo, "fs.read /data/**")
    assert "fs.read /data/**" in [info.capability for info in system.grants(echo)]
    assert system.revoke(grant) == 0
    assert system.status(echo) == echo.status() and system.list() == [echo.status()]
    system.stop(echo)
    with pytest.raises(airwasm.ActorStopped):
        echo.request(b"x")


def test_a_capability_by_its_parts(spawn: Spawn) -> None:
    by_parts = airwasm.Capability("fs.read", "/data/with space/**", ttl="60s")
    assert str(by_parts) == 'fs.read "/data/with space/**" ; ttl=60s'
    assert by_parts == airwasm.Capability("fs.read", "/data/with space/**", ttl="60s")
    echo = spawn("echo", grants=[by_parts, "fs.list /data"])
    echo.grant(str(by_parts))
    texts = [info.capability for info in echo.grants()]
    assert texts.count('fs.read "/data/with space/**" ; ttl=60s') == 2 and "fs.list /data" in texts


def test_ttl_is_what_is_left(spawn: Spawn) -> None:
    echo = spawn("echo")
    grant = echo.grant("fs.read /data", ttl=timedelta(hours=1))
    info = next(info for info in echo.grants() if info.grant == grant)
    assert info.ttl is not None and 3_000 < info.ttl <= 3_600 and info.open == 0


def test_names_reprs_and_weak_references(spawn: Spawn, system: airwasm.System) -> None:
    echo = spawn("echo")
    component = system.load(GUESTS / "echo.wasm")
    assert repr(echo) == "<airwasm.Actor default/echo/0>"
    assert repr(airwasm.Budget(cpu_ms=200)) == "Budget(cpu_ms=200)"
    assert component.digest.startswith("sha256:") and component.digest in repr(component)
    assert any("handler" in name for name in component.exports)
    assert system.inspect(component).handler
    unnamed = [system.spawn(component) for _ in range(2)]
    assert len({actor.id for actor in [echo, *unnamed]}) == 3
    for thing in (system, component, echo, echo.grant("clock"), system.events()):
        assert weakref.ref(thing)() is thing
    assert {echo: 1}[system.lookup("echo")] == 1


def test_spec_is_spawned_as_it_is(system: airwasm.System) -> None:
    component = system.load(GUESTS / "managed.wasm")
    spec = airwasm.ActorSpec(component, "managed", config={"a": [1, None, "é"]})
    assert system.spawn(spec).request(b"config") == b'{"a":[1,null,"\\u00e9"]}'


def test_events_are_iterated_and_closed(spawn: Spawn, system: airwasm.System) -> None:
    events = system.events("actor.*")
    spawn("echo")
    started = next(events)
    assert (started.kind, started.actor) == ("actor.started", "default/echo/0")
    assert started.seq >= 1 and started.time > 1.7e9 and started.detail == {}
    assert str(started).startswith("actor.started default/echo/0")
    events.close()
    assert list(events) == []


def test_closed_is_closed(spawn: Spawn, system: airwasm.System) -> None:
    echo, events = spawn("echo"), system.events()
    assert not system.is_closed()
    report = system.close()
    assert (report.stopped, report.killed) == (1, 0) and system.is_closed()
    assert system.close() == report
    with pytest.raises(airwasm.Closed):
        echo.request(b"x")
    assert [event.kind for event in events][-1:] in ([], ["actor.stopped"])


def test_the_helper_that_compiles_may_be_a_command() -> None:
    with pytest.raises(TypeError):
        airwasm.System(compile_helper="/bin/true")
    for command in ([], ["python"], ["/no/such/program"]):
        with pytest.raises(airwasm.InvalidArgument) as caught:
            airwasm.System(compile_helper=command)
        assert caught.value.detail["which"] == "compile_helper"
    module = [sys.executable, "-I", "-m", "airwasm.compile_helper"]
    with airwasm.System(compile_helper=module, fuel=True) as system:
        component = system.load(GUESTS / "echo.wasm")
        actor = system.spawn(component, budget=airwasm.Budget(fuel=10_000_000))
        assert actor.request(b"hi") == b"hi"
    with airwasm.System(compile_helper=[sys.executable, "-I", "-c", "raise SystemExit('no')"]) as system:
        with pytest.raises(airwasm.Internal, match="no"):
            system.load(GUESTS / "echo.wasm")
