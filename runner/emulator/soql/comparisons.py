"""Comparisons of a column with constants, as SQL, their values bound in the scope's context."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import orjson

from runner.emulator import clock, ids
from runner.emulator.database import Value as Bound
from runner.emulator.errors import ApiError
from runner.emulator.schema import IDS, NUMBERS, Kind
from runner.emulator.soql import dates
from runner.emulator.soql.scope import Column, Scope
from runner.emulator.soql.tree import Compare, Constant, DateLiteral, Includes, Value

#: a longer pattern is more than SQLite takes
MAX_PATTERN = 4_000
_NEVER_LIKE = frozenset({Kind.BOOLEAN, Kind.DATE, Kind.DATETIME, Kind.MULTIPICKLIST})
_EXPECTED = {
    Kind.BOOLEAN: "boolean and should not be enclosed in quotes",
    Kind.INT: "int and should not be enclosed in quotes",
    Kind.DOUBLE: "double and should not be enclosed in quotes",
    Kind.CURRENCY: "currency and should not be enclosed in quotes",
    Kind.PERCENT: "percent and should not be enclosed in quotes",
    Kind.DATE: "date and should not be enclosed in quotes",
    Kind.DATETIME: "dateTime and should not be enclosed in quotes",
}


def joined(parts: list[str], word: str) -> str:
    """Parts in balanced pairs: SQLite allows an expression a depth of 1,000, not a list of 5,000."""
    while len(parts) > 1:
        pairs = [parts[place : place + 2] for place in range(0, len(parts), 2)]
        parts = [f"({f' {word} '.join(pair)})" for pair in pairs]
    return parts[0]


def compare(scope: Scope, column: Column, node: Compare) -> str:
    if node.operator == "LIKE":
        return _like(scope, column, node)
    if isinstance(node.value.constant, DateLiteral):
        return _in_span(scope, column, node.operator, node.value)
    bound = _bound(scope, column, node.value)
    if bound is None:
        return {"=": f"{column.sql} IS NULL", "!=": f"{column.sql} IS NOT NULL"}.get(node.operator, "0")
    if column.kind is Kind.BOOLEAN and node.operator not in ("=", "!="):
        raise _bad_operator(scope, node, column)
    operator = "IS NOT" if node.operator == "!=" else node.operator
    return f"{column.sql} {operator} {scope.context.bind(bound)}"


def _like(scope: Scope, column: Column, node: Compare) -> str:
    if column.kind in NUMBERS | IDS | _NEVER_LIKE:
        raise _bad_operator(scope, node, column)
    pattern = str(node.value.constant)
    if len(pattern) > MAX_PATTERN:
        raise scope.context.wrong(node.value.position, "The pattern is too long.")
    return f"{column.sql} LIKE {scope.context.bind(pattern)} ESCAPE '\\'"


def _bad_operator(scope: Scope, node: Compare, column: Column) -> ApiError:
    what = "id" if column.kind in IDS else column.kind.value
    return scope.context.wrong(
        node.position, f"invalid operator on {what} field", "INVALID_QUERY_FILTER_OPERATOR"
    )


def _in_span(scope: Scope, column: Column, operator: str, value: Value) -> str:
    """A comparison with a span of days: equal means in it, less before it, greater after it."""
    first, last = _span(scope, column, value)
    start, end = (scope.context.bind(_edge(scope, day, column.kind)) for day in (first, last))
    inside = f"({column.sql} >= {start} AND {column.sql} < {end})"
    return {
        "=": inside,
        "!=": f"NOT ifnull({inside}, 0)",
        "<": f"{column.sql} < {start}",
        "<=": f"{column.sql} < {end}",
        ">": f"{column.sql} >= {end}",
        ">=": f"{column.sql} >= {start}",
    }[operator]


def _span(scope: Scope, column: Column, value: Value) -> tuple[date, date]:
    literal = value.constant
    if not isinstance(literal, DateLiteral):
        raise _bad_value(scope, column, value)
    try:
        span = dates.span(literal, scope.context.today)
    except (OverflowError, ValueError) as exc:
        raise scope.context.wrong(value.position, f"{literal.name} is out of range") from exc
    if span is None:
        raise scope.context.wrong(value.position, f"unexpected token: '{literal.name}'")
    if column.kind not in (Kind.DATE, Kind.DATETIME):
        raise _bad_value(scope, column, value)
    return span


def _edge(scope: Scope, day: date, kind: Kind) -> str:
    """The beginning of a day where the user is."""
    if kind is Kind.DATE:
        return day.isoformat()
    return clock.write(datetime.combine(day, time(), ZoneInfo(scope.context.asked.zone)))


def includes(scope: Scope, column: Column, node: Includes) -> str:
    """Values lie in their column joined by semicolons; each of a group must be there."""
    if column.kind is not Kind.MULTIPICKLIST:
        message = f"invalid operator on {column.kind.value} field"
        raise scope.context.wrong(node.position, message, "INVALID_QUERY_FILTER_OPERATOR")
    chosen = f"';' || lower({column.sql}) || ';'"
    groups = [
        " AND ".join(
            f"instr({chosen}, {scope.context.bind(f';{part.strip().lower()};')}) > 0"
            for part in str(value.constant).split(";")
        )
        for value in node.values
    ]
    found = joined([f"({group})" for group in groups], "OR")
    return f"NOT ifnull({found}, 0)" if node.negated else found


def among(scope: Scope, column: Column, values: tuple[Value, ...], *, negated: bool) -> str:
    """IN, or NOT IN, a list."""
    if any(isinstance(value.constant, DateLiteral) for value in values):
        inside = joined([_in_span(scope, column, "=", value) for value in values], "OR")
        return f"NOT ifnull({inside}, 0)" if negated else inside
    return _listed(scope, column, [_bound(scope, column, value) for value in values], negated)


def _listed(scope: Scope, column: Column, bound: list[Bound], negated: bool) -> str:
    """One bound value for the whole list, however long; null in it stands for an empty field."""
    given = [value for value in bound if value is not None]
    bound_list = scope.context.bind(orjson.dumps(given).decode())
    values = f"(SELECT value FROM json_each({bound_list}))"  # noqa: S608
    if negated:
        present = f"{column.sql} NOT IN {values}"
        return f"({column.sql} IS NOT NULL AND {present})" if None in bound else f"ifnull({present}, 1)"
    found = f"{column.sql} IN {values}"
    return f"({found} OR {column.sql} IS NULL)" if None in bound else found


def _bound(scope: Scope, column: Column, value: Value) -> Bound:
    """A constant as the column keeps it; None for null and an empty text."""
    constant = value.constant
    if constant is None or constant == "":
        return None
    if isinstance(constant, str) and column.kind in IDS:
        return _id(scope, value, constant)
    bound = _kept(column.kind, constant)
    if bound is None:
        raise _bad_value(scope, column, value)
    return bound


def _kept(kind: Kind, constant: Constant) -> Bound:
    """None where the constant is not of this kind."""
    match constant:
        case bool():
            return int(constant) if kind is Kind.BOOLEAN else None
        case int() | float():
            return constant if kind in NUMBERS else None
        case datetime():
            return clock.write(constant) if kind is Kind.DATETIME else None
        case date():
            return constant.isoformat() if kind is Kind.DATE else None
        case str():
            return constant if kind not in _EXPECTED else None
        case _:
            return None


def _id(scope: Scope, value: Value, text: str) -> Bound:
    record_id = ids.normalise(text)
    if record_id is None:
        raise scope.context.wrong(
            value.position, f"invalid ID field: {text}", "INVALID_QUERY_FILTER_OPERATOR"
        )
    return record_id


def _bad_value(scope: Scope, column: Column, value: Value) -> ApiError:
    expected = _EXPECTED.get(column.kind, "string and should be enclosed in quotes")
    message = f"value of filter criterion for field '{column.name}' must be of type {expected}"
    return scope.context.wrong(value.position, message, "INVALID_FIELD")
