"""Guests that mean harm, from the Python host: groups A, B and C of what a host must survive."""

from __future__ import annotations

import gc
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import airwasm
from conftest import GUESTS, Spawn

BUILT_IN_C = (GUESTS / "hostile-c.wasm").exists()
in_c = pytest.mark.skipif(not BUILT_IN_C, reason="hostile-c was not built, for its compiler can't be had")
ENOUGH = airwasm.Budget(cpu_ms=500)


def held() -> tuple[int, int]:
    """How many descriptors are open, and how many threads run, once what earlier tests left is collected."""
    gc.collect()
    return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))


@pytest.fixture(autouse=True)
def a_neighbour_notices_nothing(spawn: Spawn, system: airwasm.System) -> Iterator[None]:
    echo = spawn("echo", "neighbour")
    yield
    assert echo.request(b"there?") == b"there?"
    stats = system.stats()
    assert stats.sent == stats.delivered + stats.rejected + stats.dropped + stats.dead_letters


def dies(actor: airwasm.Actor, letters: bytes, kind: type[airwasm.AirwasmError], words: str) -> airwasm.AirwasmError:
    for letter in letters[:-1]:
        actor.request(bytes([letter]))
    with pytest.raises(kind, match=f"(?i){words}") as caught:
        actor.request(letters[-1:])
    assert caught.value.actor is not None
    return caught.value


