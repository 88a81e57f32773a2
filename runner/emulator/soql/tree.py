"""The tree of a query. A ``position`` counts characters from 0; errors point at it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec


class Node(msgspec.Struct, frozen=True, kw_only=True):
    position: int


class Path(Node, frozen=True, kw_only=True):
    """A field, through parents: ("Account", "Owner", "Name")."""

    names: tuple[str, ...]


class Call(Node, frozen=True, kw_only=True):
    """A function: count(), SUM(Amount), CALENDAR_YEAR(CreatedDate), FIELDS(ALL)."""

    function: str
    argument: Operand | None


Operand = Path | Call


class DateLiteral(Node, frozen=True, kw_only=True):
    """A span of days named relative to today: TODAY, LAST_N_DAYS:30. ``count`` is None where none was
    given.
    """

    name: str
    count: int | None


#: float is for numbers with a point, None for null
Constant = str | int | float | bool | datetime | date | DateLiteral | None


class Value(Node, frozen=True, kw_only=True):
    constant: Constant


class Compare(Node, frozen=True, kw_only=True):
    operand: Operand
    operator: Literal["=", "!=", "<", "<=", ">", ">=", "LIKE"]
    value: Value


class Within(Node, frozen=True, kw_only=True):
    """IN, or NOT IN where it is negated, a list or a query of one field."""

    operand: Operand
    values: tuple[Value, ...] | Query
    negated: bool


class Not(Node, frozen=True, kw_only=True):
    condition: Condition


class Both(Node, frozen=True, kw_only=True):
    """Two or more conditions that must all hold, or of which one must."""

    word: Literal["AND", "OR"]
    conditions: tuple[Condition, ...]


Condition = Compare | Within | Not | Both


class Item(Node, frozen=True, kw_only=True):
    """One thing that is selected; ``alias`` names it in an aggregate's answer."""

    what: Operand | Query
    alias: str | None = None


class Ordering(Node, frozen=True, kw_only=True):
    operand: Operand
    descending: bool
    nulls_last: bool


class Query(Node, frozen=True, kw_only=True):
    items: tuple[Item, ...]
    #: the object's name; for a child query the relationship's
    source: Path
    alias: str | None = None
    where: Condition | None = None
    group_by: tuple[Operand, ...] = ()
    having: Condition | None = None
    order_by: tuple[Ordering, ...] = ()
    limit: int | None = None
    offset: int | None = None
