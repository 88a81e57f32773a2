"""WHERE and HAVING as SQL.

SOQL knows true and false only: a comparison with an empty field is false, and NOT of it true. SQL's NULL
stands for false here, and each NOT says so.
"""

from __future__ import annotations

import enum

from runner.emulator.database import quote
from runner.emulator.errors import ApiError
from runner.emulator.schema import IDS
from runner.emulator.soql.comparisons import among, compare, includes, joined
from runner.emulator.soql.operands import column_of
from runner.emulator.soql.ordering import order_by, window
from runner.emulator.soql.scope import Column, Scope, object_of
from runner.emulator.soql.tree import Both, Compare, Condition, Includes, Not, Operand, Path, Query, Within


class Place(enum.Enum):
    """Where a condition stands, as far as it matters to what may stand there."""

    TOP = "at the top of WHERE, alone or joined by AND"
    OR = "joined by OR at the top of WHERE"
    NESTED = "deeper"
    INNER = "in a query inside IN"
    HAVING = "in HAVING"


MOST = 2
_MISPLACED = {
    Place.OR: "Semi join sub-selects are not allowed with the 'OR' operator",
    Place.NESTED: "Semi join sub-selects are only allowed at the top level WHERE expressions and not in "
    "nested WHERE expressions.",
    Place.INNER: "Nesting of semi join sub-selects is not supported",
    Place.HAVING: "Semi-joins are only supported in WHERE clauses",
}


def condition(scope: Scope, node: Condition, place: Place = Place.TOP) -> str:
    """The SQL of a condition, its values bound in the scope's context; aggregates are HAVING's alone."""
    match node:
        case Both():
            below = _below(place, node.word)
            return joined([condition(scope, part, below) for part in node.conditions], node.word)
        case Not():
            return f"NOT ifnull({condition(scope, node.condition, _below(place))}, 0)"
        case Compare():
            return compare(scope, _column(scope, node.operand, place), node)
        case Includes():
            return includes(scope, _column(scope, node.operand, place), node)
        case Within():
            if isinstance(node.values, Query):
                return _semi_join(scope, node, node.values, place)
            return among(scope, _column(scope, node.operand, place), node.values, negated=node.negated)


def _below(place: Place, word: str = "NOT") -> Place:
    if place in (Place.HAVING, Place.INNER) or (place is Place.TOP and word == "AND"):
        return place
    return Place.OR if place is Place.TOP and word == "OR" else Place.NESTED


def _column(scope: Scope, operand: Operand, place: Place) -> Column:
    column = column_of(scope, operand)
    if column.aggregated and place is not Place.HAVING:
        raise scope.context.wrong(operand.position, "Aggregate functions are for HAVING, not for WHERE")
    if place is Place.HAVING and not column.aggregated and column.sql not in scope.grouped:
        raise scope.context.wrong(operand.position, f"Field must be grouped or aggregated: {column.name}")
    if not column.filterable:
        message = f"field '{column.name}' can not be filtered in a query call"
        raise scope.context.wrong(operand.position, message, "INVALID_FIELD")
    return column


def _semi_join(scope: Scope, node: Within, query: Query, place: Place) -> str:
    """`field IN (SELECT …)`: which records' ids the field must be among."""
    column = _column(scope, node.operand, place)
    if place in _MISPLACED:
        raise scope.context.wrong(node.position, _MISPLACED[place])
    scope.context.semi_joins += 1
    if scope.context.semi_joins > MOST:
        raise scope.context.wrong(node.position, f"Maximum {MOST} semi join sub-selects are allowed.")
    if column.kind not in IDS:
        message = "The left operand field in the where expression for outer query should be an id field"
        raise scope.context.wrong(node.position, f"{message}, cannot use: '{column.name}'")
    inner = _selected(scope, column, query)
    if not node.negated:
        return f"{column.sql} IN ({inner})"
    return f"({column.sql} IS NULL OR {column.sql} NOT IN ({inner}))"


def _selected(scope: Scope, outer: Column, query: Query) -> str:
    """The inner query as SQL: one id of each record."""
    context = scope.context
    inner = Scope(context, object_of(context, query.source), query)
    if inner.item is scope.item:
        message = "The inner and outer selects should not be on the same object type"
        raise context.wrong(query.position, message)
    column = _id_column(inner, query)
    if not _targets(outer, scope) & _targets(column, inner):
        raise context.wrong(
            query.position,
            f"The selected field '{column.name}' in the subquery and the left operand field in the where "
            f"expression in the outer query '{outer.name}' should point to the same object type",
        )
    where = f"{column.sql} IS NOT NULL"
    if not context.asked.all_rows:
        where += f" AND {inner.base.column('IsDeleted')} = 0"
    if query.where is not None:
        where += f" AND ({condition(inner, query.where, Place.INNER)})"
    sorting = order_by(inner, query) + window(query) if query.limit is not None else ""
    source = f"{quote(inner.item.name)} {inner.base.alias}{inner.joins}"
    return f"SELECT {column.sql} FROM {source} WHERE {where}{sorting}"  # noqa: S608


def _id_column(inner: Scope, query: Query) -> Column:
    what = query.items[0].what
    if len(query.items) != 1 or query.grouping is not None:
        raise inner.context.wrong(query.position, "A query inside IN selects one field")
    if not isinstance(what, Path):
        raise _no_id(inner, query, "what is no field")
    column = inner.path(what)
    if column.kind not in IDS:
        raise _no_id(inner, query, column.name)
    return column


def _no_id(inner: Scope, query: Query, name: str) -> ApiError:
    message = f"The selected field in a query inside IN should be an id field, cannot use: '{name}'"
    return inner.context.wrong(query.items[0].position, message)


def _targets(column: Column, scope: Scope) -> set[str]:
    """The objects whose ids a column has."""
    if column.field is not None and column.field.targets:
        return set(column.field.targets)
    return {table.item.name for table in scope.tables(column.parents)}
