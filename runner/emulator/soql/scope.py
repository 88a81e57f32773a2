"""Which column a name of a query means, and the joins that it takes to reach it."""

from __future__ import annotations

from datetime import datetime
from itertools import count

import msgspec

from runner.emulator.database import Value, quote
from runner.emulator.errors import ApiError
from runner.emulator.schema import IDS, NUMBERS, Kind, ObjectType, Schema
from runner.emulator.soql.parse import at
from runner.emulator.soql.tree import Call, Operand, Path

MAX_PARENTS = 5
#: SQLite joins 64 tables
MAX_TABLES = 55
REFER = "Please reference your WSDL or the describe call for the appropriate names."

AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})
_DATE_PARTS = {
    "CALENDAR_YEAR": ("CAST(substr({0}, 1, 4) AS INTEGER)", Kind.INT),
    "CALENDAR_QUARTER": ("(CAST(substr({0}, 6, 2) AS INTEGER) + 2) / 3", Kind.INT),
    "CALENDAR_MONTH": ("CAST(substr({0}, 6, 2) AS INTEGER)", Kind.INT),
    "DAY_IN_MONTH": ("CAST(substr({0}, 9, 2) AS INTEGER)", Kind.INT),
    "HOUR_IN_DAY": ("CAST(substr({0}, 12, 2) AS INTEGER)", Kind.INT),
    "DAY_ONLY": ("substr({0}, 1, 10)", Kind.DATE),
}


class Context:
    """What all parts of one query share: its text, what it may refer to, and the values bound so far."""

    def __init__(self, text: str, schema: Schema, now: datetime) -> None:
        self.text = text
        self.schema = schema
        self.now = now
        #: the bound values by their names in the SQL
        self.values: dict[str, Value] = {}
        self._aliases = count()

    def bind(self, value: Value) -> str:
        """The placeholder that stands for a value in the SQL."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f":{name}"

    def alias(self) -> str:
        return f"t{next(self._aliases)}"

    def wrong(self, position: int, message: str, code: str = "MALFORMED_QUERY") -> ApiError:
        return at(self.text, position, message, code)


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be selected, compared or sorted by."""

    sql: str
    kind: Kind
    #: the name that it has in an answer, and the relationships before it
    name: str
    parents: tuple[str, ...] = ()
    filterable: bool = True
    aggregated: bool = False


class Table(msgspec.Struct, frozen=True, kw_only=True):
    item: ObjectType
    alias: str

    def column(self, name: str) -> str:
        return f"{self.alias}.{quote(name)}"


#: the tables behind one relationship; several where a reference may point to several objects
Tables = tuple[Table, ...]


