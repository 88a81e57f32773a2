"""Fields that an administrator has added to an object: as many as are asked for, of every kind in turn."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import msgspec

from runner.emulator.errors import OptionError
from runner.emulator.objects.fields import checkbox, number, picklist, plain, restricted, text
from runner.emulator.schema import Field, Kind, ObjectType, Schema

#: custom fields that an object may have in the largest edition
MOST = 800
LEVELS = ("Low", "Middle", "High")
_NAME = re.compile(r"[A-Z][a-z]+_[A-Z][a-z]+_\d{3}__c")
_WISH = re.compile(r"(\w+)=(\d+)")

#: one of each kind, by the beginning of its name
_KINDS: tuple[tuple[str, Callable[[str], Field]], ...] = (
    ("Internal_Remark", lambda name: text(name, 255)),
    ("Yearly_Revenue", lambda name: number(name, Kind.CURRENCY, 16, 2)),
    ("Renewal_Date", lambda name: plain(name, Kind.DATE)),
    ("Newsletter_Wanted", checkbox),
    ("Office_Count", lambda name: number(name, Kind.DOUBLE, 8, 0)),
    ("Discount_Rate", lambda name: number(name, Kind.PERCENT, 5, 2)),
    ("Reviewed_At", lambda name: plain(name, Kind.DATETIME)),
    ("Interest_Level", lambda name: restricted(picklist(name, *LEVELS))),
    ("Billing_Mail", lambda name: plain(name, Kind.EMAIL, 80)),
    ("Support_Phone", lambda name: plain(name, Kind.PHONE, 40)),
    ("Portal_Address", lambda name: plain(name, Kind.URL, 255)),
    ("Long_Story", lambda name: plain(name, Kind.TEXTAREA, 32768)),
)


def wish(written: str) -> tuple[str, int]:
    """The object and how many fields it is to have more, of `Project__c=800`. Raises OptionError."""
    found = _WISH.fullmatch(written)
    count = int(found[2]) if found else 0
    if found is None or not 1 <= count <= MOST:
        example = f"write an object and up to {MOST} fields, such as Project__c=200"
        raise OptionError(f"{written!r} says no number of custom fields; {example}")
    return found[1], count


def widened(schema: Schema, wishes: Iterable[str]) -> Schema:
    """The schema with custom fields more. Raises OptionError."""
    counts = dict(map(wish, wishes))
    for name in counts:
        if schema.get(name) is None:
            raise OptionError(f"There is no object {name!r} that could have custom fields")
    wide = {name.lower(): count for name, count in counts.items()}
    if not wide:
        return schema
    return Schema(tuple(_wider(item, wide.get(item.name.lower(), 0)) for item in schema))


def added(item: ObjectType) -> Sequence[Field]:
    """The fields of an object that were added so."""
    return [field for field in item.fields if _NAME.fullmatch(field.name)]


def _wider(item: ObjectType, count: int) -> ObjectType:
    return msgspec.structs.replace(item, fields=(*item.fields, *map(_field, range(1, count + 1))))


def _field(position: int) -> Field:
    stem, make = _KINDS[position % len(_KINDS)]
    return make(f"{stem}_{position:03}__c")
