"""Which column a name of a query means, and the joins that it takes to reach it."""

from __future__ import annotations

import msgspec

from runner.emulator.database import quote
from runner.emulator.errors import ApiError
from runner.emulator.schema import IDS, Field, Kind, ObjectType
from runner.emulator.soql.context import Context
from runner.emulator.soql.tree import Path, Query

MAX_PARENTS = 5
#: SQLite joins 64 tables
MAX_TABLES = 55
REFER = "Please reference your WSDL or the describe call for the appropriate names."
#: what is known of a record whose kind is not
NAME_FIELDS = frozenset(
    {
        "id", "name", "firstname", "lastname", "type", "alias", "email", "isactive", "phone", "profileid",
        "title", "userroleid", "username", "recordtypeid", "lastvieweddate", "lastreferenceddate",
    }
)  # fmt: skip

#: the relationships that lead to a record, from the one that the query is about
Parents = tuple[str, ...]


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be selected, compared or sorted by."""

    sql: str
    kind: Kind
    #: the name that it has in an answer, and the relationships before it
    name: str
    parents: Parents = ()
    filterable: bool = True
    sortable: bool = True
    groupable: bool = True
    #: an aggregate, which stands for many records
    aggregated: bool = False
    #: a part of a date, which must be grouped by to be selected
    dated: bool = False
    #: the field behind it, where it is one of one object
    field: Field | None = None


class Table(msgspec.Struct, frozen=True, kw_only=True):
    item: ObjectType
    alias: str

    def column(self, name: str) -> str:
        return f"{self.alias}.{quote(name)}"


#: the tables behind one relationship; several where a reference may point to several objects
Tables = tuple[Table, ...]


class Scope:
    """The names that one query, or one child query, knows."""

    def __init__(self, context: Context, item: ObjectType, query: Query | None = None) -> None:
        self.context = context
        self.item = item
        self.base = Table(item=item, alias=context.alias())
        self._joins: list[str] = []
        self._reached: dict[Parents, Tables] = {(): (self.base,)}
        #: the names before a field that stand for this query's object, and for parents of it
        self._own = {item.name.lower()}
        #: SQL of the columns that the query groups by
        self.grouped: frozenset[str] = frozenset()
        self._aliases: dict[str, tuple[str, ...]] = {}
        if query is not None:
            self._name(query)

    def _name(self, query: Query) -> None:
        self._own.add((query.alias or query.source.names[-1]).lower())
        for path, alias in query.parents:
            names = self._expanded(path.names)
            if not names:
                raise self.context.wrong(path.position, f"unexpected token: '{path.names[0]}'")
            self._aliases[alias.lower()] = names

    @property
    def joins(self) -> str:
        return "".join(self._joins)

    def path(self, path: Path, within: Parents = ()) -> Column:
        """The column of a field, looked up from the record ``within`` the relationships given. Raises an
        ApiError INVALID_FIELD for a name that is none.
        """
        names = path.names if within else self._expanded(path.names)
        if len(names) > MAX_PARENTS + 1:
            raise self.context.wrong(path.position, f"A field may be at most {MAX_PARENTS} parents away.")
        parents = within
        for name in names[:-1]:
            parents = self._parent(parents, name, path)
        return self._column(parents, names[-1] if names else path.names[-1], path)

    def reach(self, path: Path) -> Parents:
        """Goes to the parent that a path names. Raises ApiError."""
        parents: Parents = ()
        for name in self._expanded(path.names):
            parents = self._parent(parents, name, path)
        return parents

    def tables(self, parents: Parents) -> Tables:
        """The tables of relationships that `path` has gone through."""
        return self._reached[parents]

    def narrow(self, parents: Parents, table: Table) -> Parents:
        """A name for one of the tables behind a relationship, from which paths can go on."""
        narrowed = (*parents, f"<{table.item.name}>")
        self._reached[narrowed] = (table,)
        return narrowed

    def _expanded(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Without the alias, or the name, of the query's own object; with the parents that an alias stands
        for.
        """
        first = names[0].lower()
        if first in self._aliases:
            return (*self._aliases[first], *names[1:])
        own = len(names) > 1 and first in self._own and first not in self.item.by_relationship
        return names[1:] if own else names

    def _parent(self, before: Parents, name: str, path: Path) -> Parents:
        """Goes to a parent, joining its tables where they are not yet; gives the relationships' right
        names.
        """
        origins = self._reached[before]
        reference = origins[0].item.by_relationship.get(name.lower()) if len(origins) == 1 else None
        if reference is None or reference.relationship is None:
            raise self.context.wrong(path.position, no_relationship(name), "INVALID_FIELD")
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

    def _column(self, parents: Parents, name: str, path: Path) -> Column:
        tables = self._reached[parents]
        if len(tables) > 1:
            return self._polymorphic(tables, parents, name, path)
        field = tables[0].item.field(name)
        if field is None:
            raise self.context.wrong(path.position, no_column(name, tables[0].item.name), "INVALID_FIELD")
        return Column(
            sql=compound(tables[0], field) if field.parts else tables[0].column(field.name),
            kind=field.kind,
            name=field.name,
            parents=parents,
            filterable=field.filterable,
            sortable=field.sortable,
            groupable=field.groupable,
            field=field,
        )

    def _polymorphic(self, tables: Tables, parents: Parents, name: str, path: Path) -> Column:
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
        if not found or name.lower() not in NAME_FIELDS:
            raise self.context.wrong(path.position, no_column(name, "Name"), "INVALID_FIELD")
        kind = found[0][1].kind
        columns = [table.column(field.name) for table, field in found]
        collation = "" if kind in IDS else " COLLATE NOCASE"
        return Column(
            sql=f"(coalesce({', '.join(columns)}, NULL){collation})",
            kind=kind,
            name="Name" if name.lower() == "name" else found[0][1].name,
            parents=parents,
        )


def compound(table: Table, field: Field) -> str:
    """SQL of the JSON of a compound field; null where none of its parts is given."""
    columns = [(key, table.column(name)) for key, name in field.parts]
    given = " OR ".join(f"{column} IS NOT NULL" for _, column in columns)
    pairs = ", ".join(f"'{key}', {column}" for key, column in columns)
    return f"json(CASE WHEN {given} THEN json_object({pairs}) ELSE 'null' END)"


def _type_of(tables: Tables) -> str:
    cases = "".join(f" WHEN {table.alias}.n IS NOT NULL THEN '{table.item.name}'" for table in tables)
    return f"(CASE{cases} END COLLATE NOCASE)"


def no_column(name: str, entity: str) -> str:
    return (
        f"No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure "
        f"to append the '__c' after the custom field name. {REFER}"
    )


def no_relationship(name: str, place: str = "field path") -> str:
    return (
        f"Didn't understand relationship '{name}' in {place}. If you are attempting to use a custom "
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
        raise wrong_object(context, path, message)
    return item


def wrong_object(context: Context, path: Path, message: str) -> ApiError:
    return context.wrong(path.position, message, "INVALID_TYPE")
