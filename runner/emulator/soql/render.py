"""What a query selects, as SQL that writes a record's JSON inside SQLite: no object is made per record or
field.
"""

from __future__ import annotations

import msgspec

from runner.emulator.database import quote
from runner.emulator.schema import Child, Kind
from runner.emulator.soql.conditions import condition
from runner.emulator.soql.scope import REFER, Column, Scope, Table
from runner.emulator.soql.tree import Call, Operand, Path, Query

#: functions of SQLite take 100 arguments at least: these many pairs and some to spare
PAIRS = 40
FIELDS_LIMIT = 200
#: records of a child query in one answer
MAX_CHILDREN = 2_000


class Shape(msgspec.Struct, kw_only=True):
    """A record in the making: names to SQL, and to the shapes of its parents, in the order of the query."""

    parents: tuple[str, ...] = ()
    entries: dict[str, str | Shape] = {}


class Renderer:
    """Writes records of one scope; ``base_url`` comes before an object's name in their `attributes`."""

    def __init__(self, scope: Scope, base_url: str) -> None:
        self.scope = scope
        self.context = scope.context
        self.base_url = base_url

    def record(self, query: Query) -> str:
        """The SQL of the JSON of a record."""
        shape = Shape()
        for item in query.items:
            if item.alias is not None:
                raise self.context.wrong(item.position, "only aggregate expressions use field aliasing")
            if isinstance(item.what, Query):
                name, sql = self._children(item.what)
                self._put(shape, name, sql, item.position)
            else:
                self._add(shape, query, item.what)
        return self._object(shape)

    def _add(self, shape: Shape, query: Query, operand: Operand) -> None:
        for path in self.paths(query, operand):
            column = self.scope.operand(path)
            if column.aggregated:
                raise self.context.wrong(path.position, "only root queries support aggregate expressions")
            target = shape
            for depth in range(len(column.parents)):
                target = self._below(target, column.parents[: depth + 1], path.position)
            self._put(target, column.name, json_value(column), path.position)

    def _below(self, shape: Shape, parents: tuple[str, ...], position: int) -> Shape:
        below = shape.entries.setdefault(parents[-1], Shape(parents=parents, entries={}))
        if not isinstance(below, Shape):
            raise self.context.wrong(position, f"duplicate field selected: {parents[-1]}")
        return below

    def _put(self, shape: Shape, name: str, sql: str, position: int) -> None:
        if name in shape.entries:
            raise self.context.wrong(position, f"duplicate field selected: {name}")
        shape.entries[name] = sql

    def paths(self, query: Query, operand: Operand) -> list[Operand]:
        """The fields that are meant: one, or all that FIELDS() stands for."""
        if not (isinstance(operand, Call) and operand.function == "FIELDS"):
            return [operand]
        word = operand.argument.names[0].upper() if isinstance(operand.argument, Path) else ""
        if word not in ("ALL", "STANDARD", "CUSTOM"):
            raise self.context.wrong(operand.position, "FIELDS takes ALL, STANDARD or CUSTOM")
        if word != "STANDARD" and (query.limit is None or query.limit > FIELDS_LIMIT):
            message = f"The SOQL FIELDS function must have a LIMIT of at most {FIELDS_LIMIT}"
            raise self.context.wrong(operand.position, message)
        return [
            Path(position=operand.position, names=(field.name,))
            for field in self.scope.item.fields
            if word == "ALL" or field.custom == (word == "CUSTOM")
        ]

    def _object(self, shape: Shape) -> str:
        tables = self.scope.tables(shape.parents)
        pairs = [("attributes", self._attributes(tables))]
        pairs += [
            (name, entry if isinstance(entry, str) else self._parent(entry))
            for name, entry in shape.entries.items()
        ]
        return json_object(pairs)

    def _parent(self, shape: Shape) -> str:
        tables = self.scope.tables(shape.parents)
        found = " OR ".join(f"{table.alias}.n IS NOT NULL" for table in tables)
        return f"json(CASE WHEN {found} THEN {self._object(shape)} ELSE 'null' END)"

    def _attributes(self, tables: tuple[Table, ...]) -> str:
        if len(tables) == 1:
            return self._named(tables[0])
        cases = "".join(f" WHEN {table.alias}.n IS NOT NULL THEN {self._named(table)}" for table in tables)
        return f"json(CASE{cases} END)"

    def _named(self, table: Table) -> str:
        url = self.context.bind(f"{self.base_url}/sobjects/{table.item.name}/")
        return f"json_object('type', '{table.item.name}', 'url', {url} || {table.column('Id')})"

    def _children(self, query: Query) -> tuple[str, str]:
        """A child query's name and the SQL of its JSON: a query result of its own, or null."""
        child = self._child(query)
        scope = Scope(self.context, self.context.schema.objects[child.object], query.alias or child.name)
        record = Renderer(scope, self.base_url).record(query)
        where = f"{scope.base.column(child.field.name)} = {self.scope.base.column('Id')}"
        where += f" AND {scope.base.column('IsDeleted')} = 0"
        if query.where is not None:
            where += f" AND ({condition(scope, query.where)})"
        sorting = order_by(scope, query) + window(query, MAX_CHILDREN)
        source = f"FROM {quote(child.object)} {scope.base.alias}{scope.joins}"
        records = f"SELECT {record} AS record {source} WHERE {where}{sorting}"
        listed = "group_concat(record, ',')"
        result = f"""'{{"totalSize":' || count(*) || ',"done":true,"records":[' || {listed} || ']}}'"""
        answer = f"SELECT CASE count(*) WHEN 0 THEN 'null' ELSE {result} END FROM ({records})"  # noqa: S608
        return child.name, f"json(({answer}))"

    def _child(self, query: Query) -> Child:
        name = query.source.names[-1]
        for child in self.context.schema.children(self.scope.item):
            if child.name.lower() == name.lower():
                return child
        raise self.context.wrong(
            query.source.position,
            f"Didn't understand relationship '{name}' in FROM part of query call. If you are attempting to "
            "use a custom relationship, be sure to append the '__r' after the custom relationship name. "
            f"{REFER}",
            "INVALID_TYPE",
        )


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


def json_value(column: Column) -> str:
    """SQL of a field as `json_object` takes it."""
    if column.kind is Kind.BOOLEAN:
        return f"json(CASE {column.sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END)"
    return column.sql


def orderings(scope: Scope, query: Query, *, grouped: bool = False) -> list[str]:
    """The parts of ORDER BY as SQL; empty fields come first unless the query says otherwise."""
    parts = []
    for ordering in query.order_by:
        column = scope.operand(ordering.operand)
        if not column.filterable or (column.aggregated and not grouped):
            message = f"field '{column.name}' can not be sorted in a query call"
            raise scope.context.wrong(ordering.position, message)
        direction = "DESC" if ordering.descending else "ASC"
        nulls = "LAST" if ordering.nulls_last else "FIRST"
        parts.append(f"{column.sql} {direction} NULLS {nulls}")
    return parts


def order_by(scope: Scope, query: Query) -> str:
    """ORDER BY for records, equal ones by their ids.

    Below a condition, the plus keeps SQLite from walking the whole table in order instead of using an index.
    """
    last = f"{'+' if query.where is not None else ''}{scope.base.alias}.n"
    return f" ORDER BY {', '.join([*orderings(scope, query), last])}"


def window(query: Query, most: int | None = None) -> str:
    """LIMIT and OFFSET as SQL."""
    limits = [limit for limit in (query.limit, most) if limit is not None]
    if not limits and query.offset is None:
        return ""
    return f" LIMIT {min(limits, default=-1)} OFFSET {query.offset or 0}"
