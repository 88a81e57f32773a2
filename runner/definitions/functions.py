"""The functions, filters and tests that every expression may use.

Each works on JSON's values; none reaches a file, the network or Python's own objects. What converts is
strict: a value that does not convert is an error that shows it.
"""

from __future__ import annotations

import base64 as _base64
import hashlib
import hmac as _hmac
import json as _json
import re
import uuid as _uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from runner.definitions.values import ABSENT, MAX_ITEMS, bounded, is_absent, is_nothing

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def duration(text: object) -> float:
    """Seconds of `90s`, `5m`, `1h30m`, `2d`; a number is taken as seconds.

    Raises:
        ValueError: it is no duration.
    """
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        return float(text)
    parts = _DURATION.findall(text) if isinstance(text, str) else []
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{_show(text)} is no duration; write `30s`, `5m`, `2h` or `1d`")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


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
    raise ValueError(f"{_show(value)} is no time; expected one such as `2026-07-24T14:05:58Z`")


def format_instant(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, microseconds where there are any: `2026-07-24T14:05:58.000Z`."""
    moment = moment.astimezone(UTC)
    unit = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.replace(tzinfo=None).isoformat(timespec=unit) + "Z"


def timestamp(value: object) -> str:
    return format_instant(instant(value))


def now() -> str:
    return format_instant(datetime.now(UTC))


def uuid() -> str:
    return str(_uuid.uuid4())


def number(value: object) -> int | float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        text = value.strip()
        return int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)
    raise ValueError(f"{_show(value)} is no number")


def integer(value: object) -> int:
    found = number(value)
    if isinstance(found, float) and not found.is_integer():
        raise ValueError(f"{_show(value)} is no whole number")
    return int(found)


def boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise ValueError(f"{_show(value)} is neither true nor false")


def text(value: object) -> str:
    """How a value stands in text: texts as they are, `true` and `false`, numbers, lists and maps as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, list, tuple, dict)):
        return json(value)
    return str(value)


def json(value: object) -> str:
    return str(bounded(_json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_foreign)))


def from_json(value: object) -> object:
    try:
        return _json.loads(text(value))
    except ValueError as exc:
        raise ValueError(f"{_show(value)} is no JSON: {exc}") from exc


def base64(value: object) -> str:
    return _base64.b64encode(_bytes(value)).decode()


def urlencode(value: object) -> str:
    if isinstance(value, Mapping):
        return "&".join(f"{urlencode(k)}={urlencode(v)}" for k, v in value.items() if not is_absent(v))
    return quote(text(value), safe="")


def sha256(value: object) -> str:
    return hashlib.sha256(_bytes(value)).hexdigest()


def hmac(value: object, key: object, algorithm: str = "sha256") -> str:
    if algorithm not in ("sha1", "sha256", "sha384", "sha512"):
        raise ValueError(f"{algorithm!r} is no algorithm for `hmac`; there are sha1, sha256, sha384, sha512")
    return _hmac.new(_bytes(key), _bytes(value), algorithm).hexdigest()


def default(value: object, otherwise: object = "") -> object:
    return otherwise if is_nothing(value) else value


def join(separator: object, *parts: object) -> str:
    """The parts that are neither null nor absent, with ``separator`` between; one list stands for its items.

    As a filter it takes the list first: `names | join(', ')`.
    """
    if not isinstance(separator, str):
        items, glue = _items(separator), text(parts[0]) if parts else ""
    else:
        items = _items(parts[0]) if len(parts) == 1 and isinstance(parts[0], (list, tuple)) else parts
        glue = separator
    return str(bounded(glue.join(text(item) for item in items if not is_nothing(item))))


def chunk(value: object, size: object) -> list[list[object]]:
    items, width = list(_items(value)), integer(size)
    if width < 1:
        raise ValueError("`chunk` needs a size of at least 1")
    return [items[start : start + width] for start in range(0, len(items), width)]


def pluck(value: object, path: str) -> list[object]:
    """The value at ``path`` (`Account.Name`) of each item, without those that have none."""
    return [found for item in _items(value) if not is_absent(found := _at(item, path))]


def unique(value: object, path: str | None = None) -> list[object]:
    seen: dict[str, object] = {}
    for item in _items(value):
        seen.setdefault(json(_at(item, path) if path else item), item)
    return list(seen.values())


def without(value: object, *names: str) -> dict[object, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"`without` works on a map, not on {_show(value)}")
    return {key: item for key, item in value.items() if key not in names}


