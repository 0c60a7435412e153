"""The exceptions: one class for each code of the core's table, made when the extension is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# What else an error is in Python's own terms, by the name of its class.
_BUILT_IN: dict[str, type[Exception]] = {
    "InvalidArgument": ValueError,
    "Forked": RuntimeError,
    "InvalidComponent": ValueError,
    "CoreModule": ValueError,
    "ExportMissing": LookupError,
    "TypeMismatch": TypeError,
    "Denied": PermissionError,
    "ActorNotFound": LookupError,
    "NotFound": LookupError,
    "Timeout": TimeoutError,
    "InvalidChild": ValueError,
    "PolicyInvalid": ValueError,
    "Io": OSError,
}


class AirwasmError(Exception):
    """What every airwasm exception is: a stable number and name, the actor concerned, and facts by name."""

    code: int
    name: str
    actor: str | None = None
    detail: dict[str, Any] = {}

    # The extension makes errors by `__new__` and sets what they know: no line of Python runs there, for that could
    # end a daemon thread in the middle of the extension while the interpreter exits.

    def __str__(self) -> str:
        # An OSError would print its errno and file name instead of the core's sentence.
        return str(self.args[0]) if self.args else ""

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), str(self), dict(self.__dict__))


def _again(kind: type[AirwasmError], message: str, facts: dict[str, Any]) -> AirwasmError:
    error = kind.__new__(kind, message)
    error.__dict__.update(facts)
    if isinstance(error, OSError):
        error.errno, error.filename = error.detail.get("errno"), error.detail.get("path")
    return error


class _DeniedFacts:
    detail: dict[str, Any]

    @property
    def capability(self) -> str:
        """The capability that was asked for, in its text form."""
        return str(self.detail.get("capability", ""))

    @property
    def function(self) -> str:
        """The WIT function that asked."""
        return str(self.detail.get("function", ""))

    @property
    def policy_line(self) -> str:
        """The exact line of a policy, or the grant after its dash, that would allow it; empty where one denies it."""
        return str(self.detail.get("policy_line", ""))

    @property
    def rule(self) -> str:
        """The deny of the policy that refused, as in `policy.yaml:13 fs.read /srv/private/**`, if one did."""
        return str(self.detail.get("rule", ""))


class _Bound:
    detail: dict[str, Any]

    @property
    def which(self) -> str:
        """The bound, with its unit: `cpu_ms`."""
        return str(self.detail.get("which", ""))

    @property
    def allowed(self) -> int:
        """What was allowed, in the unit of the name."""
        return int(self.detail.get("allowed", 0))

    @property
    def used(self) -> int:
        """What was used or asked for, in the unit of the name."""
        return int(self.detail.get("used", 0))


class _Refusal(AirwasmError):
    """A handler raises or returns it to answer with a failure, which is an answer and no crash."""

    def __init__(self, code: str, text: str, /) -> None:
        super().__init__(f"{code}: {text}")
        self.detail = {"code": str(code), "text": str(text)}


# What a class has beyond the base.
_FACTS: dict[str, tuple[type, ...]] = {
    "Denied": (AirwasmError, _DeniedFacts),
    "LimitExceeded": (AirwasmError, _Bound),
    "BudgetExceeded": (AirwasmError, _Bound),
    "Failure": (_Refusal,),
}


def make(table: Iterable[tuple[int, str, str]]) -> list[type[AirwasmError]]:
    """The classes for the core's (number, name, class name), in its order; `Denied` stands before its kinds."""
    made: dict[str, type[AirwasmError]] = {}
    for code, name, title in table:
        if title in ("GrantRevoked", "GrantExpired"):
            bases: tuple[type, ...] = (made["Denied"],)
        else:
            bases = _FACTS.get(title, (AirwasmError,))
            bases += (_BUILT_IN[title],) if title in _BUILT_IN else ()
        made[title] = type(title, bases, {"code": code, "name": name, "__module__": "airwasm"})
    return list(made.values())


AirwasmError.__module__ = "airwasm"
