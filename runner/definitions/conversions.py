"""Values brought from one form to another: times, durations, numbers, booleans, text, JSON.

Each conversion is strict: a value that does not convert is an error that shows it.
"""

from __future__ import annotations

import json as _json
import math
import re
from datetime import UTC, datetime

from runner.definitions.bounds import bounded, weigh
from runner.definitions.values import describe, is_absent

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_BYTES = {"KB": 10**3, "MB": 10**6, "GB": 10**9}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)(KB|MB|GB)")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
#: digits beyond which a text is no number
_MAX_DIGITS = 1000


def duration(value: object) -> float:
    """Seconds of `90s`, `5m`, `1h30m`, `2d`; a number is taken as seconds.

    Raises:
        ValueError: it is no duration.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    parts = _DURATION.findall(value) if isinstance(value, str) else []
    if not parts or "".join(number + unit for number, unit in parts) != value:
        raise ValueError(f"{describe(value)} is no duration; write `30s`, `5m`, `2h` or `1d`")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def byte_count(text: object) -> int:
    """Bytes of `500KB`, `100MB`, `2GB`, in powers of ten.

    Raises:
        ValueError: it is no size.
    """
    found = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"{describe(text)} is no size; write `500KB`, `100MB` or `2GB`")
    return int(float(found[1]) * _BYTES[found[2]])


def instant(value: object) -> datetime:
    """The moment that an ISO 8601 text, or a number of seconds since 1970, names; UTC where it names no zone.

    Raises:
        ValueError: it names none.
    """
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise ValueError(f"{describe(value)} is no time; expected one such as `2026-07-24T14:05:58Z`")


def format_instant(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, microseconds where there are any: `2026-07-24T14:05:58.000Z`."""
    moment = moment.astimezone(UTC)
    unit = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.replace(tzinfo=None).isoformat(timespec=unit) + "Z"


def timestamp(value: object) -> str:
    return format_instant(instant(value))


def number(value: object) -> int | float:
    """The number that a value is, or that a text writes.

    Raises:
        ValueError: it is none, or none that JSON can say.
    """
    found: int | float | None = None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        found = value
    elif isinstance(value, str) and len(value) <= _MAX_DIGITS and _NUMBER.fullmatch(value.strip()):
        text = value.strip()
        found = int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)
    if found is None or (isinstance(found, float) and not math.isfinite(found)):
        raise ValueError(f"{describe(value)} is no number")
    return found


def integer(value: object) -> int:
    """The whole number that a value is, or that a text writes.

    Raises:
        ValueError: it is none.
    """
    found = number(value)
    if isinstance(found, float) and not found.is_integer():
        raise ValueError(f"{describe(value)} is no whole number")
    return int(found)


def boolean(value: object) -> bool:
    """True or false, or the text that writes one of them.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise ValueError(f"{describe(value)} is neither true nor false")


def text(value: object) -> str:
    """How a value stands in text: texts as they are, everything else as JSON writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, list, tuple, dict)) or value is None:
        return json(value)
    return str(value)


def json(value: object) -> str:
    """A value as JSON, without spaces.

    Raises:
        ValueError: a number in it is one that JSON cannot say.
        TypeError: something in it is no value of JSON.
    """
    weigh(value)
    try:
        written = _json.dumps(
            value, ensure_ascii=False, separators=(",", ":"), default=_foreign, allow_nan=False
        )
    except ValueError as exc:
        raise ValueError("a number in it is one that JSON cannot say") from exc
    return bounded(written)


def _foreign(value: object) -> object:
    if is_absent(value):
        raise TypeError("a part of it is absent")
    if isinstance(value, datetime):
        return format_instant(value)
    raise TypeError(f"a {type(value).__name__} cannot be said in JSON")
