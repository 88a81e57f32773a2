"""Queries with aggregates: records grouped, and subtotals by ROLLUP and CUBE.

A query inside counts and adds up for each set of fields that is grouped by; the one around it writes the
JSON.
"""

from __future__ import annotations

from itertools import combinations

from runner.emulator.schema import Kind
from runner.emulator.soql.conditions import Place, condition
from runner.emulator.soql.operands import column_of
from runner.emulator.soql.ordering import sorted_by, window
from runner.emulator.soql.scope import Column, Scope
from runner.emulator.soql.shape import json_object, json_value
from runner.emulator.soql.tree import Call, Grouping, Item, Operand, Path, Query, TypeOf

MAX_WIDE = 3
_TEXTS = frozenset(
    {Kind.STRING, Kind.PICKLIST, Kind.COMBOBOX, Kind.TEXTAREA, Kind.EMAIL, Kind.PHONE, Kind.URL}
)


class Groups:
    """One aggregate query in the making."""

    def __init__(self, scope: Scope, query: Query) -> None:
        self.scope = scope
        self.context = scope.context
        self.query = query
        grouping = query.grouping
        self.grouped = [self._groupable(operand) for operand in grouping.operands] if grouping else []
        scope.grouped = frozenset(column.sql for column in self.grouped)
        #: SQL of the inner query → its name there
        self._aggregates: dict[str, str] = {}

    def sql(self, where: str, source: str) -> str:
        """A statement that gives the JSON of each group as bytes. ``source`` may gain joins until then, so it
        is the base table alone.
        """
        pairs = self._pairs()
        sorting = self._order()
        having = self._having()
        inner = " UNION ALL ".join(self._inner(chosen, where, source, having) for chosen in self._sets())
        record = json_object([("attributes", "json_object('type', 'AggregateResult')"), *pairs])
        return f"SELECT CAST({record} AS BLOB) FROM ({inner}){sorting}{window(self.query)}"  # noqa: S608

    def _groupable(self, operand: Operand) -> Column:
        column = column_of(self.scope, operand)
        if column.aggregated or not column.groupable:
            message = f"field '{column.name}' can not be grouped in a query call"
            raise self.context.wrong(operand.position, message)
        return column

    def _sets(self) -> list[tuple[int, ...]]:
        """Which of the grouped fields each part groups by: all, and for subtotals fewer."""
        places = tuple(range(len(self.grouped)))
        grouping = self.query.grouping
        if grouping is None or not grouping.kind:
            return [places]
        self._check_wide(grouping)
        if grouping.kind == "ROLLUP":
            return [places[:size] for size in range(len(places), -1, -1)]
        return [chosen for size in range(len(places), -1, -1) for chosen in combinations(places, size)]

    def _check_wide(self, grouping: Grouping) -> None:
        if len(grouping.operands) > MAX_WIDE:
            message = f"{grouping.kind} takes at most {MAX_WIDE} fields"
            raise self.context.wrong(grouping.position, message)

    def _inner(self, chosen: tuple[int, ...], where: str, source: str, having: str) -> str:
        columns = [
            f"{column.sql if place in chosen else 'NULL'} AS g{place}, {int(place not in chosen)} AS s{place}"
            for place, column in enumerate(self.grouped)
        ]
        columns += [f"{sql} AS {name}" for sql, name in self._aggregates.items()]
        keys = ", ".join(self.grouped[place].sql for place in chosen)
        grouping = f" GROUP BY {keys}" if keys else ""
        if self.grouped and not keys:
            having = f"{having} AND count(*) > 0" if having else " HAVING count(*) > 0"
        joined = f"{source}{self.scope.joins}{where}"
        return f"SELECT {', '.join(columns) or '1'} FROM {joined}{grouping}{having}"  # noqa: S608

    def _having(self) -> str:
        if self.query.having is None:
            return ""
        return f" HAVING ({condition(self.scope, self.query.having, Place.HAVING)})"

    def _pairs(self) -> list[tuple[str, str]]:
        """Names and SQL of what is selected; a function without an alias is expr0, expr1, …"""
        pairs: dict[str, str] = {}
        unnamed = 0
        for item in self.query.items:
            column, sql = self._selected(item)
            name = item.alias or column.name
            if item.alias is None and isinstance(item.what, Call):
                name, unnamed = f"expr{unnamed}", unnamed + 1
            if name in pairs:
                raise self.context.wrong(item.position, f"duplicate alias: {name}")
            pairs[name] = json_value(column, sql)
        return list(pairs.items())

    def _selected(self, item: Item) -> tuple[Column, str]:
        if isinstance(item.what, Query | TypeOf):
            raise self.context.wrong(item.position, "A query with aggregates selects fields alone")
        if isinstance(item.what, Call) and item.what.function == "FIELDS":
            message = "The SOQL FIELDS function is not supported in queries with aggregates"
            raise self.context.wrong(item.position, message)
        if isinstance(item.what, Call) and item.what.function == "COUNT" and not item.what.arguments:
            raise self.context.wrong(item.position, "count() must stand alone; use count(Id)")
        return self._outer(item.what, "Field must be grouped or aggregated")

    def _outer(self, operand: Operand, otherwise: str) -> tuple[Column, str]:
        """A column, and its name outside the inner query."""
        if isinstance(operand, Call) and operand.function == "GROUPING":
            return self._is_subtotal(operand)
        column = column_of(self.scope, operand)
        for place, grouped in enumerate(self.grouped):
            if column.sql == grouped.sql:
                return column, f"g{place}"
        if not column.aggregated:
            return self._formatted(operand, column, otherwise)
        return column, self._aggregates.setdefault(column.sql, f"a{len(self._aggregates)}")

    def _formatted(self, operand: Operand, column: Column, otherwise: str) -> tuple[Column, str]:
        """FORMAT or toLabel of what is grouped or aggregated."""
        inner = operand.argument if isinstance(operand, Call) else None
        if inner is None:
            raise self.context.wrong(operand.position, f"{otherwise}: {column.name}")
        under, name = self._outer(inner, otherwise)
        return column, column.sql.replace(under.sql, name)

    def _is_subtotal(self, call: Call) -> tuple[Column, str]:
        """GROUPING(field): 1 in the subtotals that leave the field out."""
        column = column_of(self.scope, call.argument) if isinstance(call.argument, Path) else None
        for place, grouped in enumerate(self.grouped):
            if column is not None and column.sql == grouped.sql:
                return Column(sql=f"s{place}", kind=Kind.INT, name=column.name), f"s{place}"
        raise self.context.wrong(call.position, "GROUPING takes a field that is grouped by")

    def _order(self) -> str:
        parts = []
        for ordering in self.query.order_by:
            column, sql = self._outer(ordering.operand, "Ordered field must be grouped or aggregated")
            if column.kind in _TEXTS:
                sql += " COLLATE NOCASE"
            parts.append(sorted_by(self.scope, ordering, column, sql))
        if not parts and self.query.grouping is not None and self.query.grouping.kind:
            # Subtotals stand behind what they add up.
            parts = [part for place in range(len(self.grouped)) for part in (f"s{place}", f"g{place}")]
        return f" ORDER BY {', '.join(parts)}" if parts else ""
