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
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from runner.definitions.bounds import MAX_ITEMS, bounded
from runner.definitions.conversions import (
    boolean,
    duration,
    format_instant,
    integer,
    json,
    number,
    text,
    timestamp,
)  # fmt: skip
from runner.definitions.values import ABSENT, describe, is_absent, is_nothing


def now() -> str:
    return format_instant(datetime.now(UTC))


def uuid() -> str:
    return str(_uuid.uuid4())


def from_json(value: object) -> object:
    try:
        return _json.loads(text(value))
    except ValueError as exc:
        raise ValueError(f"{describe(value)} is no JSON: {exc}") from exc


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
        raise TypeError(f"`without` works on a map, not on {describe(value)}")
    return {key: item for key, item in value.items() if key not in names}


def merge(value: object, *others: object) -> dict[object, object]:
    result: dict[object, object] = {}
    for part in (value, *others):
        if not isinstance(part, Mapping):
            raise TypeError(f"`merge` works on maps, not on {describe(part)}")
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
    raise TypeError(f"expected a list, found {describe(value)}")


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
