"""A field's value as JSON has it, turned into what its column keeps, or refused in the org's words."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date

import orjson

from runner.emulator import clock, ids
from runner.emulator.database import Value
from runner.emulator.errors import ApiError
from runner.emulator.schema import NUMBERS, Field, Kind

_EMAIL = re.compile(r"[^@\s<>()\[\],;:\"]+@[^@\s<>()\[\],;:\"]+\.[^@\s.<>()\[\],;:\"]+")
_WHOLE = 2**31


def column_value(field: Field, value: object) -> Value:
    """What the column keeps; None for an empty field. Raises ApiError."""
    if value is None or value == "":
        return 0 if field.kind is Kind.BOOLEAN else None
    return _CONVERT.get(field.kind, _text)(field, value)


class Unfit(ApiError):
    """The value is not of the field's type."""

    def __init__(self, field: Field, value: object) -> None:
        super().__init__("JSON_PARSER_ERROR", _as_json_says(field, value))
        self.field = field
        self.value = value


def _as_json_says(field: Field, value: object) -> str:
    kind = {bool: "BOOLEAN", int: "NUMBER_INT", float: "NUMBER_FLOAT", str: "STRING"}.get(type(value))
    shown = value if kind else orjson.dumps(value).decode()
    token = f"VALUE_{kind}" if kind else "START_OBJECT" if isinstance(value, dict) else "START_ARRAY"
    return (
        f"Cannot deserialize instance of {field.kind} from {token} value {shown} or request may be missing a "
        f"required field at {field.name}"
    )


def _text(field: Field, value: object) -> Value:
    if isinstance(value, bool):
        value = "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise Unfit(field, value)
    text = str(value).replace("\x00", "").strip()
    if len(text) > field.length:
        message = f"{field.label}: data value too large: {text} (max length={field.length})"
        raise ApiError("STRING_TOO_LONG", message, fields=[field.name])
    return text or None


def _email(field: Field, value: object) -> Value:
    text = _text(field, value)
    if text is not None and not _EMAIL.fullmatch(str(text)):
        message = f"{field.label}: invalid email address: {text}"
        raise ApiError("INVALID_EMAIL_ADDRESS", message, fields=[field.name])
    return text


def _picklist(field: Field, value: object) -> Value:
    text = _text(field, value)
    if text is not None:
        _check_choice(field, str(text))
    return text


def _multipicklist(field: Field, value: object) -> Value:
    """Values joined by semicolons, each once."""
    text = _text(field, value)
    parts = [part.strip() for part in str(text or "").split(";")]
    chosen = list(dict.fromkeys(part for part in parts if part))
    for part in chosen:
        _check_choice(field, part)
    return ";".join(chosen) or None


def _check_choice(field: Field, value: str) -> None:
    if field.restricted and all(value != choice.value for choice in field.choices):
        message = f"{field.label}: bad value for restricted picklist field: {value}"
        raise ApiError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, fields=[field.name])


def _boolean(field: Field, value: object) -> Value:
    if isinstance(value, bool):
        return int(value)
    known = {"true": 1, "1": 1, "false": 0, "0": 0}
    if isinstance(value, str) and value.lower() in known:
        return known[value.lower()]
    raise Unfit(field, value)


def _number(field: Field, value: object) -> Value:
    try:
        number = (
            float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
        )
    except (ValueError, OverflowError):
        number = math.nan
    whole = field.kind is Kind.INT
    if not math.isfinite(number) or (whole and number != int(number)):
        raise Unfit(field, value)
    if abs(number) >= (_WHOLE if whole else 10 ** (field.precision - field.scale)):
        message = f"{field.label}: value outside of valid range on numeric field: {value}"
        raise ApiError("NUMBER_OUTSIDE_VALID_RANGE", message, fields=[field.name])
    return int(number) if whole else round(number, field.scale)


def _date(field: Field, value: object) -> Value:
    try:
        return date.fromisoformat(_written(field, value)[:10]).isoformat()
    except ValueError as exc:
        raise Unfit(field, value) from exc


def _datetime(field: Field, value: object) -> Value:
    try:
        return clock.write(clock.read(_written(field, value)))
    except ValueError as exc:
        raise Unfit(field, value) from exc


def _written(field: Field, value: object) -> str:
    if not isinstance(value, str):
        raise Unfit(field, value)
    return value


def _reference(field: Field, value: object) -> Value:
    record_id = ids.normalise(value) if isinstance(value, str) else None
    if record_id is None:
        message = f"{field.label}: id value of incorrect type: {value}"
        raise ApiError("MALFORMED_ID", message, fields=[field.name])
    return record_id


_CONVERT: dict[Kind, Callable[[Field, object], Value]] = {
    Kind.EMAIL: _email,
    Kind.PICKLIST: _picklist,
    Kind.MULTIPICKLIST: _multipicklist,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
    Kind.DATETIME: _datetime,
    Kind.REFERENCE: _reference,
    **dict.fromkeys(NUMBERS, _number),
}
