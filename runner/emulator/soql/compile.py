"""A query's tree as the SQL statements that answer it."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

import msgspec

from runner.emulator.database import Value, quote
from runner.emulator.schema import ObjectType, Schema
from runner.emulator.soql.conditions import condition
from runner.emulator.soql.parse import parse
from runner.emulator.soql.render import Renderer, json_object, json_value, order_by, orderings, window
from runner.emulator.soql.scope import AGGREGATES, Column, Context, Scope, object_of
from runner.emulator.soql.tree import Call, Item, Path, Query

MAX_OFFSET = 2_000

_parsed = lru_cache(maxsize=256)(parse)


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
    #: gives the JSON of each record as bytes; takes ``keys``, a JSON list of their numbers
    page_sql: str
    values: dict[str, Value]


Plan = Count | Groups | Records


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A query as it was asked."""

    text: str
    now: datetime
    #: what `attributes.url` begins with, such as /services/data/v62.0
    base_url: str
    #: whether deleted records are seen
    all_rows: bool = False


def plan(asked: Asked, schema: Schema) -> Plan:
    """Raises an ApiError for what is no query, or none that this schema can answer."""
    query = _parsed(asked.text)
    context = Context(asked.text, schema, asked.now)
    item = object_of(context, query.source)
    if query.offset is not None and query.offset > MAX_OFFSET:
        message = f"Maximum SOQL offset allowed is {MAX_OFFSET}"
        raise context.wrong(query.position, message, "NUMBER_OUTSIDE_VALID_RANGE")
    scope = Scope(context, item, query.alias)
    if _is_count(query):
        return _count(scope, query, asked)
    if query.group_by or any(_aggregates(part) for part in query.items):
        return _groups(scope, query, asked)
    return _records(scope, query, asked)


def _is_count(query: Query) -> bool:
    what = query.items[0].what
    return (
        len(query.items) == 1
        and isinstance(what, Call)
        and what.function == "COUNT"
        and what.argument is None
    )


def _aggregates(item: Item) -> bool:
    return isinstance(item.what, Call) and item.what.function in AGGREGATES


def _count(scope: Scope, query: Query, asked: Asked) -> Count:
    where = _where(scope, query, asked)
    inner = f"SELECT 1 FROM {_source(scope)}{where}{window(query)}"  # noqa: S608
    return Count(sql=f"SELECT count(*) FROM ({inner})", values=scope.context.values)  # noqa: S608


def _records(scope: Scope, query: Query, asked: Asked) -> Records:
    """Two scopes: the joins that find a record are seldom those that show it."""
    context = scope.context
    shown = Scope(context, scope.item, query.alias)
    record = Renderer(shown, asked.base_url).record(query)
    where = _where(scope, query, asked)
    sorting = order_by(scope, query)
    keys = f"SELECT {scope.base.alias}.n FROM {_source(scope)}{where}{sorting}{window(query)}"  # noqa: S608
    page = (
        f"SELECT CAST({record} AS BLOB) FROM json_each(:keys) k CROSS JOIN {quote(scope.item.name)} "  # noqa: S608
        f"{shown.base.alias} ON {shown.base.alias}.n = k.value{shown.joins}"
    )
    return Records(item=scope.item, keys_sql=keys, page_sql=page, values=context.values)


def _where(scope: Scope, query: Query, asked: Asked) -> str:
    parts = [] if asked.all_rows else [f"{scope.base.column('IsDeleted')} = 0"]
    if query.where is not None:
        parts.append(f"({condition(scope, query.where)})")
    return f" WHERE {' AND '.join(parts)}" if parts else ""


def _source(scope: Scope) -> str:
    return f"{quote(scope.item.name)} {scope.base.alias}{scope.joins}"


def _groups(scope: Scope, query: Query, asked: Asked) -> Groups:
    grouped = [_groupable(scope, operand) for operand in query.group_by]
    pairs = _group_pairs(scope, query, {column.sql for column in grouped})
    where = _where(scope, query, asked)
    having = f" HAVING {condition(scope, query.having, having=True)}" if query.having is not None else ""
    sorting = _group_order(scope, query, {column.sql for column in grouped})
    grouping = f" GROUP BY {', '.join(column.sql for column in grouped)}" if grouped else ""
    record = json_object([("attributes", "json_object('type', 'AggregateResult')"), *pairs])
    rest = f"{where}{grouping}{having}{sorting}{window(query)}"
    sql = f"SELECT CAST({record} AS BLOB) FROM {_source(scope)}{rest}"  # noqa: S608
    return Groups(sql=sql, values=scope.context.values)


def _groupable(scope: Scope, operand: Path | Call) -> Column:
    column = scope.operand(operand)
    if column.aggregated or not column.filterable:
        message = f"field '{column.name}' can not be grouped in a query call"
        raise scope.context.wrong(operand.position, message)
    return column


def _group_pairs(scope: Scope, query: Query, grouped: set[str]) -> list[tuple[str, str]]:
    """Names and SQL of what is selected; a function without an alias is expr0, expr1, …"""
    pairs: dict[str, str] = {}
    unnamed = 0
    for item in query.items:
        column = _grouped_column(scope, item, grouped)
        name = item.alias or column.name
        if item.alias is None and isinstance(item.what, Call):
            name, unnamed = f"expr{unnamed}", unnamed + 1
        if name in pairs:
            raise scope.context.wrong(item.position, f"duplicate alias: {name}")
        pairs[name] = json_value(column)
    return list(pairs.items())


def _grouped_column(scope: Scope, item: Item, grouped: set[str]) -> Column:
    if isinstance(item.what, Query):
        raise scope.context.wrong(item.position, "A query with aggregates has no child queries")
    if isinstance(item.what, Call) and item.what.argument is None:
        raise scope.context.wrong(item.position, "count() must stand alone; use count(Id)")
    column = scope.operand(item.what)
    if not column.aggregated and column.sql not in grouped:
        raise scope.context.wrong(item.position, f"Field must be grouped or aggregated: {column.name}")
    return column


def _group_order(scope: Scope, query: Query, grouped: set[str]) -> str:
    for ordering in query.order_by:
        column = scope.operand(ordering.operand)
        if not column.aggregated and column.sql not in grouped:
            raise scope.context.wrong(
                ordering.position, f"Ordered field must be grouped or aggregated: {column.name}"
            )
    return f" ORDER BY {', '.join(orderings(scope, query, grouped=True))}" if query.order_by else ""
