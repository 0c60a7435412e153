"""What a typed program may write; `mypy --strict` reads it, nobody runs it."""

from __future__ import annotations

from array import array
from datetime import timedelta
from pathlib import Path
from typing import assert_type

import airwasm


def blocking() -> None:
    with airwasm.System(profile="hardened", audit=Path("audit.jsonl")) as system:
        component = assert_type(system.load("hello.wasm"), airwasm.Component)
        bounds = airwasm.Budget(cpu_ms=200, host_calls=airwasm.UNLIMITED)
        actor = system.spawn(component, "hello", grants=["clock"], budget=bounds, config={"a": [1, None]}, restart="transient")
        assert_type(actor.request(b"world", timeout=1.5), bytes)
        assert_type(actor.request(bytearray(b"x"), timeout=timedelta(seconds=1)), bytes)
        assert_type(system.request(actor, memoryview(b"x")), bytes)
        actor.send(array("B", [1, 2]), content_type="text/plain")
        actor.request("text")  # type: ignore[arg-type]
        assert_type(system.spawn_files("files", grants=["fs.read /srv/**"], limits=airwasm.Limits(payload_bytes=1)), airwasm.Actor)
        assert_type(system.spawn_processes(restart="permanent"), airwasm.Actor)
        grant = actor.grant(airwasm.Capability("fs.read", "/srv/**", ttl="60s"), ttl=timedelta(minutes=1))
        assert_type(grant.revoke(), int)
        assert_type([info.ttl for info in actor.grants()], list[float | None])
        assert_type(system.spawn(airwasm.ActorSpec(component, limits=airwasm.Limits(handles=1))), airwasm.Actor)
        for event in system.events("actor.*"):
            assert_type(event.kind, str)
        assert_type(system.list()[0].state, str)
    assert_type(system.close(deadline=1), airwasm.CloseReport)


def governed() -> None:
    options = airwasm.AuditOptions(level="all", on_failure="closed", rotate_bytes=1_000_000, stderr=True)
    airwasm.AuditOptions(level="some")  # type: ignore[arg-type]
    with airwasm.System(policy="policy.yaml", policy_watch=timedelta(seconds=1), audit_options=options) as system:
        system.policy_load(Path("policy.yaml"))
        explanation = system.policy_explain("tools/reader/0", airwasm.Capability("fs.read", "/srv/guide"))
        assert_type((explanation.allowed, explanation.text), tuple[bool, str])
        assert_type((explanation.rule, explanation.beaten, explanation.policy_line), tuple[str | None, str | None, str | None])
        assert_type(system.policy_test().failed, list[str])
        system.check(system.lookup("till"), "custom.billing charge")
        system.lookup("till").check(airwasm.Capability("custom.billing", "charge"))
    assert_type(airwasm.System.audit_verify(Path("audit.jsonl")).files, list[Path])


def kept() -> None:
    with airwasm.System(kv="store.db") as system:
        system.kv_set("notes", "a", b"1")
        assert_type(system.kv_get("notes", "a"), bytes | None)
        assert_type(system.kv_delete("notes", "a"), bool)
        assert_type(system.kv_list("notes", 3), tuple[list[str], int | None])


def plain(message: airwasm.Message) -> bytes | None:
    return message.payload or None


async def awaited(message: airwasm.Message) -> bytes | airwasm.Failure:
    return message.payload or airwasm.Failure("empty", "nothing to echo")


async def asynchronous() -> None:
    async with airwasm.System() as system:
        actor = await system.spawn_async(await system.load_async("hello.wasm"))
        assert_type(await actor.request_async(b"world"), bytes)
        assert_type(await system.policy_load_async("policy.yaml"), None)
        assert_type(await system.spawn_files_async("files"), airwasm.Actor)
        assert_type(await system.spawn_processes_async("processes", shutdown_ms=5), airwasm.Actor)
        system.spawn_host(plain, "plain", restart="permanent")
        system.spawn_host(awaited, "awaited")
        async for event in system.events():
            assert_type(event, airwasm.Event)
        await actor.stop_async(deadline=1)
        assert_type(await system.close_async(), airwasm.CloseReport)


def supervised() -> None:
    with airwasm.System() as system:
        guest = airwasm.ActorSpec(system.load("hello.wasm"), "hello", overflow="block", significant=True)
        below = airwasm.SupervisorSpec("below", [airwasm.HostSpec(awaited, "awaited")], restart="transient")
        backoff = airwasm.Backoff(initial_ms=0, factor=1.5)
        top = system.supervisor("top", [guest, airwasm.HostSpec(plain), below], strategy="rest_for_one", backoff=backoff)
        system.supervisor("no", strategy="all")  # type: ignore[arg-type]
        system.supervisor("no", [plain])  # type: ignore[list-item]
        assert_type(top, airwasm.Supervisor)
        assert_type(top.start_child(below), airwasm.Supervisor)
        child = assert_type(top.start_child(guest), airwasm.Actor)
        top.terminate_child(child)
        assert_type([status.last_exit for status in top.children()], list[str | None])
        assert_type(system.tree()[0].children[0].actor, airwasm.Actor)
        down = top.monitor(timeout=timedelta(seconds=1))
        assert_type((down.reason, down.error, down.restarting), tuple[str, airwasm.AirwasmError | None, bool])
        assert_type(child.subscribe("news.>").unsubscribe(), None)
        assert_type(system.publish("news.tech", b"x"), int)
        assert_type(child.send_every(b"x", 0.5).cancel(), bool)
        assert_type(system.members("group"), list[airwasm.Actor])
        assert_type(system.dead_letters()[0].payload, bytes)


async def supervised_async() -> None:
    async with airwasm.System() as system:
        top = assert_type(await system.supervisor_async("top"), airwasm.Supervisor)
        child = assert_type(await top.start_child_async(airwasm.HostSpec(plain)), airwasm.Actor)
        assert_type(await child.monitor_async(), airwasm.Down)
        await top.restart_child_async(child)
        assert_type(await top.delete_child_async(child), None)
        assert_type(await child.send_async(b"x", content_type="text/plain"), None)


def errors(actor: airwasm.Actor) -> None:
    try:
        actor.request(b"x")
    except airwasm.Denied as e:
        permission: PermissionError = e
        assert_type((e.policy_line, e.capability, e.function, permission.errno), tuple[str, str, str, int | None])
        assert_type(e.rule, str)
    except airwasm.BudgetExceeded as e:
        assert_type((e.which, e.allowed, e.used), tuple[str, int, int])
    except airwasm.AirwasmError as e:
        assert_type((e.code, e.name, e.actor), tuple[int, str, str | None])
