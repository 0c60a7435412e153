"""The exceptions: one class for each code of the core's table, made when the extension is loaded."""

from __future__ import annotations

import os
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
    actor: str | None
    detail: dict[str, Any]

    def __init__(self, message: str = "", *, actor: str | None = None, detail: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.actor = actor
        self.detail = {} if detail is None else detail

    def __str__(self) -> str:
        # An OSError would print its errno and file name instead of the core's sentence.
        return str(self.args[0]) if self.args else ""

    def __reduce__(self) -> tuple[Any, ...]:
        return AirwasmError._make, (type(self), str(self), self.actor, self.detail)

    @staticmethod
    def _make(kind: type[AirwasmError], message: str, actor: str | None, detail: dict[str, Any]) -> AirwasmError:
        """An exception of this class as the core reports it, whatever the constructor of the class takes."""
        error = kind.__new__(kind)
        AirwasmError.__init__(error, message, actor=actor, detail=detail)
        if isinstance(error, OSError) and isinstance(detail.get("errno"), int):
            error.errno, error.strerror = detail["errno"], os.strerror(detail["errno"])
            error.filename = detail.get("path")
        if isinstance(detail.get("traceback"), str):
            error.add_note(detail["traceback"].rstrip("\n"))
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
        """The exact line of a policy, or the grant after its dash, that would allow it."""
        return str(self.detail.get("policy_line", ""))


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
        super().__init__(f"{code}: {text}", detail={"code": str(code), "text": str(text)})


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
