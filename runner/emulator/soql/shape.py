"""SQL that writes JSON inside SQLite: no object is made per record or field."""

from __future__ import annotations

import msgspec

from runner.emulator.schema import Kind
from runner.emulator.soql.context import Context
from runner.emulator.soql.scope import Column, Parents, Scope, Table, Tables

#: functions of SQLite take 100 arguments at least: these many pairs and some to spare
PAIRS = 40


class Shape(msgspec.Struct, kw_only=True):
    """A record in the making: names to SQL, and to the shapes of its parents, in the order of the query."""

    parents: Parents = ()
    entries: dict[str, str | Shape] = {}

    def put(self, context: Context, name: str, sql: str, position: int) -> None:
        if name in self.entries:
            raise context.wrong(position, f"duplicate field selected: {name}")
        self.entries[name] = sql

    def below(self, context: Context, parents: Parents, position: int) -> Shape:
        """The shape of a parent."""
        found = self.entries.setdefault(parents[-1], Shape(parents=parents, entries={}))
        if not isinstance(found, Shape):
            raise context.wrong(position, f"duplicate field selected: {parents[-1]}")
        return found


def written(shape: Shape, scope: Scope) -> str:
    """The SQL of a shape's JSON."""
    tables = scope.tables(shape.parents)
    pairs = [("attributes", _attributes(scope.context, tables))]
    pairs += [
        (name, entry if isinstance(entry, str) else _parent(entry, scope))
        for name, entry in shape.entries.items()
    ]
    return json_object(pairs)


def _parent(shape: Shape, scope: Scope) -> str:
    return (
        f"json(CASE WHEN {found(scope.tables(shape.parents))} THEN {written(shape, scope)} ELSE 'null' END)"
    )


def found(tables: Tables) -> str:
    """Whether there is a record in one of the tables."""
    return " OR ".join(f"{table.alias}.n IS NOT NULL" for table in tables)


def _attributes(context: Context, tables: Tables) -> str:
    if len(tables) == 1:
        return _named(context, tables[0])
    cases = "".join(f" WHEN {table.alias}.n IS NOT NULL THEN {_named(context, table)}" for table in tables)
    return f"json(CASE{cases} END)"


def _named(context: Context, table: Table) -> str:
    url = context.bind(f"{context.asked.base_url}/sobjects/{table.item.name}/")
    return f"json_object('type', '{table.item.name}', 'url', {url} || {table.column('Id')})"


def json_object(pairs: list[tuple[str, str]]) -> str:
    """SQL that writes an object; one of many pairs is written in parts that are put together as text."""
    parts = [
        "json_object(" + ", ".join(f"'{name}', {sql}" for name, sql in pairs[start : start + PAIRS]) + ")"
        for start in range(0, len(pairs), PAIRS)
    ]
    if len(parts) == 1:
        return parts[0]
    inner = " || ',' || ".join(f"substr({part}, 2, length({part}) - 2)" for part in parts)
    return f"json('{{' || {inner} || '}}')"


def json_value(column: Column, sql: str | None = None) -> str:
    """SQL of a field as `json_object` takes it."""
    sql = sql or column.sql
    if column.kind is Kind.BOOLEAN:
        return f"json(CASE {sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END)"
    return sql
