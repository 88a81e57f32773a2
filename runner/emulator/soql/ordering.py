"""ORDER BY, LIMIT and OFFSET as SQL."""

from __future__ import annotations

from runner.emulator.errors import ApiError
from runner.emulator.soql.operands import column_of
from runner.emulator.soql.scope import Column, Scope
from runner.emulator.soql.tree import Ordering, Query


def order_by(scope: Scope, query: Query) -> str:
    """ORDER BY for records, equal ones by their ids.

    Below a condition, the plus keeps SQLite from walking the whole table in order instead of using an index.
    """
    parts = [_part(scope, ordering) for ordering in query.order_by]
    last = f"{'+' if query.where is not None else ''}{scope.base.alias}.n"
    return f" ORDER BY {', '.join([*parts, last])}"


def _part(scope: Scope, ordering: Ordering) -> str:
    column = column_of(scope, ordering.operand)
    if column.aggregated:
        raise unsortable(scope, ordering, column)
    return sorted_by(scope, ordering, column, column.sql)


def sorted_by(scope: Scope, ordering: Ordering, column: Column, sql: str) -> str:
    """One part of ORDER BY; empty fields come first unless the query says otherwise."""
    if not column.sortable:
        raise unsortable(scope, ordering, column)
    direction = "DESC" if ordering.descending else "ASC"
    return f"{sql} {direction} NULLS {'LAST' if ordering.nulls_last else 'FIRST'}"


def unsortable(scope: Scope, ordering: Ordering, column: Column) -> ApiError:
    message = f"field '{column.name}' can not be sorted in a query call"
    return scope.context.wrong(ordering.position, message)


def window(query: Query) -> str:
    """LIMIT and OFFSET."""
    if query.limit is None and query.offset is None:
        return ""
    return f" LIMIT {-1 if query.limit is None else query.limit} OFFSET {query.offset or 0}"
