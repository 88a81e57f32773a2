"""A query's tree as the SQL statements that answer it."""

from __future__ import annotations

import msgspec

from runner.emulator.database import Value, quote
from runner.emulator.schema import ObjectType, Schema
from runner.emulator.soql.conditions import condition
from runner.emulator.soql.context import Asked, ChildPages, Context
from runner.emulator.soql.groups import Groups as Grouped
from runner.emulator.soql.operands import AGGREGATES
from runner.emulator.soql.ordering import order_by, window
from runner.emulator.soql.parse import parse
from runner.emulator.soql.render import Renderer
from runner.emulator.soql.scope import Scope, object_of
from runner.emulator.soql.tree import Call, Query

__all__ = ["Asked", "Count", "Groups", "Plan", "Records", "plan", "plan_of"]

MAX_OFFSET = 2_000
#: USING SCOPE: whose records are seen; what this org does not know of has none
_EVERYTHING = frozenset({"everything"})
_MINE = frozenset({"mine", "mine_and_my_groups"})
_NONE = frozenset({"delegated", "my_territory", "my_team_territory", "team", "queue_owned"})


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """`SELECT count()`: ``sql`` gives one number."""

    sql: str
    values: dict[str, Value]


class Groups(msgspec.Struct, frozen=True, kw_only=True):
    """A query with aggregates: ``sql`` gives the JSON of each group, as bytes."""

    sql: str
    values: dict[str, Value]


class Records(msgspec.Struct, frozen=True, kw_only=True):
    """A query of records, in two steps: which they are, then what they say."""

    item: ObjectType
    #: gives the number of each record, in order
    keys_sql: str
    #: gives the JSON of each record as bytes; takes ``keys``, a JSON list of their numbers, and ``cursor``,
    #: the id by which its child queries go on
    page_sql: str
    values: dict[str, Value]
    #: those that ``page_sql`` takes
    shown: dict[str, Value]
    children: tuple[ChildPages, ...] = ()
    #: what FOR says
    purposes: frozenset[str] = frozenset()


Plan = Count | Groups | Records


def plan(asked: Asked, schema: Schema) -> Plan:
    """Raises an ApiError for what is no query, or none that this schema can answer."""
    return plan_of(parse(asked.text), asked, schema)


def plan_of(query: Query, asked: Asked, schema: Schema) -> Plan:
    """The same for a query that is a tree already."""
    context = Context(asked, schema)
    item = object_of(context, query.source)
    if query.offset is not None and query.offset > MAX_OFFSET:
        message = f"Maximum SOQL offset allowed is {MAX_OFFSET}"
        raise context.wrong(query.position, message, "NUMBER_OUTSIDE_VALID_RANGE")
    if "UPDATE" in query.purposes and query.order_by:
        raise context.wrong(query.position, "FOR UPDATE can not be used with ORDER BY")
    scope = Scope(context, item, query)
    if _is_count(query):
        return _count(scope, query)
    if query.grouping is not None or any(_aggregates(part.what) for part in query.items):
        return _groups(scope, query)
    return _records(scope, query)


def _is_count(query: Query) -> bool:
    what = query.items[0].what
    return (
        len(query.items) == 1
        and isinstance(what, Call)
        and what.function == "COUNT"
        and not what.arguments
        and query.grouping is None
    )


def _aggregates(what: object) -> bool:
    """Whether it is an aggregate, or a function of one, such as FORMAT(MIN(CloseDate))."""
    return isinstance(what, Call) and (what.function in AGGREGATES or _aggregates(what.argument))


def _count(scope: Scope, query: Query) -> Count:
    if query.order_by:
        raise scope.context.wrong(query.order_by[0].position, "count() can not be sorted")
    where = _where(scope, query)
    inner = f"SELECT 1 FROM {_table(scope)}{scope.joins}{where}{window(query)}"  # noqa: S608
    return Count(sql=f"SELECT count(*) FROM ({inner})", values=scope.context.values)  # noqa: S608


def _records(scope: Scope, query: Query) -> Records:
    """Two scopes: the joins that find a record are seldom those that show it."""
    context = scope.context
    shown = Scope(context, scope.item, query)
    record = Renderer(shown, query).record()
    shown_values = dict(context.values)
    where = _where(scope, query)
    sorting = order_by(scope, query)
    joined = f"{_table(scope)}{scope.joins}"
    keys = f"SELECT {scope.base.alias}.n FROM {joined}{where}{sorting}{window(query)}"  # noqa: S608
    page = (
        f"SELECT CAST({record} AS BLOB) FROM json_each(:keys) k CROSS JOIN {quote(scope.item.name)} "  # noqa: S608
        f"{shown.base.alias} ON {shown.base.alias}.n = k.value{shown.joins}"
    )
    return Records(
        item=scope.item,
        keys_sql=keys,
        page_sql=page,
        values=context.values,
        shown=shown_values,
        children=tuple(child for child in context.children if child is not None),
        purposes=query.purposes,
    )


def _groups(scope: Scope, query: Query) -> Groups:
    grouped = Grouped(scope, query)
    where = _where(scope, query)
    return Groups(sql=grouped.sql(where, _table(scope)), values=scope.context.values)


def _where(scope: Scope, query: Query) -> str:
    parts = [] if scope.context.asked.all_rows else [f"{scope.base.column('IsDeleted')} = 0"]
    if query.scope is not None:
        parts += _scoped(scope, query, query.scope)
    if query.where is not None:
        parts.append(f"({condition(scope, query.where)})")
    return f" WHERE {' AND '.join(parts)}" if parts else ""


def _scoped(scope: Scope, query: Query, name: str) -> list[str]:
    if name in _EVERYTHING:
        return []
    if name in _MINE and scope.item.field("OwnerId"):
        return [f"{scope.base.column('OwnerId')} = {scope.context.bind(scope.context.asked.user_id)}"]
    if name in _MINE | _NONE:
        return ["0"]
    raise scope.context.wrong(query.position, f"'{name}' is no scope")


def _table(scope: Scope) -> str:
    return f"{quote(scope.item.name)} {scope.base.alias}"
