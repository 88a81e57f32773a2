"""What a function of SOQL gives, as a column."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from runner.emulator.schema import NUMBERS, Kind
from runner.emulator.soql.natives import MILES
from runner.emulator.soql.scope import Column, Scope
from runner.emulator.soql.tree import Call, Operand, Path, Value

AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})
_DAY = "substr({0}, 1, 10)"
_MONTH = "CAST(substr({0}, 6, 2) AS INTEGER)"
_DAY_OF_YEAR = "CAST(strftime('%j', substr({0}, 1, 10)) AS INTEGER)"
#: the year of companies begins in January
_FISCAL = {
    "CALENDAR_YEAR": "CAST(substr({0}, 1, 4) AS INTEGER)",
    "CALENDAR_QUARTER": f"({_MONTH} + 2) / 3",
    "CALENDAR_MONTH": _MONTH,
}
_DATE_PARTS = {
    **_FISCAL,
    **{name.replace("CALENDAR", "FISCAL"): sql for name, sql in _FISCAL.items()},
    "DAY_IN_MONTH": "CAST(substr({0}, 9, 2) AS INTEGER)",
    "DAY_IN_WEEK": "(CAST(strftime('%w', substr({0}, 1, 10)) AS INTEGER) + 1)",
    "DAY_IN_YEAR": _DAY_OF_YEAR,
    "DAY_ONLY": _DAY,
    "HOUR_IN_DAY": "CAST(substr({0}, 12, 2) AS INTEGER)",
    "WEEK_IN_MONTH": "((CAST(substr({0}, 9, 2) AS INTEGER) - 1) / 7 + 1)",
    "WEEK_IN_YEAR": f"(({_DAY_OF_YEAR} - 1) / 7 + 1)",
}
#: functions of datetimes alone
_TIMED = frozenset({"HOUR_IN_DAY", "DAY_ONLY"})


def column_of(scope: Scope, operand: Operand) -> Column:
    """Raises ApiError."""
    if isinstance(operand, Path):
        return scope.path(operand)
    if operand.function == "COUNT" and not operand.arguments:
        return Column(sql="count(*)", kind=Kind.INT, name="count", aggregated=True)
    if operand.function in AGGREGATES:
        return _aggregate(scope, operand)
    if operand.function in _DATE_PARTS:
        return _date_part(scope, operand)
    function = _FUNCTIONS.get(operand.function)
    if function is None:
        raise scope.context.wrong(operand.position, f"unexpected token: '{operand.function}'")
    return function(scope, operand)


def _argument(scope: Scope, call: Call) -> Column:
    if call.argument is None:
        raise scope.context.wrong(call.position, f"{call.function} takes a field")
    return column_of(scope, call.argument)


def _aggregate(scope: Scope, call: Call) -> Column:
    column = _argument(scope, call)
    summed = call.function in ("SUM", "AVG")
    unfit = (summed and column.kind not in NUMBERS) or column.aggregated or not column.filterable
    if unfit or (call.function in ("MIN", "MAX") and column.kind in (Kind.BOOLEAN, Kind.MULTIPICKLIST)):
        message = f"field {column.name} does not support aggregate operator {call.function}"
        raise scope.context.wrong(call.position, message)
    counting = call.function.startswith("COUNT")
    function = "count" if counting else call.function.lower()
    argument = f"DISTINCT {column.sql}" if call.function == "COUNT_DISTINCT" else column.sql
    kind = Kind.INT if counting else column.kind if call.function != "AVG" else Kind.DOUBLE
    return Column(sql=f"{function}({argument})", kind=kind, name=column.name, aggregated=True)


def _date_part(scope: Scope, call: Call) -> Column:
    column = _zoned(scope, call)
    fit = (Kind.DATETIME,) if call.function in _TIMED else (Kind.DATE, Kind.DATETIME)
    if column.kind not in fit or column.aggregated:
        message = f"{call.function} takes a {fit[0]}, which {column.name} is not"
        raise scope.context.wrong(call.position, message)
    kind = Kind.DATE if call.function == "DAY_ONLY" else Kind.INT
    sql = _DATE_PARTS[call.function].format(column.sql)
    return Column(sql=sql, kind=kind, name=column.name, parents=column.parents, dated=True)


def _zoned(scope: Scope, call: Call) -> Column:
    """The argument of a date function: a field, or `convertTimezone` of one."""
    inner = call.argument
    if not (isinstance(inner, Call) and inner.function == "CONVERTTIMEZONE"):
        return _argument(scope, call)
    column = _argument(scope, inner)
    if column.kind is not Kind.DATETIME:
        raise scope.context.wrong(inner.position, f"convertTimezone takes a datetime, not {column.name}")
    zone = scope.context.bind(scope.context.asked.zone)
    return msgspec.structs.replace(column, sql=f"soql_in_zone({column.sql}, {zone})")


def _convert_timezone(scope: Scope, call: Call) -> Column:
    raise scope.context.wrong(call.position, "convertTimezone is for the date functions alone")


def _label(scope: Scope, call: Call) -> Column:
    """What people see of a picklist's value."""
    column = _argument(scope, call)
    if column.field is None or not column.field.choices:
        return column
    cases = "".join(
        f" WHEN {scope.context.bind(choice.value)} THEN {scope.context.bind(choice.label)}"
        for choice in column.field.choices
        if choice.label != choice.value
    )
    if not cases:
        return column
    sql = f"(CASE {column.sql}{cases} ELSE {column.sql} END COLLATE NOCASE)"
    return msgspec.structs.replace(column, sql=sql, groupable=False)


