"""The shape of a record, read off a sync's `fields`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from runner.definitions.model import Field, FieldFrom, Fixed, Sync

#: `any` is any JSON; `key` a primary key that names no type: a text or a whole number
Kind = Literal["any", "key", "text", "number", "integer", "boolean", "timestamp"]
_KEYS: Mapping[str | None, Kind] = {
    None: "key", "text": "text", "timestamp": "timestamp", "integer": "integer", "number": "integer",
}  # fmt: skip
_KINDS: Mapping[str | None, Kind] = {
    None: "any", "text": "text", "number": "number", "integer": "integer", "boolean": "boolean",
    "timestamp": "timestamp",
}  # fmt: skip


class Scalar(msgspec.Struct, frozen=True):
    """A single value."""

    kind: Kind


class Constant(msgspec.Struct, frozen=True):
    """The same value in every record."""

    value: object


class MapShape(msgspec.Struct, frozen=True):
    """A map of members; an open one may have any others beside them."""

    members: Mapping[str, Member]
    is_open: bool = False


class ListShape(msgspec.Struct, frozen=True):
    """A list of maps."""

    item: MapShape


Shape = Scalar | Constant | MapShape | ListShape


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """What stands under a name of a map."""

    shape: Shape
    #: whether it is always there
    required: bool = False
    #: whether it may be null
    nullable: bool = False


def shape_of(sync: Sync) -> MapShape:
    """What a sync stores of a record.

    Of a sync that keeps records that do not fit (`on_bad_record: keep`) no type can be promised.
    """
    typed = sync.on_bad_record != "keep"
    key = sync.primary_key
    if not isinstance(sync.fields, Mapping):
        return MapShape({key: Member(shape=Scalar("key"), required=True)}, is_open=True)
    members = {name: _member(field, typed=typed) for name, field in sync.fields.items()}
    return MapShape({**members, key: _key(sync.fields[key], typed=typed)})


def _member(field: Field, *, typed: bool) -> Member:
    if isinstance(field, Fixed):
        return Member(shape=Constant(field.value), required=True)
    if isinstance(field, FieldFrom):
        return Member(shape=Scalar(_KINDS[field.type if typed else None]), nullable=True)
    inner = MapShape({name: _member(one, typed=typed) for name, one in field.fields.items()})
    if field.foreach is not None:
        return Member(shape=ListShape(inner), nullable=True)
    return Member(shape=inner, required=any(one.required for one in inner.members.values()))


def _key(field: Field, *, typed: bool) -> Member:
    """The primary key, without which nothing is stored."""
    if not isinstance(field, FieldFrom):
        return msgspec.structs.replace(_member(field, typed=typed), required=True, nullable=False)
    return Member(shape=Scalar(_KEYS.get(field.type if typed else None, "key")), required=True)
