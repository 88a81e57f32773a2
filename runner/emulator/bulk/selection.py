"""What a bulk query selects: the records' numbers, then their rows, which SQLite writes as CSV."""

from __future__ import annotations

import msgspec

from runner.emulator.database import Value, quote
from runner.emulator.errors import ApiError
from runner.emulator.schema import COMPOUND, Kind, Schema
from runner.emulator.soql.compile import Asked, Records, plan
from runner.emulator.soql.context import Context
from runner.emulator.soql.operands import column_of
from runner.emulator.soql.parse import parse
from runner.emulator.soql.render import Renderer
from runner.emulator.soql.scope import Column, Scope
from runner.emulator.soql.tree import Query, TypeOf

#: from here on columns stand as they were selected, before that by the alphabet
ORDERED_SINCE = 50.0
#: functions of SQLite take so many arguments, the format among them
_ARGUMENTS = 126


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A query whose answer is a table."""

    #: such as ("Id", "Account.Name")
    header: tuple[str, ...]
    columns: tuple[Column, ...]
    #: the query as its records are found, and written as JSON
    records: Records
    #: what a row's columns are selected from, and the values bound there
    source: str
    values: dict[str, Value]
    #: whether it may be split by spans of ids
    can_be_chunked: bool

    @property
    def keys_sql(self) -> str:
        """Gives the number of each record from :first to :end, in order; all where both are 0."""
        return f"SELECT n FROM ({self.records.keys_sql}) WHERE :end = 0 OR n >= :first AND n < :end"  # noqa: S608

    def csv_sql(self, delimiter: str, ending: str) -> str:
        """Gives each row as bytes, every value in quotes; takes ``keys``, a JSON list of record numbers."""
        written = [_csv_value(column) for column in self.columns]
        parts = [
            _printf(written[start : start + _ARGUMENTS], delimiter)
            for start in range(0, len(written), _ARGUMENTS)
        ]
        row = f" || '{delimiter}' || ".join(parts)
        return f"SELECT CAST({row} || '{ending}' AS BLOB) {self.source}"

    def csv_header(self, delimiter: str, ending: str) -> bytes:
        return (delimiter.join(f'"{name}"' for name in self.header) + ending).encode()


def table(asked: Asked, schema: Schema, version: str) -> Table:
    """Raises an ApiError for what is no query, or none that the Bulk API answers."""
    query = parse(asked.text)
    _check(query)
    planned = plan(asked, schema)
    if not isinstance(planned, Records):
        raise ApiError("API_ERROR", "Aggregate functions and GROUP BY are not supported in Bulk Query")
    context = Context(asked, schema)
    scope = Scope(context, planned.item, query)
    columns = _columns(query, scope, version)
    found = f"json_each(:keys) k CROSS JOIN {quote(planned.item.name)} {scope.base.alias}"
    return Table(
        header=tuple(".".join((*column.parents, column.name)) for column in columns),
        columns=columns,
        records=planned,
        source=f"FROM {found} ON {scope.base.alias}.n = k.value{scope.joins}",
        values=context.values,
        can_be_chunked=query.limit is None and not query.order_by,
    )


def _check(query: Query) -> None:
    if any(isinstance(item.what, TypeOf) for item in query.items):
        raise ApiError("API_ERROR", "TYPEOF is not supported in Bulk Query")
    if any(isinstance(item.what, Query) for item in query.items):
        message = "Aggregate Relationships not supported in Bulk V2 Query with CSV content type"
        raise ApiError("FEATURENOTENABLED", message)
    if query.offset is not None:
        raise ApiError("API_ERROR", "OFFSET is not supported in Bulk Query")


def _columns(query: Query, scope: Scope, version: str) -> tuple[Column, ...]:
    renderer = Renderer(scope, query)
    columns = [
        column_of(scope, operand)
        for item in query.items
        if not isinstance(item.what, Query | TypeOf)
        for operand in renderer.fields(item.what)
    ]
    if any(column.kind in COMPOUND for column in columns):
        raise ApiError("API_ERROR", "Selecting compound data not supported in Bulk Query")
    if float(version) < ORDERED_SINCE:
        columns.sort(key=lambda column: (*column.parents, column.name))
    return tuple(columns)


def _printf(values: list[str], delimiter: str) -> str:
    """`%w` doubles the quotes within a text, as RFC 4180 §2.7 wants."""
    form = delimiter.join(['"%w"'] * len(values))
    return f"printf('{form}', {', '.join(values)})"


def _csv_value(column: Column) -> str:
    match column.kind:
        case Kind.BOOLEAN:
            return f"CASE {column.sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE '' END"
        case Kind.DATETIME:
            return f"ifnull(substr({column.sql}, 1, 23) || 'Z', '')"
        case _:
            return f"ifnull({column.sql}, '')"
