"""What a person enters for a connection, held against what its provider says of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from runner.definitions.conversions import boolean, integer, number
from runner.definitions.model import ConfigField
from runner.definitions.values import describe
from runner.definitions.words import did_you_mean, there_are
from runner.errors import UsageError

_TYPES: Final[Mapping[str, Callable[[object], object]]] = {
    "number": number, "integer": integer, "boolean": boolean,
}  # fmt: skip
#: forms, and what one looks like
_FORMS: Final = {
    "uri": (re.compile(r"https?://[^/\s]+\S*"), "https://example.com"),
    "hostname": (re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*"), "shop.example.com"),
    "email": (re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+"), "ada@example.com"),
}


def entered(fields: Mapping[str, ConfigField], given: Mapping[str, object], what: str) -> dict[str, object]:
    """The values that were given, brought to their types.

    Args:
        what: how a message calls one of them.

    Raises:
        UsageError: one is not known, or is not what it must be.
    """
    for name in given:
        if name not in fields:
            hint = did_you_mean(name, fields, there_are(fields))
            raise UsageError(f"there is no {what} `{name}`", hint=hint)
    return {name: _value(fields[name], value, what) for name, value in given.items()}


def check_complete(fields: Mapping[str, ConfigField], given: Mapping[str, object], what: str) -> None:
    """Sees to it that nothing lacks that a connection cannot do without.

    Raises:
        UsageError: something does; what has a default, is optional or is told by a token answer is spared.
    """
    for name, field in fields.items():
        spare = field.optional or field.default is not None or field.captured is not None
        if not spare and given.get(name) in (None, ""):
            raise UsageError(f"the {what} {_called(field)} is missing", hint=_about(field) or None)


def _value(field: ConfigField, value: object, what: str) -> object:
    try:
        found = _TYPES[field.type](value) if field.type in _TYPES else value
    except ValueError as exc:
        said = f"must be {field.type}" if field.secret else str(exc)
        raise UsageError(f"the {what} {_called(field)}: {said}", hint=_about(field) or None) from exc
    wrong = _mismatch(field, found)
    if wrong is not None:
        shown = "what was given" if field.secret else describe(value)
        hint = _about(field) or wrong
        raise UsageError(f"the {what} {_called(field)} cannot be {shown}", hint=hint)
    return found


def _mismatch(field: ConfigField, value: object) -> str | None:
    if not isinstance(value, str):
        return None
    form = _FORMS.get(field.format or "")
    if form is not None and not form[0].fullmatch(value):
        return f"write one such as {form[1]}"
    if field.pattern is not None and not re.search(field.pattern, value):
        return f"it must match {field.pattern}"
    return None


def _called(field: ConfigField) -> str:
    return f"`{field.name}`" + (f" ({field.title})" if field.title not in ("", field.name) else "")


def _about(field: ConfigField) -> str:
    """What the provider says of a field, for somebody who is about to give it."""
    example = f"such as {field.example}" if field.example else ""
    return "; ".join(filter(None, [field.description.rstrip("."), example]))
