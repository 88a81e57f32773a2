"""What functions and filters do: on JSON's values, without a file, the network or Python's own objects.

A list is what is expected where a list is; null and absent are an empty one.
"""

from __future__ import annotations

import base64 as _base64
import hashlib
import hmac as _hmac
import json as _json
import re
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Final
from urllib.parse import quote

from markupsafe import escape as _escape

from runner.definitions.bounds import MAX_ITEMS, MAX_TEXT, TooMuch, bounded, spend, weigh
from runner.definitions.conversions import (
    format_instant,
    instant,
    integer,
    json,
    number,
    text,
)  # fmt: skip
from runner.definitions.values import ABSENT, describe, is_absent, is_nothing

#: names that a path may have
_MAX_STEPS: Final = 50
#: decimal places that `round` knows
_MAX_PLACES: Final = 300


def _random() -> str:
    from uuid import uuid4

    return str(uuid4())


#: where `now()` takes the time from, in seconds since 1970, and `uuid()` its ids; tests of definitions have
#: their own, within their context
clock: Final[ContextVar[Callable[[], float]]] = ContextVar("clock", default=time.time)
ids: Final[ContextVar[Callable[[], str]]] = ContextVar("ids", default=_random)


def now() -> str:
    return format_instant(instant(clock.get()()))


def uuid() -> str:
    return ids.get()()


def from_json(value: object) -> object:
    try:
        return _json.loads(text(value), parse_constant=_no_constant)
    except ValueError as exc:
        raise ValueError(f"{describe(value)} is no JSON: {exc}") from exc


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no number")


def base64(value: object) -> str:
    return _base64.b64encode(_bytes(value)).decode()


def urlencode(value: object) -> str:
    """Percent-encoded (RFC 3986 §2.1); a map as `a=1&b=2`."""
    if isinstance(value, Mapping):
        weigh(value)
        return "&".join(f"{urlencode(k)}={urlencode(v)}" for k, v in value.items() if not is_absent(v))
    return bounded(quote(text(value), safe=""))


def sha256(value: object) -> str:
    return hashlib.sha256(_bytes(value)).hexdigest()


def hmac(value: object, key: object, algorithm: object = "sha256") -> str:
    if algorithm not in ("sha1", "sha256", "sha384", "sha512"):
        known = "sha1, sha256, sha384, sha512"
        raise ValueError(f"{describe(algorithm)} is no algorithm for `hmac`; there are {known}")
    return _hmac.new(_bytes(key), _bytes(value), str(algorithm)).hexdigest()


def _bytes(value: object) -> bytes:
    if is_nothing(value):
        raise TypeError(f"expected a text, found {describe(value)}")
    return value if isinstance(value, bytes) else text(value).encode()


def default(value: object, otherwise: object = "") -> object:
    return otherwise if is_nothing(value) else value


def join(separator: object, *parts: object) -> str:
    """The parts that are neither null nor absent, with ``separator`` between; one list stands for its items.

    As a filter it takes the list first: `names | join(', ')`.
    """
    if not isinstance(separator, str):
        items, glue = items_of(separator), text(parts[0]) if parts else ""
    else:
        items = items_of(parts[0]) if len(parts) == 1 and isinstance(parts[0], (list, tuple)) else list(parts)
        glue = separator
    return concatenated([text(item) for item in items if not is_nothing(item)], glue)


def concatenated(parts: list[str], glue: str = "") -> str:
    """Texts put together, refused before they are where the result would be too long."""
    length = sum(map(len, parts)) + len(glue) * len(parts)
    if length > MAX_TEXT + len(glue):
        raise TooMuch(f"a text longer than {MAX_TEXT:,} characters")
    return glue.join(parts)


def chunk(value: object, size: object) -> list[list[object]]:
    items, width = items_of(value), integer(size)
    if width < 1:
        raise ValueError("`chunk` needs a size of at least 1")
    return [items[start : start + width] for start in range(0, len(items), width)]


def pluck(value: object, path: object) -> list[object]:
    """The value at ``path`` (`Account.Name`) of each item, without those that have none."""
    steps = _steps(path)
    return [found for item in items_of(value) if not is_absent(found := _at(item, steps))]


