"""Searches answered: for each object the records whose words are looked for."""

from __future__ import annotations

import sqlite3

from runner.emulator.database import Database, quote
from runner.emulator.errors import ApiError
from runner.emulator.schema import Field, Kind, ObjectType, Schema
from runner.emulator.soql.conditions import condition
from runner.emulator.soql.context import Asked, Context
from runner.emulator.soql.ordering import order_by
from runner.emulator.soql.render import Renderer
from runner.emulator.soql.scope import Scope, object_of
from runner.emulator.soql.tree import Item, Path, Query
from runner.emulator.sosl.parse import MALFORMED
from runner.emulator.sosl.terms import terms
from runner.emulator.sosl.tree import Search, Target

_TEXTS = frozenset(
    {Kind.STRING, Kind.TEXTAREA, Kind.EMAIL, Kind.PHONE, Kind.URL, Kind.PICKLIST, Kind.COMBOBOX}
)
#: letters that LIKE takes for others
_WILD = str.maketrans({"%": "\\%", "_": "\\_", "\\": "\\\\"})


def search(database: Database, schema: Schema, asked: Asked, wanted: Search) -> list[bytes]:
    """The JSON of each record that is found. Raises ApiError."""
    if not terms(wanted.terms).required and not wanted.terms.strip():
        raise ApiError(MALFORMED, "search term must be longer than one character: ")
    targets = wanted.targets or tuple(
        Target(position=0, name=item.name) for item in schema if item.searchable
    )
    records: list[bytes] = []
    for target in targets:
        left = wanted.limit - len(records)
        if left > 0:
            records += _records(database, Context(asked, schema), wanted, target, left)
    return records


def _records(database: Database, context: Context, wanted: Search, target: Target, most: int) -> list[bytes]:
    query = _query(target)
    item = object_of(context, query.source)
    if not item.searchable:
        message = f"entity type {item.name} does not support search"
        raise context.wrong(target.position, message, "INVALID_TYPE")
    scope = Scope(context, item, query)
    record = Renderer(scope, query).record()
    where = _where(scope, wanted, target)
    sorting = order_by(scope, query)
    limit = most if target.limit is None else min(most, target.limit)
    source = f"{quote(item.name)} {scope.base.alias}{scope.joins}"
    window = f" LIMIT {limit} OFFSET {target.offset or 0}"
    sql = f"SELECT CAST({record} AS BLOB) FROM {source}{where}{sorting}{window}"  # noqa: S608
    try:
        return database.blobs(sql, context.values)
    except sqlite3.Error as exc:
        raise ApiError("QUERY_TOO_COMPLICATED", f"The search is too complicated: {exc}") from exc


def _query(target: Target) -> Query:
    """The target as a query selects it."""
    place = target.position
    paths = target.paths or (Path(position=place, names=("Id",)),)
    return Query(
        position=place,
        items=tuple(Item(position=path.position, what=path) for path in paths),
        source=Path(position=place, names=(target.name,)),
        where=target.where,
        order_by=target.order_by,
    )


def _where(scope: Scope, wanted: Search, target: Target) -> str:
    context = scope.context
    columns = [scope.base.column(field.name) for field in searched(scope.item, wanted.group)]
    if not columns:
        return " WHERE 0"
    text = " || ' ' || ".join(f"ifnull({column}, '')" for column in columns)
    parts = [f"{scope.base.column('IsDeleted')} = 0"]
    parts += [
        f"{text} LIKE {context.bind(f'%{word.translate(_WILD)}%')} ESCAPE '\\'"
        for word in terms(wanted.terms).required
    ]
    parts.append(f"sosl_found({context.bind(wanted.terms)}, {text})")
    if target.where is not None:
        parts.append(f"({condition(scope, target.where)})")
    return f" WHERE {' AND '.join(parts)}"


def searched(item: ObjectType, group: str) -> list[Field]:
    """The fields that are looked into: IN NAME FIELDS and so on."""
    match group:
        case "NAME":
            return [field for field in item.stored if field.name == item.name_field]
        case "EMAIL":
            return [field for field in item.stored if field.kind is Kind.EMAIL]
        case "PHONE":
            return [field for field in item.stored if field.kind is Kind.PHONE]
        case _:
            return [field for field in item.stored if field.kind in _TEXTS]