def _format(scope: Scope, call: Call) -> Column:
    column = _argument(scope, call)
    if column.kind not in NUMBERS | {Kind.DATE, Kind.DATETIME}:
        return column
    sql = f"soql_format('{column.kind}', {column.sql})"
    return msgspec.structs.replace(
        column, sql=sql, kind=Kind.STRING, filterable=False, sortable=False, groupable=False
    )


def _convert_currency(scope: Scope, call: Call) -> Column:
    """The amount as it is: the org has one currency."""
    column = _argument(scope, call)
    if column.kind is not Kind.CURRENCY:
        raise scope.context.wrong(call.position, f"convertCurrency takes a currency, not {column.name}")
    return msgspec.structs.replace(column, filterable=False, groupable=False)


def _distance(scope: Scope, call: Call) -> Column:
    context = scope.context
    match call.arguments:
        case (
            Path() as place,
            Call(function="GEOLOCATION", arguments=(Value() as north, Value() as east)),
            Value(constant=str() as unit),
        ) if isinstance(north.constant, int | float) and isinstance(east.constant, int | float):
            pass
        case _:
            message = "DISTANCE takes a place, GEOLOCATION(latitude, longitude), and 'km' or 'mi'"
            raise context.wrong(call.position, message)
    if unit.lower() not in ("km", "mi"):
        raise context.wrong(call.position, f"DISTANCE knows 'km' and 'mi', not '{unit}'")
    column = scope.path(place)
    parts = dict(column.field.parts) if column.field else {}
    if "latitude" not in parts:
        raise context.wrong(place.position, f"field '{column.name}' is no place")
    (table,) = scope.tables(column.parents)
    to = f"{context.bind(float(north.constant))}, {context.bind(float(east.constant))}"
    sql = f"soql_distance({table.column(parts['latitude'])}, {table.column(parts['longitude'])}, {to})"
    factor = f" * {MILES}" if unit.lower() == "mi" else ""
    return Column(sql=f"({sql}{factor})", kind=Kind.DOUBLE, name="distance", groupable=False)


_FUNCTIONS: dict[str, Callable[[Scope, Call], Column]] = {
    "TOLABEL": _label,
    "FORMAT": _format,
    "CONVERTCURRENCY": _convert_currency,
    "CONVERTTIMEZONE": _convert_timezone,
    "DISTANCE": _distance,
}
