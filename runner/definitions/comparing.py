"""What differs between a sync's definition and the one before it.

Both are outlines: the parts of the file that decide which records are stored, and how, as they are written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, cast

import msgspec

Outline = Mapping[str, object]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One difference."""

    #: of fields added, removed, and retyped; all else is changed
    change: Literal["added", "removed", "retyped", "changed"]
    #: dotted, as `terapi explain` has it below `sync`: `fields.total`
    key: str
    #: of a field that is retyped the types, else what is written
    before: object = None
    after: object = None


class _Field(NamedTuple):
    """What is said of one field."""

    type: str
    content: object


def compared(before: Outline, after: Outline) -> list[Change]:
    """What differs, fields first; nothing where the two store the same."""
    found = [*_fields(before, after), *_others(before, after)]
    if not found and before != after:
        # The types of fields tell of it, where there is a field to tell.
        return [_changed("field_type", before.get("field_type"), after.get("field_type"))]
    return found


def _changed(key: str, before: object, after: object) -> Change:
    return Change(change="changed", key=key, before=before, after=after)


def _fields(before: Outline, after: Outline) -> Iterator[Change]:
    old, new = before.get("fields"), after.get("fields")
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _maps("fields", (old, before.get("field_type")), (new, after.get("field_type")))
    elif old != new:
        yield _changed("fields", old, new)


def _maps(
    key: str, before: tuple[Mapping[str, object], object], after: tuple[Mapping[str, object], object]
) -> Iterator[Change]:
    """The differences of two maps of fields, each with the type of those that name none."""
    (old, old_type), (new, new_type) = before, after
    for name in dict.fromkeys([*new, *old]):
        path = f"{key}.{name}"
        if name not in old:
            yield Change(change="added", key=path, after=new[name])
        elif name not in new:
            yield Change(change="removed", key=path, before=old[name])
        else:
            was, now = _field(old[name], old_type), _field(new[name], new_type)
            yield from _one(path, was, now)
            if was.type == now.type and now.type in ("map", "list"):
                inner = (_inner(old[name]), old_type), (_inner(new[name]), new_type)
                yield from _maps(path, *inner)


def _one(key: str, before: _Field, after: _Field) -> Iterator[Change]:
    if before.type != after.type:
        yield Change(change="retyped", key=key, before=before.type, after=after.type)
    elif before.content != after.content:
        yield _changed(key, before.content, after.content)


def _field(written: object, untyped: object) -> _Field:
    if not isinstance(written, Mapping):
        return _Field(str(untyped or "any"), written)
    if "value" in written:
        return _Field("constant", written["value"])
    if "from" in written:
        return _Field(str(written.get("type") or untyped or "any"), written["from"])
    around = {name: value for name, value in written.items() if name != "fields"}
    return _Field("list" if "foreach" in written else "map", around)


def _inner(written: object) -> Mapping[str, object]:
    return cast(Mapping[str, object], cast(Mapping[str, object], written)["fields"])


def _others(before: Outline, after: Outline) -> Iterator[Change]:
    for key in dict.fromkeys([*after, *before]):
        if key in ("fields", "field_type"):
            continue
        old, new = before.get(key), after.get(key)
        # The outline has of `incremental` what matters alone.
        name = "incremental" if key == "cursor" else key
        if (
            name in ("incremental", "vars", "foreach")
            and isinstance(old or {}, Mapping)
            and isinstance(new or {}, Mapping)
        ):
            yield from _entries(name, cast(Outline, old or {}), cast(Outline, new or {}))
        elif old != new:
            yield _changed(name, old, new)


def _entries(key: str, before: Outline, after: Outline) -> Iterator[Change]:
    for name in dict.fromkeys([*after, *before]):
        if before.get(name) != after.get(name):
            yield _changed(f"{key}.{name}", before.get(name), after.get(name))