def unique(value: object, path: object = None) -> list[object]:
    """The items without repetitions, told apart by the value at ``path``, or whole."""
    seen: dict[str, object] = {}
    steps = [] if path is None else _steps(path)
    for item in items_of(value):
        seen.setdefault(_identity(_at(item, steps)), item)
    return list(seen.values())


def groupby(value: object, path: object) -> list[dict[str, object]]:
    """Maps of `key` and `items`, in the order in which the values at ``path`` first appear."""
    groups: dict[str, dict[str, object]] = {}
    members: dict[str, list[object]] = {}
    steps = _steps(path)
    for item in items_of(value):
        key = _at(item, steps)
        identity = _identity(key)
        inside = members.setdefault(identity, [])
        groups.setdefault(identity, {"key": None if is_absent(key) else key, "items": inside})
        inside.append(item)
    return list(groups.values())


def _identity(value: object) -> str:
    return "" if is_absent(value) else json(value)


def without(value: object, *names: object) -> dict[object, object]:
    return {key: item for key, item in map_of(value, "without").items() if key not in names}


def merge(value: object, *others: object) -> dict[object, object]:
    """The maps as one; of a key that several have, the last counts."""
    result: dict[object, object] = {}
    for part in (value, *others):
        result.update(map_of(part, "merge"))
    return result


def items(value: object) -> list[list[object]]:
    """A list of `[key, value]`."""
    return [[key, item] for key, item in map_of(value, "items").items()]


def snake_case(value: object) -> str:
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])", r"\1\3_\2\4", text(value))
    return re.sub(r"[^0-9A-Za-z]+", "_", spaced).strip("_").lower()


def snake_case_keys(value: object) -> object:
    """Maps with their keys in snake case, all the way down."""
    weigh(value)
    return _snake_case_keys(value)


def _snake_case_keys(value: object) -> object:
    if isinstance(value, Mapping):
        return {snake_case(key): _snake_case_keys(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_snake_case_keys(item) for item in value]
    return value


def replace(value: object, old: object, new: object) -> str:
    source, before, after = text(value), text(old), text(new)
    if not before:
        raise ValueError("`replace` needs something to look for")
    if len(source) + source.count(before) * (len(after) - len(before)) > MAX_TEXT:
        raise TooMuch(f"a text longer than {MAX_TEXT:,} characters")
    return source.replace(before, after)


def escape(value: object) -> str:
    """With `&`, `<`, `>` and quotes written as HTML and XML write them."""
    return bounded(str(_escape(text(value))))


def round_(value: object, places: object = 0) -> int | float:
    found, precision = number(value), integer(places)
    if abs(precision) > _MAX_PLACES:
        raise ValueError(f"`round` knows up to {_MAX_PLACES} places")
    return round(found, precision)


def abs_(value: object) -> int | float:
    return abs(number(value))


def sum_(value: object, path: object = None) -> int | float:
    """The sum of the numbers, or of those at ``path``; null and absent count nothing."""
    steps = [] if path is None else _steps(path)
    found = [_at(item, steps) for item in items_of(value)]
    return sum(number(one) for one in found if not is_nothing(one))


def range_(limit: object, *further: object) -> list[int]:
    result = range(*(integer(one) for one in (limit, *further)))
    if len(result) > MAX_ITEMS:
        raise TooMuch(f"`range` gives at most {MAX_ITEMS:,} numbers")
    spend(5 * len(result))
    return list(result)


def items_of(value: object) -> list[object]:
    if is_nothing(value):
        return []
    if isinstance(value, (list, tuple)):
        return list(value)
    raise TypeError(f"expected a list, found {describe(value)}")


def map_of(value: object, function: str) -> Mapping[object, object]:
    if isinstance(value, Mapping):
        return value
    raise TypeError(f"`{function}` works on a map, not on {describe(value)}")


def _steps(path: object) -> list[str]:
    steps = text(path).split(".")
    if len(steps) > _MAX_STEPS:
        raise ValueError(f"a path has at most {_MAX_STEPS} names")
    return steps


def _at(value: object, steps: list[str]) -> object:
    for name in steps:
        if value is None:
            return None
        if not isinstance(value, Mapping) or name not in value:
            return ABSENT
        value = value[name]
    return value
