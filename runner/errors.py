"""Every error that terapi raises on purpose, in one tree.

    TerapiError                  exit 1   the root: message, where, hint
    ├── UsageError               exit 2   the command or the request was off
    │   ├── MissingExtra                  a library of an optional extra is not installed
    │   └── RunningAlready                a sync runs once at a time for a connection
    ├── DefinitionsInvalid       exit 3   YAML that does not say what it may say
    ├── NotConnected             exit 4   no client, no connection, or one that no longer works
    ├── ExpressionError                   an expression met a value it cannot use
    ├── CallError                         an API answered, or failed to; carries its kind
    │   └── EnrichmentFailed              so did a further call for records that are read
    ├── RecordError                       a record does not fit its definition
    ├── RunFailed                         a workflow said `fail`
    ├── NotProved                         a webhook that its secret does not prove
    └── StoreError                        the state cannot be read or written
        ├── StoreLocked                   another process holds it
        ├── StoreFull                     no space is left
        ├── StoreDamaged                  the file is no sound database
        └── StoreTooNew                   a later terapi wrote it

Each says what failed (``message``), where (``where``: file, line, column of a definition) and what to do
next (``hint``). Whether trying again can help is part of the type (``transient``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, Literal, NamedTuple


class Place(NamedTuple):
    """A place in a definition file; lines and columns count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Problem(NamedTuple):
    """Something wrong in a definition, where it stands and how to mend it."""

    place: Place
    message: str
    #: columns that the culprit takes
    length: int = 1
    #: printed behind the carets: the mend
    suggestion: str | None = None
    #: the key that `terapi explain` explains
    see: str | None = None
    code: str = "invalid"
    severity: Literal["error", "warning"] = "error"


class TerapiError(Exception):
    """Something that a person can mend."""

    #: the process's exit code when nobody catches it
    exit_code: ClassVar[int] = 1
    #: the machine's name of the error, in JSON and over HTTP
    code: str = "error"
    #: whether the same thing, tried again later, can succeed
    transient: bool = False

    def __init__(
        self, message: str | None = None, *, where: Place | None = None, hint: str | None = None
    ) -> None:
        self.message = message or (type(self).__doc__ or "").partition("\n")[0]
        self.where = where
        self.hint = hint
        super().__init__(self.message)

    def as_data(self) -> dict[str, object]:
        """The error in JSON: kind, message, where (`file:line:column` or null), hint."""
        where = str(self.where) if self.where is not None else None
        return {"kind": self.code, "message": self.message, "where": where, "hint": self.hint}


def joined(hint: str | None, more: str) -> str:
    """Two things to do, the second behind the first."""
    return f"{hint.rstrip('.')}. {more[0].upper()}{more[1:]}" if hint else more


class UsageError(TerapiError):
    """The command cannot be carried out as it was given."""

    exit_code = 2
    code = "usage"


class MissingExtra(UsageError):
    """A library of an optional extra is not installed."""

    code = "missing_extra"

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs libraries that are not installed", hint=f"pip install 'terapi[{extra}]'"
        )


class RunningAlready(UsageError):
    """It is running already."""

    code = "running"
    transient = True


class DefinitionsInvalid(TerapiError):
    """The definitions are not valid."""

    exit_code = 3
    code = "definitions_invalid"

    def __init__(self, problems: Sequence[Problem], sources: Mapping[str, str]) -> None:
        super().__init__(f"{len(problems)} problem{'' if len(problems) == 1 else 's'} in the definitions")
        self.problems = tuple(problems)
        #: file → its text, to show the lines
        self.sources = sources


class NotConnected(TerapiError):
    """There is no connection that works."""

    exit_code = 4
    code = "not_connected"


class ExpressionError(TerapiError):
    """An expression met a value that it cannot use."""

    code = "expression"


_TROUBLE = "the API has trouble: try again later"
#: what to do about a call that failed, by its kind, where the error does not say it itself
_HINTS: Final[Mapping[str, str]] = {
    "bad_request": "hold what was sent against the API's documentation",
    "unauthorized": "the API does not accept the credentials: connect again",
    "token_expired": "the API does not accept the credentials: connect again",
    "forbidden": "the connected user or app may not do this: look at its rights and scopes",
    "not_found": "check the path, and the names and ids in it",
    "conflict": "it is there already, or was changed meanwhile: read it, and decide then",
    "too_large": "send less at a time",
    "rate_limited": "call less often, or less at once with `limits.concurrency` of the provider",
    "redirect": "call the address that it names, or correct the base URL",
    "server_error": _TROUBLE, "unavailable": _TROUBLE, "timeout": _TROUBLE,
    "disconnected": "try again later; where it stays so, check the base URL, and what lies between",
    "truncated": "try again; where it stays so, ask for less at a time",
    "bad_answer": "check the base URL, and hold the answer against the API's documentation",
    "bad_encoding": "ask for another with the header `Accept-Encoding`",
    "bad_url": "an address is such as `https://api.example.com/path`",
}  # fmt: skip


class CallError(TerapiError):
    """A call to an API failed.

    ``kind`` is the error's name in YAML (`rate_limited`, `not_found`, …), either one that the provider's
    ``errors`` gave it or one of HTTP's own.
    """

    code = "call_failed"

    def __init__(
        self,
        message: str,
        *,
        kind: str,
        status: int | None = None,
        transient: bool = False,
        where: Place | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, where=where, hint=hint or _HINTS.get(kind))
        self.kind = kind
        #: of the answer, where there was one
        self.status = status
        self.body: object = None
        self.headers: Mapping[str, str] = {}
        self.transient = transient
        #: seconds that the API asked us to wait, where it did
        self.retry_after: float | None = None
        #: whether a definition says that the same may be sent again, whatever it does
        self.repeatable = False

    def as_data(self) -> dict[str, object]:
        """The same, and the status where the API answered."""
        status = {"status": self.status} if self.status is not None else {}
        return {**super().as_data(), "kind": self.kind, **status}


class EnrichmentFailed(CallError):
    """A further call for records failed: nothing is wrong with the pages that they came with."""

    def __init__(self, name: str, error: CallError, hint: str | None = None) -> None:
        super().__init__(
            f"`enrich.{name}`: {error.message}",
            kind=error.kind,
            status=error.status,
            transient=error.transient,
            where=error.where,
            hint=joined(error.hint, hint) if hint else error.hint,
        )
        self.body, self.headers, self.retry_after = error.body, error.headers, error.retry_after


class RecordError(TerapiError):
    """A record does not fit its definition."""

    code = "record"


class RunFailed(TerapiError):
    """The workflow failed.

    ``kind`` is the error's name in YAML: `failed`, `timeout`, `rejected`, …, or one of the workflow's own.
    """

    code = "failed"

    def __init__(
        self,
        message: str | None = None,
        *,
        where: Place | None = None,
        hint: str | None = None,
        kind: str = "failed",
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.kind = kind

    def as_data(self) -> dict[str, object]:
        return {**super().as_data(), "kind": self.kind}


class NotProved(TerapiError):
    """The webhook does not prove where it comes from."""

    code = "not_proved"


class StoreError(TerapiError):
    """The state cannot be read or written."""

    code = "store"


class StoreLocked(StoreError):
    """The state is held by another process."""

    code = "store_locked"
    transient = True


class StoreFull(StoreError):
    """No space is left for the state."""

    code = "store_full"
    transient = True


class StoreDamaged(StoreError):
    """The state file is damaged."""

    code = "store_damaged"


class StoreTooNew(StoreError):
    """The state was written by a later terapi."""

    code = "store_too_new"
