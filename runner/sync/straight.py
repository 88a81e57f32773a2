"""Fields that are nothing but paths of a record, taken by one function that is written for them.

What it does is what `mapping` does with getters, one by one: the same keys in the same order. It knows only
the usual case, in which every key is there; a record without one raises, and is left to the getters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runner.definitions.model import Field, FieldFrom, FieldMap

Convert = Callable[[object], object]
#: raises LookupError, TypeError or ValueError for a record of another shape
Straight = Callable[[object], dict[str, object]]


def straight(fields: Mapping[str, Field], types: Mapping[str, Convert]) -> Straight | None:
    """The function for ``fields``, in their order; None where one of them is more than a path.

    Args:
        types: what converts a value, by the names of the types.
    """
    written = _map(fields)
    if written is None:
        return None
    # Names and keys stand in it as literals, so that nothing of a definition is ever run.
    known: dict[str, object] = {f"to_{name}": convert for name, convert in types.items()}
    found: Straight = eval(f"lambda record: {written}", known)  # noqa: S307
    return found


def _map(fields: Mapping[str, Field]) -> str | None:
    parts = {name: _value(field) for name, field in fields.items()}
    if not parts or None in parts.values():
        return None
    return "{" + ", ".join(f"{name!r}: {value}" for name, value in parts.items()) + "}"


def _value(field: Field) -> str | None:
    if isinstance(field, FieldFrom):
        return _path(field)
    if isinstance(field, FieldMap) and field.foreach is None:
        return _map(field.fields)
    return None


def _path(field: FieldFrom) -> str | None:
    path = field.source.path
    if path is None or path[0] != "record" or len(path) < 2:
        return None
    written = f"record[{path[1]!r}]"
    for key in path[2:]:
        written = f"(None if (above := {written}) is None else above[{key!r}])"
    if field.type is None:
        return written
    return f"(None if (value := {written}) is None else to_{field.type}(value))"
