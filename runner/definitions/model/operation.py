"""What an API can do: requests, pages, and what its answers mean."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from runner.definitions.expressions import Expression
from runner.definitions.model.values import NOTHING, Value
from runner.definitions.values import TYPE_WORDS, describe, fits, short
from runner.errors import Place


class Param(msgspec.Struct, frozen=True, kw_only=True):
    """A typed parameter of an operation or a sync."""

    name: str
    type: str = "any"
    description: str = ""
    required: bool = True
    default: object = None
    has_default: bool = False
    enum: tuple[object, ...] = ()

    def misfit(self, value: object) -> str | None:
        """Why a value is none for it: `must be a whole number, found a list`; null always is one."""
        wrong = self.mistyped(value)
        if wrong is not None or value is None or not self.enum or value in self.enum:
            return wrong
        listed = ", ".join(f"`{short(one)}`" for one in self.enum)
        return f"must be one of {listed}, found {describe(value)}"

    def mistyped(self, value: object) -> str | None:
        """As `misfit`, of its type alone."""
        if value is None or fits(value, self.type):
            return None
        return f"must be {TYPE_WORDS[self.type]}, found {describe(value)}"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request, still to be computed."""

    place: Place
    method: str = "GET"
    path: Value | None = None
    url: Value | None = None
    query: Value = NOTHING
    headers: Value = NOTHING
    json: Value | None = None
    form: Value | None = None
    body: Value | None = None
    #: seconds
    timeout: float = 120.0
    #: whether it sends the idempotency key, by which the API knows when it is asked the same again
    keyed: bool = False


class Paginate(msgspec.Struct, frozen=True, kw_only=True):
    """How one page leads to the next."""

    next_url: Expression | None = None
    cursor: Expression | None = None
    offset: bool = False
    page: bool = False
    size: int | None = None
    until: Expression | None = None
    #: how many records all pages have together
    total: Expression | None = None


class Csv(msgspec.Struct, frozen=True, kw_only=True):
    """How a CSV is written, and what its texts stand for."""

    delimiter: str = ","
    #: what separates the names of nested columns
    nested: str | None = None
    #: what an empty value is: null or text
    empty: str = "null"
    #: a map of column to text, number, integer, boolean or timestamp
    types: Value = NOTHING


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """The results of a job in parts, each at an address of its own, which are read side by side."""

    #: asks for the list of parts
    request: Request
    #: the parts in its answer
    each: Expression
    #: the address of one, known as `part`
    url: Expression
    when: Expression | None = None
    #: how one list leads to the next
    paginate: Paginate | None = None
    concurrency: int = 4


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Work that an API does in its own time; its results are read as any operation's answer is."""

    submit: Request
    id: Expression
    poll: Request
    done: Expression
    failed: Expression | None = None
    message: Expression | None = None
    #: how many records are done so far
    progress: Expression | None = None
    #: seconds of the first and of the longest wait between two looks
    every_initial: float = 1.0
    every_max: float = 30.0
    #: seconds that it may take
    timeout: float = 86_400.0
    cleanup: Request | None = None
    #: sent behind `submit`, before the job is on its way: what is uploaded, what sets it going
    then: tuple[Request, ...] = ()
    parts: Parts | None = None


class ResponseRule(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer means where its status does not say it."""

    when: Expression
    means: str
    kind: str | None = None
    hint: Value | None = None


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that an API can do."""

    name: str
    place: Place
    #: of a job, the request for its results
    request: Request
    job: Job | None = None
    description: str = ""
    params: Mapping[str, Param] = {}
    writes: bool = False
    #: whether doing it twice is as doing it once (RFC 9110 §9.2.2)
    idempotent: bool = False
    #: bytes that an answer may have; None: as many as the provider's
    answer: int | None = None
    #: what packs the answer, then what is in it
    format: tuple[str, ...] = ("json",)
    csv: Csv = Csv()
    records: Expression | None = None
    paginate: Paginate | None = None
    #: what a later read goes on from, where an answer tells
    checkpoint: Expression | None = None
    responses: tuple[ResponseRule, ...] = ()
    output: Value | None = None


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """An operation and what it is given."""

    operation: Operation
    arguments: Value
    place: Place
    when: Expression | None = None
