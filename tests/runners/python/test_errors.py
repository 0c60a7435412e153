"""One class a code, each also what Python calls such an error."""

from __future__ import annotations

import pickle

import pytest

import airwasm
from conftest import GUESTS, ROOT, Spawn

BUILT_IN = {
    "INVALID_ARGUMENT": ValueError,
    "FORKED": RuntimeError,
    "INVALID_COMPONENT": ValueError,
    "CORE_MODULE": ValueError,
    "EXPORT_MISSING": LookupError,
    "TYPE_MISMATCH": TypeError,
    "DENIED": PermissionError,
    "GRANT_REVOKED": airwasm.Denied,
    "GRANT_EXPIRED": airwasm.Denied,
    "ACTOR_NOT_FOUND": LookupError,
    "NOT_FOUND": LookupError,
    "TIMEOUT": TimeoutError,
    "INVALID_CHILD": ValueError,
    "POLICY_INVALID": ValueError,
    "IO": OSError,
}


def classes() -> list[type[airwasm.AirwasmError]]:
    found = [getattr(airwasm, name) for name in airwasm.__all__]
    errors = [it for it in found if isinstance(it, type) and issubclass(it, airwasm.AirwasmError)]
    return [it for it in errors if it is not airwasm.AirwasmError]


def test_classes_are_the_table_of_codes() -> None:
    table = (ROOT / "tests/runners/rust/codes.txt").read_text().split("\n")
    assert [f"{it.code} {it.name}" for it in classes()] == [line for line in table if line]
    for it in classes():
        assert it.__name__ == it.name.title().replace("_", "") and it.__module__ == "airwasm"
        built_in = BUILT_IN.get(it.name, airwasm.AirwasmError)
        assert issubclass(it, built_in), it
        others = {ValueError, LookupError, TypeError, OSError, RuntimeError}
        assert not any(issubclass(it, other) for other in others if not issubclass(built_in, other)), it


def test_a_denial_is_a_permission_error(spawn: Spawn) -> None:
    reader = spawn("reader")
    with pytest.raises(PermissionError) as caught:
        reader.request(b"/etc/passwd")
    error = caught.value
    assert isinstance(error, airwasm.Denied)
    assert str(error) == "denied: default/reader/0 asked for fs.read /etc/passwd"
    assert error.policy_line == "- fs.read /etc/passwd"
    assert error.capability == "fs.read /etc/passwd" and error.function.startswith("wasi:filesystem/")
    assert (error.code, error.name, error.actor) == (30, "DENIED", "default/reader/0")
    assert error.args == (str(error),) and error.errno is None


def test_a_deadline_is_a_timeout_error(spawn: Spawn) -> None:
    looper = spawn("looper")
    with pytest.raises(TimeoutError) as caught:
        looper.request(b"sleep 200", timeout=0.02)
    assert isinstance(caught.value, airwasm.Timeout) and caught.value.actor == "default/looper/0"
    assert looper.request(b"lives on") == b"lives on"


def test_an_unknown_actor_is_a_lookup_error(system: airwasm.System) -> None:
    with pytest.raises(LookupError, match="nobody"):
        system.lookup("nobody")


def test_a_budget_says_which_allowed_and_used(spawn: Spawn) -> None:
    looper = spawn("looper", budget=airwasm.Budget(cpu_ms=20))
    with pytest.raises(airwasm.BudgetExceeded) as caught:
        looper.request(b"loop")
    error = caught.value
    assert (error.which, error.allowed) == ("cpu_ms", 20) and error.used > 20


def test_a_trap_has_its_kind_and_backtrace(spawn: Spawn) -> None:
    with pytest.raises(airwasm.Trapped) as caught:
        spawn("crasher").request(b"abort")
    assert caught.value.detail["kind"] == "unreachable" and caught.value.detail["backtrace"]


def test_a_failure_is_made_of_code_and_text(spawn: Spawn) -> None:
    made = airwasm.Failure("refused", "not today")
    assert str(made) == "refused: not today" and made.detail == {"code": "refused", "text": "not today"}
    assert made.code == 71
    with pytest.raises(airwasm.Failure) as caught:
        spawn("crasher").request(b"fail")
    assert (caught.value.detail["code"], caught.value.detail["text"]) == ("refused", "asked to fail")


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.name)
def test_errors_are_pickled(kind: type[airwasm.AirwasmError]) -> None:
    made = kind.__new__(kind, "a sentence")
    made.actor, made.detail = "default/a/0", {"which": "x", "errno": 2, "path": "/x"}
    again = pickle.loads(pickle.dumps(made))
    assert type(again) is kind and str(again) == "a sentence"
    assert (again.actor, again.detail, again.code) == (made.actor, made.detail, kind.code)
    if isinstance(again, OSError):
        assert (again.errno, again.filename) == (2, "/x")


def test_a_class_may_be_raised_by_hand() -> None:
    for kind in classes():
        made = kind("code", "text") if kind is airwasm.Failure else kind("a sentence")
        assert made.actor is None and str(made) in ("a sentence", "code: text")


def test_all_of_them_can_be_caught_at_once(system: airwasm.System) -> None:
    with pytest.raises(airwasm.AirwasmError):
        system.load_bytes(b"")
    with pytest.raises(airwasm.AirwasmError):
        system.spawn(system.load(GUESTS / "missing-import.wasm"))
