"""The short words by which objects are written down."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from runner.emulator.schema import Choice, Field, Kind

GEOCODE_ACCURACIES = (
    "Address", "NearAddress", "Block", "Street", "ExtendedZip", "Zip", "Neighborhood", "City", "County",
    "State", "Unknown",
)  # fmt: skip
SALUTATIONS = ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx.")


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


def plain(
    name: str, kind: Kind, length: int = 0, *, label: str | None = None, required: bool = False
) -> Field:
    """A field of any kind without anything special."""
    return Field(name=name, kind=kind, label=label or spaced(name), length=length, nillable=not required)


def number(
    name: str, kind: Kind, precision: int, scale: int, *, label: str | None = None, required: bool = False
) -> Field:
    return Field(
        name=name,
        kind=kind,
        label=label or spaced(name),
        precision=precision,
        scale=scale,
        nillable=not required,
    )


def picklist(
    name: str, *values: str, label: str | None = None, default: str | None = None, required: bool = False
) -> Field:
    """A list to choose from, open to other values, as most standard ones are."""
    return Field(
        name=name,
        kind=Kind.PICKLIST,
        label=label or spaced(name),
        length=255,
        choices=choices(values),
        nillable=not required,
        default=default,
    )


def restricted(field: Field) -> Field:
    """The list, held to its own values."""
    return msgspec.structs.replace(field, restricted=True)


def choices(values: Iterable[str]) -> tuple[Choice, ...]:
    return tuple(Choice(value, value) for value in values)


def checkbox(name: str, *, label: str | None = None, default: bool = False) -> Field:
    return Field(name=name, kind=Kind.BOOLEAN, label=label or spaced(name), nillable=False, default=default)


def reference(name: str, *targets: str, label: str | None = None, children: str | None = None) -> Field:
    """A reference that may be empty. ``children``: the name of the list on the other side."""
    return Field(
        name=name,
        kind=Kind.REFERENCE,
        label=label or spaced(name.removesuffix("Id")) + " ID",
        length=18,
        targets=targets,
        relationship=name.removesuffix("Id"),
        children=children,
    )


def cascading(field: Field) -> Field:
    """The reference, whose records go with the one that they point to."""
    return msgspec.structs.replace(field, cascade=True)


def belonging(field: Field) -> Field:
    """The reference, which must be given and stays: the detail of a master."""
    return msgspec.structs.replace(field, nillable=False, updateable=False, cascade=True)


def external_ids() -> tuple[Field, Field]:
    """Two ids of other systems: the first is unique, the second may be shared."""
    return _external_id("External_Id__c", unique=True), _external_id("Legacy_Id__c", unique=False)


def _external_id(name: str, *, unique: bool) -> Field:
    return Field(name=name, kind=Kind.STRING, label=spaced(name), length=255, external_id=True, unique=unique)


def computed(
    name: str, kind: Kind, length: int = 0, *, label: str | None = None, nillable: bool = False
) -> Field:
    """A field that the org fills itself."""
    return Field(
        name=name,
        kind=kind,
        label=label or spaced(name),
        length=length,
        nillable=nillable,
        createable=False,
        updateable=False,
    )


def record_id(label: str) -> Field:
    return computed("Id", Kind.ID, 18, label=label)


def address(prefix: str) -> tuple[Field, ...]:
    """The parts of an address and the compound field over them."""
    compound = f"{prefix}Address"
    parts = (
        plain(f"{prefix}Street", Kind.TEXTAREA, 255),
        text(f"{prefix}City", 40),
        text(f"{prefix}State", 80, label=f"{prefix} State/Province".strip()),
        text(f"{prefix}PostalCode", 20, label=f"{prefix} Zip/Postal Code".strip()),
        text(f"{prefix}Country", 80),
        number(f"{prefix}Latitude", Kind.DOUBLE, 18, 15),
        number(f"{prefix}Longitude", Kind.DOUBLE, 18, 15),
        msgspec.structs.replace(
            restricted(picklist(f"{prefix}GeocodeAccuracy", *GEOCODE_ACCURACIES)), length=40
        ),
    )
    keys = ("street", "city", "state", "postalCode", "country", "latitude", "longitude", "geocodeAccuracy")
    whole = Field(
        name=compound,
        kind=Kind.ADDRESS,
        label=spaced(compound),
        createable=False,
        updateable=False,
        parts=tuple(sorted(zip(keys, (part.name for part in parts), strict=True))),
    )
    return (*(msgspec.structs.replace(part, part_of=compound) for part in parts), whole)


def person() -> tuple[Field, ...]:
    """The parts of a name and the whole."""
    parts = (
        text("LastName", 80, required=True),
        text("FirstName", 40),
        msgspec.structs.replace(picklist("Salutation", *SALUTATIONS), length=40),
    )
    named = tuple(msgspec.structs.replace(part, part_of="Name") for part in parts)
    return (*named, computed("Name", Kind.STRING, 121, label="Full Name"))


def system(*, owners: tuple[str, ...] = ("User",)) -> tuple[Field, ...]:
    """What every record has; ``Id`` stands first and is not among them. Without owners nobody owns it."""
    owner = (_set_by_org("OwnerId", owners, updateable=True),) if owners else ()
    return (
        *owner,
        computed("IsDeleted", Kind.BOOLEAN, label="Deleted"),
        computed("CreatedDate", Kind.DATETIME),
        _set_by_org("CreatedById", ("User",)),
        computed("LastModifiedDate", Kind.DATETIME),
        _set_by_org("LastModifiedById", ("User",)),
        computed("SystemModstamp", Kind.DATETIME, label="System Modstamp"),
    )


def viewed() -> tuple[Field, ...]:
    """When the user who asks has looked at it, or at what leads to it."""
    return (
        computed("LastViewedDate", Kind.DATETIME, nillable=True),
        computed("LastReferencedDate", Kind.DATETIME, nillable=True),
    )


def activity() -> Field:
    return computed("LastActivityDate", Kind.DATE, label="Last Activity", nillable=True)


def _set_by_org(name: str, targets: tuple[str, ...], *, updateable: bool = False) -> Field:
    """A reference to a user that a record always has."""
    return Field(
        name=name,
        kind=Kind.REFERENCE,
        label=name.removesuffix("Id").replace("Last", "Last ").replace("By", " By") + " ID",
        length=18,
        nillable=False,
        createable=updateable,
        updateable=updateable,
        targets=targets,
        relationship=name.removesuffix("Id"),
        default="" if updateable else None,
    )