def merge(value: object, *others: object) -> dict[object, object]:
    result: dict[object, object] = {}
    for part in (value, *others):
        if not isinstance(part, Mapping):
            raise TypeError(f"`merge` works on maps, not on {_show(part)}")
        result.update(part)
    return result


def snake_case(value: object) -> str:
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])", r"\1\3_\2\4", text(value))
    return re.sub(r"[^0-9A-Za-z]+", "_", spaced).strip("_").lower()


def snake_case_keys(value: object) -> object:
    if isinstance(value, Mapping):
        return {snake_case(key): snake_case_keys(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [snake_case_keys(item) for item in value]
    return value


def replace(value: object, old: str, new: str) -> str:
    source = text(value)
    if not old:
        raise ValueError("`replace` needs something to look for")
    bounded_growth(len(source) + source.count(old) * (len(new) - len(old)))
    return source.replace(old, new)


def bounded_growth(size: int) -> None:
    if size > MAX_ITEMS:
        raise ValueError(f"the result would be longer than {MAX_ITEMS:,} characters")


def bounded_range(*limits: object) -> range:
    result = range(*(integer(limit) for limit in limits))
    if len(result) > 100_000:
        raise ValueError("`range` gives at most 100,000 numbers")
    return result


def _items(value: object) -> Iterable[object]:
    if is_nothing(value):
        return ()
    if isinstance(value, (list, tuple, range, Iterator)):
        return value
    raise TypeError(f"expected a list, found {_show(value)}")


def _at(value: object, path: str) -> object:
    for name in path.split("."):
        if value is None:
            return None
        if not isinstance(value, Mapping) or name not in value:
            return ABSENT
        value = value[name]
    return value


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else text(value).encode()


def _foreign(value: object) -> object:
    if is_absent(value):
        raise TypeError("a part of it is absent")
    if isinstance(value, datetime):
        return format_instant(value)
    raise TypeError(f"a {type(value).__name__} cannot be said in JSON")


def _show(value: object) -> str:
    if is_absent(value):
        return "an absent value"
    if value is None:
        return "null"
    shown = repr(value) if isinstance(value, (str, int, float, bool)) else f"a {_kind(value)}"
    return shown if len(shown) <= 60 else shown[:57] + "…"


def _kind(value: object) -> str:
    return (
        "map"
        if isinstance(value, Mapping)
        else "list"
        if isinstance(value, Sequence)
        else type(value).__name__
    )


#: callable by name: `join(' ', a, b)`
FUNCTIONS: Mapping[str, Callable[..., object]] = {
    "now": now, "uuid": uuid, "timestamp": timestamp, "duration": duration, "json": json,
    "from_json": from_json, "base64": base64, "urlencode": urlencode, "sha256": sha256, "hmac": hmac,
    "number": number, "integer": integer, "boolean": boolean, "join": join, "default": default,
    "chunk": chunk, "pluck": pluck, "unique": unique, "range": bounded_range,
}  # fmt: skip

#: usable behind a `|`: `records | pluck('id')`
FILTERS: Mapping[str, Callable[..., object]] = {
    **{name: function for name, function in FUNCTIONS.items() if name not in ("now", "uuid", "range")},
    "tojson": json, "string": text, "without": without, "merge": merge, "snake_case": snake_case,
    "snake_case_keys": snake_case_keys, "replace": replace, "d": default,
}  # fmt: skip

#: Jinja's own filters that stay: they work on values and cannot grow without bound
KEPT_FILTERS = frozenset(
    [
        "abs",
        "attr",
        "capitalize",
        "count",
        "dictsort",
        "e",
        "escape",
        "first",
        "float",
        "groupby",
        "int",
        "items",
        "last",
        "length",
        "list",
        "lower",
        "map",
        "max",
        "min",
        "reject",
        "rejectattr",
        "reverse",
        "round",
        "select",
        "selectattr",
        "sort",
        "sum",
        "title",
        "trim",
        "truncate",
        "upper",
    ]
) - {"attr"}

#: Jinja's own tests that stay, and one of ours: `x is present` (neither null nor absent)
KEPT_TESTS = frozenset(
    [
        "boolean",
        "defined",
        "divisibleby",
        "eq",
        "equalto",
        "even",
        "false",
        "float",
        "ge",
        "greaterthan",
        "gt",
        "in",
        "integer",
        "iterable",
        "le",
        "lessthan",
        "lower",
        "lt",
        "mapping",
        "ne",
        "none",
        "number",
        "odd",
        "sequence",
        "string",
        "true",
        "undefined",
        "upper",
    ]
)
