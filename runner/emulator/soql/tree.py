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
    """A function: count(), SUM(Amount), DISTANCE(Place__c, GEOLOCATION(1, 2), 'km')."""

    #: in upper case
    function: str
    arguments: tuple[Operand | Value, ...] = ()

    @property
    def argument(self) -> Operand | None:
        """The field or function that is the only argument."""
        only = self.arguments[0] if len(self.arguments) == 1 else None
        return None if isinstance(only, Value) else only


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


class Includes(Node, frozen=True, kw_only=True):
    """INCLUDES, or EXCLUDES where it is negated: one of the values, each of which may be several joined by
    semicolons.
    """

    operand: Operand
    values: tuple[Value, ...]
    negated: bool


class Not(Node, frozen=True, kw_only=True):
    condition: Condition


class Both(Node, frozen=True, kw_only=True):
    """Two or more conditions that must all hold, or of which one must."""

    word: Literal["AND", "OR"]
    conditions: tuple[Condition, ...]


Condition = Compare | Within | Includes | Not | Both


class When(Node, frozen=True, kw_only=True):
    """What TYPEOF selects of one object; of all others where ``object`` is None."""

    object: str | None
    paths: tuple[Path, ...]


class TypeOf(Node, frozen=True, kw_only=True):
    path: Path
    cases: tuple[When, ...]


class Item(Node, frozen=True, kw_only=True):
    """One thing that is selected; ``alias`` names it in an aggregate's answer."""

    what: Operand | TypeOf | Query
    alias: str | None = None


class Ordering(Node, frozen=True, kw_only=True):
    operand: Operand
    descending: bool
    nulls_last: bool


class Grouping(Node, frozen=True, kw_only=True):
    operands: tuple[Operand, ...]
    kind: Literal["", "ROLLUP", "CUBE"] = ""


class Query(Node, frozen=True, kw_only=True):
    items: tuple[Item, ...]
    #: the object's name; for a child query the relationship's
    source: Path
    alias: str | None = None
    #: further names in FROM, each of a parent: (c.Account, "a")
    parents: tuple[tuple[Path, str], ...] = ()
    #: USING SCOPE
    scope: str | None = None
    where: Condition | None = None
    grouping: Grouping | None = None
    having: Condition | None = None
    order_by: tuple[Ordering, ...] = ()
    limit: int | None = None
    offset: int | None = None
    #: what FOR says, in upper case: VIEW, REFERENCE, UPDATE
    purposes: frozenset[str] = frozenset()
