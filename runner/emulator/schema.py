"""What an object and a field are, and the short words by which `objects.py` writes them down."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from functools import cached_property

import msgspec


class Kind(enum.StrEnum):
    """The type of a field, as describe names it."""

    ID = "id"
    STRING = "string"
    TEXTAREA = "textarea"
    PICKLIST = "picklist"
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


NUMBERS = frozenset({Kind.INT, Kind.DOUBLE, Kind.CURRENCY, Kind.PERCENT})
IDS = frozenset({Kind.ID, Kind.REFERENCE})
#: a text area longer than this cannot be filtered, sorted or grouped by
LONG_TEXT = 255


class Field(msgspec.Struct, frozen=True, kw_only=True):
    #: the API name
    name: str
    kind: Kind
    label: str
    #: the most characters of a text; 0 for what is none
    length: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    #: the objects that a reference may point to
    targets: tuple[str, ...] = ()
    #: the name under which a reference's fields are selected, such as `Account` in `Account.Name`
    relationship: str | None = None
    #: whether records go when the one that they point to goes
    cascade: bool = False
    external_id: bool = False
    #: whether no two records may have the same value
    unique: bool = False
    values: tuple[str, ...] = ()
    #: whether a picklist takes its own values only
    restricted: bool = False
    #: what a record has that was created without the field; also what makes a field that is not
    #: nillable optional
    default: str | int | float | bool | None = None

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def filterable(self) -> bool:
        return not (self.kind is Kind.TEXTAREA and self.length > LONG_TEXT)

    @property
    def required(self) -> bool:
        return not self.nillable and self.createable and self.default is None


class Child(msgspec.Struct, frozen=True, kw_only=True):
    """A relationship seen from the record that others point to."""

    #: the name under which a subquery selects it, such as `Contacts`
    name: str
    object: str
    field: Field


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
    deletable: bool = True

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """The fields by their names in lower case: the API does not mind the case."""
        return {field.name.lower(): field for field in self.fields}

    @cached_property
    def by_relationship(self) -> dict[str, Field]:
        return {field.relationship.lower(): field for field in self.fields if field.relationship}

    @cached_property
    def columns(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

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
        """The relationships that can be selected below a record of this object."""
        return [
            Child(name=item.plural, object=item.name, field=field)
            for item in self
            for field in item.fields
            if parent.name in field.targets and field.name in CHILD_FIELDS
        ]


#: the references that give their target a list of children
CHILD_FIELDS = frozenset({"AccountId", "ContactId", "WhoId", "WhatId", "CampaignId"})


def spaced(name: str) -> str:
    """The label of a field by its API name: `MailingPostalCode` is `Mailing Postal Code`."""
    bare = name.removesuffix("__c").replace("_", " ")
    if " " in bare:
        return bare
    letters = (
        f" {letter}" if place and letter.isupper() and not bare[place - 1].isupper() else letter
        for place, letter in enumerate(bare)
    )
    return "".join(letters)


def text(name: str, length: int = 255, *, label: str | None = None, required: bool = False) -> Field:
    return Field(
        name=name, kind=Kind.STRING, label=label or spaced(name), length=length, nillable=not required
    )


def plain(name: str, kind: Kind, length: int = 0, *, label: str | None = None) -> Field:
    """A field of any kind that may be empty."""
    return Field(name=name, kind=kind, label=label or spaced(name), length=length)


def picklist(
    name: str, *values: str, label: str | None = None, default: str | None = None, required: bool = False
) -> Field:
    """A list to choose from. Only one that is required holds people to its values, as most orgs have it."""
    return Field(
        name=name,
        kind=Kind.PICKLIST,
        label=label or spaced(name),
        length=255 if required else 40,
        values=values,
        nillable=not required,
        default=default,
    )


def checkbox(name: str, *, label: str | None = None, default: bool = False) -> Field:
    return Field(name=name, kind=Kind.BOOLEAN, label=label or spaced(name), nillable=False, default=default)


def reference(
    name: str, *targets: str, label: str | None = None, relationship: str | None = None, cascade: bool = False
) -> Field:
    return Field(
        name=name,
        kind=Kind.REFERENCE,
        label=label or spaced(name.removesuffix("Id")) + " ID",
        length=18,
        targets=targets,
        relationship=relationship or name.removesuffix("Id"),
        cascade=cascade,
    )


def external_ids() -> tuple[Field, Field]:
    """Two ids of other systems: the first is unique, the second may be shared."""
    return _external_id("External_Id__c", unique=True), _external_id("Legacy_Id__c", unique=False)


def _external_id(name: str, *, unique: bool) -> Field:
    return Field(name=name, kind=Kind.STRING, label=spaced(name), length=255, external_id=True, unique=unique)


def computed(name: str, kind: Kind, length: int = 0, *, label: str | None = None) -> Field:
    """A field that the org fills itself."""
    return Field(
        name=name,
        kind=kind,
        label=label or spaced(name),
        length=length,
        nillable=False,
        createable=False,
        updateable=False,
    )