# One life each: what a supervisor makes of it is the same in all hosts, and told in the scenarios.
@pytest.mark.parametrize(
    ("case", "letters", "kind", "words"),
    [
        ("hostile_a1_loop", b"s", airwasm.BudgetExceeded, "cpu_ms"),
        ("hostile_a3_destructor", b"E", airwasm.BudgetExceeded, "cpu_ms"),
        ("hostile_a4_allocator", b"Aa", airwasm.BudgetExceeded, "cpu_ms"),
        ("hostile_a5_direct", b"j", airwasm.Trapped, "stack overflow"),
        ("hostile_a5_mutual", b"k", airwasm.Trapped, "stack overflow"),
        ("hostile_a5_by_table", b"l", airwasm.Trapped, "stack overflow"),
        ("hostile_b1_memory", b"m", airwasm.LimitExceeded, "memory_bytes"),
        ("hostile_b3_table", b"n", airwasm.LimitExceeded, "table_elements"),
        ("hostile_b4_resources", b"o", airwasm.LimitExceeded, "handles"),
        ("hostile_b5_host_resources", b"p", airwasm.LimitExceeded, "handles"),
        ("hostile_b6_result_outside", b"q", airwasm.Trapped, "out of bounds"),
        ("hostile_b6_result_odd", b"r", airwasm.Trapped, "aligned"),
        ("hostile_b6_reply_outside", b"u", airwasm.Trapped, "out of bounds"),
        ("hostile_b6_reply_odd", b"v", airwasm.Trapped, "aligned"),
        ("hostile_b6_reply_wraps", b"x", airwasm.Trapped, "out of bounds"),
        ("hostile_b6_reply_ends_outside", b"z", airwasm.Trapped, "out of bounds"),
        ("hostile_b6_allocator_outside", b"Ba", airwasm.Trapped, "beyond end"),
        ("hostile_b7_not_utf_8", b"y", airwasm.Trapped, "utf-8"),
        ("hostile_c7_no_such_case", b"w", airwasm.Trapped, "discriminant"),
        ("hostile_c9_unreachable", b"b", airwasm.Trapped, "unreachable"),
        ("hostile_c9_division", b"g", airwasm.Trapped, "division by zero"),
        ("hostile_c9_signature", b"f", airwasm.Trapped, "type mismatch"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("hostile_") else "",
)
def test_ends_typed(
    spawn: Spawn, case: str, letters: bytes, kind: type[airwasm.AirwasmError], words: str
) -> None:
    limits = airwasm.Limits(memory_bytes=8 << 20)
    error = dies(spawn("traps", limits=limits, budget=ENOUGH), letters, kind, words)
    assert error.actor == "default/traps/0", case
    assert spawn("traps", "next", limits=limits).request(b"a") == b"", "a life begins with what is left"


def test_hostile_a2_an_endless_start_is_a_failed_start(spawn: Spawn) -> None:
    for guest, config in [("start-loop", None), ("managed", "loop")]:
        with pytest.raises(airwasm.StartFailed, match="cpu_ms"):
            spawn(guest, budget=airwasm.Budget(cpu_ms=50), config=config)


def test_hostile_a3_an_endless_stop_ends_at_its_deadline(spawn: Spawn, system: airwasm.System) -> None:
    endless = airwasm.Budget(cpu_ms=3_600_000, wall_ms=3_600_000)
    for hook in ("pre-stop", "post-stop"):
        spawn("managed", budget=endless, config=f"loop {hook}", shutdown_ms=50).stop()
        with pytest.raises(airwasm.ActorNotFound):
            system.lookup("managed")


def test_hostile_a5_recursion_is_a_trap_also_from_a_small_thread(spawn: Spawn) -> None:
    caught: list[BaseException] = []

    def ask(actor: airwasm.Actor) -> None:
        try:
            actor.request(b"j")
        except airwasm.Trapped as error:
            caught.append(error)

    before = threading.stack_size(128 << 10)
    try:
        thread = threading.Thread(target=ask, args=[spawn("traps")])
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    assert len(caught) == 1 and "stack overflow" in str(caught[0])


def test_hostile_a8_a_guest_asleep_ends_at_its_wall_time(spawn: Spawn) -> None:
    with pytest.raises(airwasm.BudgetExceeded, match="wall_ms"):
        spawn("looper", budget=airwasm.Budget(wall_ms=50)).request(b"sleep 60000")


def test_hostile_a9_hogs_do_not_keep_a_neighbour_from_answering(spawn: Spawn) -> None:
    endless = airwasm.Budget(cpu_ms=3_600_000, wall_ms=3_600_000)
    hogs = [spawn("traps", f"hog{n}", budget=endless) for n in range(4 * (os.cpu_count() or 1))]
    for hog in hogs:
        hog.send(b"s")
    hello = spawn("hello")
    for n in range(20):
        assert hello.request(b"%d" % n) == b"hello %d" % n
    for hog in hogs:
        hog.kill()


@in_c
def test_hostile_b1_a_guest_that_copes_with_refusals_lives_on(spawn: Spawn) -> None:
    actor = spawn("hostile-c", limits=airwasm.Limits(memory_bytes=8 << 20))
    assert 0 < int(actor.request(b"grow")) <= 128
    assert actor.request(b"malloc 9") == b"0"
    with pytest.raises(airwasm.LimitExceeded, match="memory_bytes"):
        actor.request(b"die")


@in_c
def test_hostile_b5_files_are_bounded_and_closed(
    spawn: Spawn, system: airwasm.System, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text("inside")
    actor = spawn("hostile-c", grants=[f"fs.read {tmp_path}/a"])
    count = int(actor.request(f"hoard {tmp_path}/a".encode()))
    hoarding = held()[0]
    assert 1 <= count <= 64
    with pytest.raises(airwasm.Trapped):
        actor.request(b"trap")
    # The answer comes before the last of it is gone.
    until = time.monotonic() + 20
    while held()[0] > hoarding - count:
        assert time.monotonic() < until, (held(), hoarding, count)
        time.sleep(0)


@in_c
@pytest.mark.parametrize(
    "words",
    ["send 0 0xffffffff 0 0 0", "send 4096 4 0xffffffff 1 0", "send 4096 4 0 0 3", "answer 0xfffffff0 0x20", "garble"],
    ids=["id", "payload", "odd_result", "reply", "hostile_b7_text"],
)
def test_hostile_b6_what_c_hands_over_is_checked(spawn: Spawn, words: str) -> None:
    with pytest.raises(airwasm.Trapped):
        spawn("hostile-c").request(words.encode())


@in_c
def test_hostile_b12_a_flood_is_bounded(spawn: Spawn, system: airwasm.System) -> None:
    actor = spawn("hostile-c", limits=airwasm.Limits(payload_bytes=65_536))
    events = system.events("log")
    assert actor.request(b"flood 50000") == b"50000"
    told = 0
    while told < 49_152:
        text = next(events).detail["text"]
        assert len(text) <= 4_096
        told += len(text)
    events.close()
    with pytest.raises(airwasm.PayloadTooLarge):
        actor.request(b"reply 65537")
    assert len(actor.request(b"reply 65536")) == 65_536


def test_hostile_b13_a_crash_loop_leaves_nothing_behind(system: airwasm.System) -> None:
    component = system.load(GUESTS / "traps.wasm")
    before: tuple[int, int] | None = None
    for n in range(500):
        actor = system.spawn(component, "victim")
        with pytest.raises(airwasm.Trapped):
            actor.request(b"b")
        actor.stop() if system.list("victim") else None
        if n == 50:
            before = held()
    assert held() == before
    assert system.stats().actors == 1


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"\0asm", b"\x7fELF\x02\x01\x01\0", b"PK\x03\x04", b"\x1f\x8b\x08", b"(component)", bytes(1_000)],
    ids=["empty", "one_byte", "magic", "elf", "zip", "gzip", "text", "zeros"],
)
def test_hostile_c1_what_is_no_component(system: airwasm.System, data: bytes) -> None:
    with pytest.raises(airwasm.InvalidComponent):
        system.load_bytes(data)


def test_hostile_c2_a_component_cut_at_any_byte(system: airwasm.System) -> None:
    whole = (GUESTS / "no-handler.wasm").read_bytes()
    digest = system.load_bytes(whole).digest
    for length in range(len(whole)):
        try:
            assert system.load_bytes(whole[:length]).digest != digest
        except airwasm.InvalidComponent:
            pass


def test_hostile_c3_flipped_bits_are_refused_or_load(system: airwasm.System) -> None:
    """`AIRWASM_FLIPS` of them, or 1,000."""
    whole, chance = (GUESTS / "traps.wasm").read_bytes(), random.Random(3)
    for _ in range(int(os.environ.get("AIRWASM_FLIPS", "1000"))):
        data = bytearray(whole)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            component = system.load_bytes(data)
        except (airwasm.InvalidComponent, airwasm.CoreModule, airwasm.CompileLimit, airwasm.ProfileRequired):
            continue
        try:
            actor = system.spawn(component, "flipped", budget=airwasm.Budget(cpu_ms=20, host_calls=1_000))
            actor.request(bytes([chance.randrange(97, 123)]))
        except airwasm.AirwasmError as error:
            assert not isinstance(error, (airwasm.Internal, airwasm.Panic, airwasm.Timeout)), error
        if system.list("flipped"):
            system.lookup("flipped").stop()
        system.unload(component)


def test_hostile_c4_a_core_module(system: airwasm.System) -> None:
    with pytest.raises(airwasm.CoreModule, match="wasm-tools component new"):
        system.load(GUESTS / "core.wasm")


def test_hostile_c6_a_missing_import_is_named(spawn: Spawn) -> None:
    with pytest.raises(airwasm.ImportMissing, match=r"acme:tools/db@1\.0\.0"):
        spawn("missing-import")


def test_hostile_c7_an_export_of_another_type(spawn: Spawn) -> None:
    with pytest.raises(airwasm.TypeMismatch, match="airssys:wasm/handler"):
        spawn("wrong-type")


@pytest.mark.parametrize("guest", ["managed", pytest.param("hostile-c", marks=in_c)])
def test_hostile_c9_a_trap_in_a_hook(spawn: Spawn, guest: str) -> None:
    with pytest.raises(airwasm.StartFailed, match="pre-start"):
        spawn(guest, config="trap pre-start")
    for hook in ("pre-stop", "post-stop"):
        actor = spawn(guest, config=f"trap {hook}")
        actor.stop()
        with pytest.raises(airwasm.ActorStopped, match="shutdown"):
            actor.request(b"hi")


def test_hostile_c12_the_bytes_that_were_given_are_compiled(system: airwasm.System) -> None:
    data = bytearray((GUESTS / "echo.wasm").read_bytes())
    expected = system.load_bytes(bytes(data)).digest
    loading = system.load_bytes(data)
    data[:] = bytes(len(data))
    assert loading.digest == expected
