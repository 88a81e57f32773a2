"""What an object and a field are."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator
from functools import cached_property

import msgspec

from runner.emulator.errors import OptionError


class Kind(enum.StrEnum):
    """The type of a field, as describe names it."""

    ID = "id"
    STRING = "string"
    TEXTAREA = "textarea"
    PICKLIST = "picklist"
    MULTIPICKLIST = "multipicklist"
    COMBOBOX = "combobox"
    BOOLEAN = "boolean"
    INT = "int"
    DOUBLE = "double"
    CURRENCY = "currency"
    PERCENT = "percent"
    DATE = "date"
    DATETIME = "datetime"
    REFERENCE = "reference"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    ADDRESS = "address"
    LOCATION = "location"


NUMBERS = frozenset({Kind.INT, Kind.DOUBLE, Kind.CURRENCY, Kind.PERCENT})
IDS = frozenset({Kind.ID, Kind.REFERENCE})
#: fields that are made of others
COMPOUND = frozenset({Kind.ADDRESS, Kind.LOCATION})
#: a text area longer than this cannot be filtered, sorted or grouped by
LONG_TEXT = 255


class Choice(msgspec.Struct, frozen=True):
    """One value of a picklist."""

    value: str
    #: what people see
    label: str


class Field(msgspec.Struct, frozen=True, kw_only=True):
    #: the API name
    name: str
    kind: Kind
    label: str
    #: the most characters of a text; 0 for what is none
    length: int = 0
    #: the digits of a number, and how many of them stand behind the point
    precision: int = 18
    scale: int = 2
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    #: the objects that a reference may point to
    targets: tuple[str, ...] = ()
    #: the name under which a reference's fields are selected, such as `Account` in `Account.Name`
    relationship: str | None = None
    #: the name under which the records are selected from the one that they point to, such as `Contacts`
    children: str | None = None
    #: whether records go when the one that they point to goes
    cascade: bool = False
    #: whether the record that others point to cannot go before them
    restricts: bool = False
    external_id: bool = False
    #: whether no two records may have the same value
    unique: bool = False
    choices: tuple[Choice, ...] = ()
    #: whether a picklist takes its own values only
    restricted: bool = False
    #: what a record has that was created without the field; also what makes a field that is not
    #: nillable optional
    default: str | int | float | bool | None = None
    #: the fields that make up a compound one, by the keys of its JSON
    parts: tuple[tuple[str, str], ...] = ()
    #: the compound field that this one is a part of
    part_of: str | None = None
    #: how a number that the org counts up is shown, such as `P-{0000}`
    counted: str | None = None
    #: whether the org works it out from other fields
    calculated: bool = False

    @property
    def custom(self) -> bool:
        return self.name.endswith(("__c", "__s"))

    @property
    def stored(self) -> bool:
        """Whether it has a column of its own."""
        return self.kind not in COMPOUND

    @property
    def filterable(self) -> bool:
        return self.stored and not (self.kind is Kind.TEXTAREA and self.length > LONG_TEXT)

    @property
    def sortable(self) -> bool:
        return self.filterable and self.kind is not Kind.MULTIPICKLIST

    @property
    def groupable(self) -> bool:
        return self.sortable and self.kind is not Kind.DATETIME and not self.real

    @property
    def real(self) -> bool:
        """A number with digits behind the point."""
        return self.kind in NUMBERS and self.kind is not Kind.INT

    @property
    def required(self) -> bool:
        return self.createable and not self.nillable and self.default is None


class Child(msgspec.Struct, frozen=True, kw_only=True):
    """A relationship seen from the record that others point to."""

    #: the name under which a subquery selects it, such as `Contacts`; None where none can
    name: str | None
    object: str
    field: Field


class RecordType(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    label: str


class ObjectType(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    name: str
    label: str
    plural: str
    #: the first three characters of its ids
    prefix: str
    fields: tuple[Field, ...]
    #: the field that a person knows a record by
    name_field: str = "Name"
    #: the fields that make up a name, where it is not a field of its own
    name_parts: tuple[str, ...] = ()
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    #: whether a search looks into it
    searchable: bool = False
    #: whether it has pages, so that people view its records
    layoutable: bool = False
    record_types: tuple[RecordType, ...] = ()

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """The fields by their names in lower case: the API does not mind the case."""
        return {field.name.lower(): field for field in self.fields}

    @cached_property
    def by_relationship(self) -> dict[str, Field]:
        return {field.relationship.lower(): field for field in self.fields if field.relationship}

    @cached_property
    def stored(self) -> tuple[Field, ...]:
        """The fields that have columns."""
        return tuple(field for field in self.fields if field.stored)

    @cached_property
    def required(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.required)

    @cached_property
    def unique(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.unique)

    @cached_property
    def defaults(self) -> dict[str, str | int | float | None]:
        """What each column keeps where nothing is said."""
        return {
            field.name: int(bool(field.default)) if field.kind is Kind.BOOLEAN else field.default or None
            for field in self.stored
        }

    @cached_property
    def columns(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.stored)

    def field(self, name: str) -> Field | None:
        return self.by_name.get(name.lower())


class Schema:
    """All objects of an org."""

    def __init__(self, objects: tuple[ObjectType, ...]) -> None:
        self.objects = {item.name: item for item in objects}
        self._by_name = {item.name.lower(): item for item in objects}
        self._by_prefix = {item.prefix: item for item in objects}

    def __iter__(self) -> Iterator[ObjectType]:
        return iter(self.objects.values())

    def get(self, name: str) -> ObjectType | None:
        return self._by_name.get(name.lower())

    def of_id(self, record_id: str) -> ObjectType | None:
        return self._by_prefix.get(record_id[:3])

    def children(self, parent: ObjectType) -> list[Child]:
        """The references to this object's records."""
        return [
            Child(name=field.children, object=item.name, field=field)
            for item in self
            for field in item.fields
            if parent.name in field.targets
        ]


def seen(schema: Schema, hidden: Collection[str], readonly: Collection[str]) -> Schema:
    """The schema as those see it to whom fields are hidden, or who may not change them: `Contact.Birthdate`.
    Raises OptionError for a field that there is not.
    """
    for name in (*hidden, *readonly):
        _check_field(schema, name)
    if not hidden and not readonly:
        return schema
    gone, fixed = ({name.lower() for name in names} for names in (hidden, readonly))
    return Schema(tuple(_seen(item, gone, fixed) for item in schema))


def _check_field(schema: Schema, name: str) -> None:
    object_name, _, field_name = name.partition(".")
    item = schema.get(object_name)
    field = item.field(field_name) if item is not None else None
    if item is None or field is None:
        raise OptionError(f"There is no field {name!r}; a field is written such as Contact.Birthdate")
    if not field.nillable or field.name == item.name_field:
        raise OptionError(f"The field {name!r} is always seen and can always be set")


def _seen(item: ObjectType, gone: Collection[str], fixed: Collection[str]) -> ObjectType:
    fields = [
        msgspec.structs.replace(field, createable=False, updateable=False)
        if f"{item.name}.{field.name}".lower() in fixed
        else field
        for field in item.fields
        if f"{item.name}.{field.name}".lower() not in gone
    ]
    known = {field.name for field in fields}
    whole = tuple(field for field in fields if all(name in known for _, name in field.parts))
    return msgspec.structs.replace(item, fields=whole)
