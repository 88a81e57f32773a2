"""How a walk through a workflow's steps ends early."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from runner.errors import CallError, Place, StoreError, TerapiError

#: bytes of JSON that an error's body may have to be kept with it
_BODY = 64 * 1024


class StepFailed(TerapiError):
    """A step failed.

    Args:
        told: what expressions know as `error`: kind, message, where, hint, step, status, body.
        transient: whether another try may succeed.
    """

    code = "failed"

    def __init__(self, told: Mapping[str, object], *, transient: bool = False) -> None:
        super().__init__(str(told["message"]), hint=cast("str | None", told.get("hint")))
        self.told = dict(told)
        self.transient = transient

    def as_data(self) -> dict[str, object]:
        return {key: value for key, value in self.told.items() if key != "body"}


class Returned(Exception):
    """A step said `return`."""

    def __init__(self, output: object) -> None:
        self.output = output


class Parked(Exception):
    """Nothing can be done for now.

    Args:
        until: when something can, in seconds since 1970; None where somebody has to say so.
    """

    def __init__(self, until: float | None) -> None:
        self.until = until

    def sooner(self, other: float | None) -> Parked:
        """The same, or the earlier moment."""
        times = [time for time in (self.until, other) if time is not None]
        return Parked(min(times) if times else None)


class Stopped(Exception):
    """The run, or what the step is a part of, is ending: nothing further is begun."""


class Broken(Exception):
    """The journal cannot be kept; whatever steps say about errors, nothing may go on.

    Args:
        cause: why.
    """

    def __init__(self, cause: StoreError) -> None:
        self.cause = cause


def told(error: TerapiError, step: str, where: Place | None = None) -> StepFailed:
    """A step's failure, from whatever error it met; one that a step within met stays as it is.

    Args:
        step: what the step is called.
        where: where it stands, for an error that does not say.
    """
    if isinstance(error, StepFailed):
        return error
    data = {**error.as_data(), "step": step}
    if error.where is None and where is not None:
        data["where"] = str(where)
    if isinstance(error, CallError):
        data["body"] = _kept(error.body)
    return StepFailed(data, transient=error.transient)


def _kept(body: object) -> object:
    """The body of an answer, unless it is too large to be kept or no JSON."""
    import orjson

    try:
        return body if len(orjson.dumps(body)) <= _BODY else None
    except TypeError:
        return None
