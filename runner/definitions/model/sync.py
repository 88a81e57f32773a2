"""Syncs: what data to keep in step with a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from runner.definitions.expressions import Expression
from runner.definitions.model.matrix import BASE, Matrix
from runner.definitions.model.operation import Call, Param
from runner.definitions.model.values import Fixed, Value
from runner.definitions.model.webhook import Trigger
from runner.definitions.schedules import Schedule
from runner.errors import Place


class Slices(msgspec.Struct, frozen=True, kw_only=True):
    """How a long range of time is cut into shorter ones, which are read side by side."""

    #: seconds that a range is long
    by: float | None = None
    #: counts the records of a range
    size: Call | None = None
    #: the number in what `size` gives
    total: Expression | None = None
    #: records that a range has at the most
    most: int = 50_000
    #: ranges that are read at once
    concurrency: int = 4


class Foreach(msgspec.Struct, frozen=True, kw_only=True):
    """What a sync fetches for, one by one: exactly one of `records`, `items` and `call` tells the parents."""

    place: Place
    #: the model whose stored records they are
    records: str | None = None
    items: Value | None = None
    call: Call | None = None
    where: Expression | None = None
    #: what an item is known by; None for its `id`, or itself
    key: Expression | None = None
    #: parents that are read at once
    concurrency: int = 4
    #: whether one that the API does not find is passed over
    skips: bool = True
    #: var → what it needs of one parent: `item`, `slice`, `checkpoint`
    vars: Mapping[str, frozenset[str]] = {}


class Incremental(msgspec.Struct, frozen=True, kw_only=True):
    """How a sync reads only what changed."""

    #: of a record; None where the API gives a token with its answers
    cursor: Expression | None
    type: str = "timestamp"
    #: seconds
    lookback: float = 0.0
    start: str | int | None = None
    slices: Slices | None = None


class Deletes(msgspec.Struct, frozen=True, kw_only=True):
    """How a sync knows deleted records."""

    when: Expression | None = None
    call: Call | None = None
    id: Expression | None = None
    missing: bool = False
    #: the field that holds the key of a record's parent, where records of parents that are gone are deleted
    orphans: str | None = None


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """How the store is held against the source."""

    #: gives the key of every record
    call: Call
    id: Expression
    deleted: Expression | None = None
    #: reads records by their keys, known as `ids`
    repair: Call | None = None
    #: whether it is asked for each parent
    by_parent: bool = False


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How long payloads are kept, in seconds; None for ever."""

    #: after the last change
    changed: float | None = None
    #: after the record was deleted
    deleted: float | None = None


#: the kinds of failure by which an API says that there is no such thing, or none for this connection
NOT_THERE = frozenset({"not_found", "forbidden", "invalid_type", "invalid_field"})


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """Which item belongs to which record: those whose two values are the same."""

    item: Expression
    record: Expression


class Enrichment(msgspec.Struct, frozen=True, kw_only=True):
    """Further calls, whose items are joined to the records before `fields`."""

    name: str
    #: its `when` says which records are asked for
    call: Call
    #: None where there is a call for each record
    match: Match | None = None
    #: one call for each of its items
    foreach: Expression | None = None
    #: whether a record has a list of items
    many: bool = False
    #: whether an item's keys become those of the record
    merge: bool = False
    #: the kinds of failure that say that there is no such thing
    optional: frozenset[str] = frozenset()
    #: keys that one call asks for at the most
    batch: int = 200
    #: calls at once
    concurrency: int = 4


class FieldFrom(msgspec.Struct, frozen=True, kw_only=True):
    """A field that an expression gives, brought to a type."""

    source: Expression
    type: str | None = None
    where: Expression | None = None


class FieldMap(msgspec.Struct, frozen=True, kw_only=True):
    """A field that is a map of fields, or one map for each item of a list."""

    fields: Mapping[str, Field]
    foreach: Expression | None = None
    where: Expression | None = None
    sort: Expression | None = None


Field = Fixed | FieldFrom | FieldMap


class Sync(msgspec.Struct, frozen=True, kw_only=True):
    """What data to keep in step with a source, bound to one provider."""

    name: str
    place: Place
    description: str
    integrations: tuple[str, ...]
    #: of a definition with a matrix the template
    model: str
    model_place: Place
    primary_key: str
    fetch: tuple[Call, ...]
    #: a map of fields, or one expression that gives the whole record
    fields: Mapping[str, Field] | Expression
    schedule: Schedule | None = None
    params: Mapping[str, Param] = {}
    #: the params of every sync of its provider: a connection's params are set for all of them at once
    known_params: frozenset[str] = frozenset()
    incremental: Incremental | None = None
    foreach: Foreach | None = None
    vars: Mapping[str, Value] = {}
    lookups: Mapping[str, Call] = {}
    #: in their order: each knows those before it
    enrich: tuple[Enrichment, ...] = ()
    where: Expression | None = None
    deletes: Deletes | None = None
    #: what becomes of a record that does not fit: fail, skip or keep
    on_bad_record: str = "fail"
    audit: Audit | None = None
    retention: Retention | None = None
    trigger: Trigger | None = None
    #: where one definition stands for many syncs; none of them has it
    matrix: Matrix | None = None
    #: of one of many: axis → its value
    cell: Mapping[str, object] = {}
    #: whose records these are, where the model is read several times
    variant: str = BASE
    #: what decides which records are stored, and how, as the file has it
    outline: Mapping[str, object] = {}
    #: of the outline: changes when what is stored would change
    digest: str = ""

    @property
    def models(self) -> Sequence[str]:
        """The models that it stores, as far as its file says."""
        return [self.model] if self.matrix is None else self.matrix.models()