class Scope:
    """The names that one query, or one child query, knows."""

    def __init__(self, context: Context, item: ObjectType, alias: str | None = None) -> None:
        self.context = context
        self.item = item
        self.base = Table(item=item, alias=context.alias())
        self._own_names = {item.name.lower(), (alias or item.name).lower()}
        self._joins: list[str] = []
        self._reached: dict[tuple[str, ...], Tables] = {(): (self.base,)}

    @property
    def joins(self) -> str:
        return "".join(self._joins)

    def operand(self, operand: Operand) -> Column:
        return self.path(operand) if isinstance(operand, Path) else self._call(operand)

    def path(self, path: Path) -> Column:
        """Raises an ApiError INVALID_FIELD for a name that is none."""
        names = path.names
        if len(names) > 1 and names[0].lower() in self._own_names and not self._is_parent(names[0]):
            names = names[1:]
        if len(names) > MAX_PARENTS + 1:
            raise self.context.wrong(path.position, f"A field may be at most {MAX_PARENTS} parents away.")
        parents: tuple[str, ...] = ()
        for name in names[:-1]:
            parents = self._parent(parents, name, path)
        return self._column(parents, names[-1], path)

    def tables(self, parents: tuple[str, ...]) -> Tables:
        """The tables of relationships that `path` has gone through."""
        return self._reached[parents]

    def _is_parent(self, name: str) -> bool:
        return name.lower() in self.item.by_relationship

    def _parent(self, before: tuple[str, ...], name: str, path: Path) -> tuple[str, ...]:
        """Goes to a parent, joining its tables where they are not yet; gives the relationships' right
        names.
        """
        origins = self._reached[before]
        reference = origins[0].item.by_relationship.get(name.lower()) if len(origins) == 1 else None
        if reference is None or reference.relationship is None:
            raise self.context.wrong(path.position, _no_relationship(name), "INVALID_FIELD")
        reached = (*before, reference.relationship)
        if reached not in self._reached:
            link = origins[0].column(reference.name)
            self._reached[reached] = tuple(self._join(target, link, path) for target in reference.targets)
        return reached

    def _join(self, target: str, link: str, path: Path) -> Table:
        if len(self._joins) >= MAX_TABLES:
            raise self.context.wrong(path.position, "The query goes through too many relationships.")
        table = Table(item=self.context.schema.objects[target], alias=self.context.alias())
        self._joins.append(f" LEFT JOIN {quote(target)} {table.alias} ON {table.column('Id')} = {link}")
        return table

    def _column(self, parents: tuple[str, ...], name: str, path: Path) -> Column:
        tables = self._reached[parents]
        if len(tables) > 1:
            return self._polymorphic(tables, parents, name, path)
        field = tables[0].item.field(name)
        if field is None:
            raise self.context.wrong(path.position, _no_column(name, tables[0].item.name), "INVALID_FIELD")
        return Column(
            sql=tables[0].column(field.name),
            kind=field.kind,
            name=field.name,
            parents=parents,
            filterable=field.filterable,
        )

    def _polymorphic(self, tables: Tables, parents: tuple[str, ...], name: str, path: Path) -> Column:
        """A field of whichever object the reference points to: `Type`, `Name`, or one that some of them
        have.
        """
        if name.lower() == "type":
            return Column(sql=_type_of(tables), kind=Kind.STRING, name="Type", parents=parents)
        found = [
            (table, field)
            for table in tables
            if (field := table.item.field(table.item.name_field if name.lower() == "name" else name))
        ]
        if not found:
            raise self.context.wrong(path.position, _no_column(name, "Name"), "INVALID_FIELD")
        kind = found[0][1].kind
        columns = [table.column(field.name) for table, field in found]
        collation = "" if kind in IDS else " COLLATE NOCASE"
        return Column(
            sql=f"(coalesce({', '.join(columns)}, NULL){collation})",
            kind=kind,
            name="Name" if name.lower() == "name" else found[0][1].name,
            parents=parents,
            filterable=found[0][1].filterable,
        )

    def _call(self, call: Call) -> Column:
        if call.argument is None:
            if call.function == "COUNT":
                return Column(sql="count(*)", kind=Kind.INT, name="count", aggregated=True)
            raise self.context.wrong(call.position, f"{call.function} takes a field")
        column = self.operand(call.argument)
        if call.function in AGGREGATES:
            return self._aggregate(call, column)
        if call.function in _DATE_PARTS:
            return self._date_part(call, column)
        if call.function in ("TOLABEL", "FORMAT"):
            return column
        raise self.context.wrong(call.position, f"unexpected token: '{call.function}'")

    def _aggregate(self, call: Call, column: Column) -> Column:
        summed = call.function in ("SUM", "AVG")
        unfit = (summed and column.kind not in NUMBERS) or column.aggregated or not column.filterable
        if unfit or (call.function in ("MIN", "MAX") and column.kind is Kind.BOOLEAN):
            message = f"field {column.name} does not support aggregate operator {call.function}"
            raise self.context.wrong(call.position, message)
        counting = call.function.startswith("COUNT")
        function = "count" if counting else call.function.lower()
        argument = f"DISTINCT {column.sql}" if call.function == "COUNT_DISTINCT" else column.sql
        kind = Kind.INT if counting else Kind.DOUBLE if summed else column.kind
        return Column(sql=f"{function}({argument})", kind=kind, name=column.name, aggregated=True)

    def _date_part(self, call: Call, column: Column) -> Column:
        if column.kind not in (Kind.DATE, Kind.DATETIME):
            raise self.context.wrong(
                call.position, f"{call.function} takes a date, which {column.name} is not"
            )
        sql, kind = _DATE_PARTS[call.function]
        return Column(sql=sql.format(column.sql), kind=kind, name=column.name)


def _type_of(tables: Tables) -> str:
    cases = "".join(f" WHEN {table.alias}.n IS NOT NULL THEN '{table.item.name}'" for table in tables)
    return f"(CASE{cases} END COLLATE NOCASE)"


def _no_column(name: str, entity: str) -> str:
    return (
        f"No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure "
        f"to append the '__c' after the custom field name. {REFER}"
    )


def _no_relationship(name: str) -> str:
    return (
        f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom "
        f"relationship, be sure to append the '__r' after the custom relationship name. {REFER}"
    )


def object_of(context: Context, path: Path) -> ObjectType:
    """The object that FROM names; an ApiError INVALID_TYPE where there is none."""
    item = context.schema.get(path.names[0]) if len(path.names) == 1 else None
    if item is None:
        name = ".".join(path.names)
        message = (
            f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure "
            f"to append the '__c' after the entity name. {REFER}"
        )
        raise context.wrong(path.position, message, "INVALID_TYPE")
    return item
