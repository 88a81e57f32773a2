"""What functions and filters do to bring records into shape: lists and maps turned into each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from typing import Final

from runner.definitions.bounds import spend, weigh
from runner.definitions.conversions import boolean, integer, number, text, timestamp
from runner.definitions.expressions.functions import items_of, map_of
from runner.definitions.values import ABSENT, describe, is_absent, is_nothing

#: one link of a Link header: its address, then its parameters (RFC 8288 §3)
_LINK: Final = re.compile(
    r'\s*<([^>]*)>((?:\s*;\s*[^\s=;,]+(?:\s*=\s*(?:"(?:\\.|[^"\\])*"|[^\s;,"]*))?)*)\s*(?:,|$)'
)
_REL: Final = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]*))', re.IGNORECASE)

#: the types of a field
_TYPES: Final[Mapping[object, Callable[[object], object]]] = {
    "text": text, "number": number, "integer": integer, "boolean": boolean, "timestamp": timestamp,
}  # fmt: skip


def link(header: object, rel: object = "next") -> object:
    """The address of a Link header that has a relation (RFC 8288 §3.3); absent where none has.

    link(response.headers.link, 'next')
    """
    written, wanted, at = text(header), text(rel).lower(), 0
    while found := _LINK.match(written, at):
        relation = _REL.search(found[2])
        if relation and wanted in (relation[1] or relation[2] or "").lower().split():
            return found[1]
        at = found.end()
    return ABSENT


def values(value: object) -> list[object]:
    """The values of a map, in its order."""
    return list(map_of(value, "values").values())


def concat(*lists: object) -> list[object]:
    """Lists, one behind the other; null and absent are empty ones."""
    return [item for one in lists for item in items_of(one)]


def maps(rows: object, names: object = None) -> list[dict[str, object]]:
    """Lists as maps, each by its names; without names the first list is that of names.

    A row that is too short lacks the last keys; what has no name is left out.
    """
    first, *rest = items_of(rows) or [[]]
    keys = [text(name) for name in items_of(first if names is None else names)]
    return [_named(keys, row) for row in (rest if names is None else items_of(rows))]


def _named(keys: list[str], row: object) -> dict[str, object]:
    if not isinstance(row, (list, tuple)):
        raise TypeError(f"`maps` works on lists, found {describe(row)}")
    spend(len(row))
    pairs = zip_longest(keys, row, fillvalue=ABSENT)
    return {key: value for key, value in pairs if isinstance(key, str) and key and not is_absent(value)}


def typed(value: object, types: object) -> dict[object, object]:
    """A map with its values brought to types, which a map says by their keys; null stays null.

    record | typed({'total': 'number', 'changed_at': 'timestamp'})
    """
    found, wanted = dict(map_of(value, "typed")), map_of(types, "typed")
    spend(len(found) + len(wanted))
    for key, kind in wanted.items():
        if kind not in _TYPES:
            raise ValueError(f"{describe(kind)} is no type; there are {', '.join(map(str, _TYPES))}")
        if not is_nothing(found.get(key)):
            found[key] = _typed(key, found[key], _TYPES[kind])
    return found


def _typed(key: object, value: object, convert: Callable[[object], object]) -> object:
    try:
        return convert(value)
    except ValueError as exc:
        raise ValueError(f"`{text(key)}`: {exc}") from exc


def compact(value: object) -> object:
    """A map or a list without what is null, absent or an empty text in it."""
    if isinstance(value, Mapping):
        spend(len(value))
        return {key: item for key, item in value.items() if not _is_empty(item)}
    return [item for item in items_of(value) if not _is_empty(item)]


def _is_empty(value: object) -> bool:
    return is_nothing(value) or value == ""


def flatten(value: object, separator: object = "_") -> dict[str, object]:
    """A map without maps in it: `{a: {b: 1}}` becomes `{a_b: 1}`. Lists stay as they are."""
    weigh(value)
    return dict(_flat(map_of(value, "flatten"), "", text(separator)))


def _flat(value: Mapping[object, object], above: str, separator: str) -> Iterator[tuple[str, object]]:
    for key, item in value.items():
        name = f"{above}{separator}{text(key)}" if above else text(key)
        if isinstance(item, Mapping) and item:
            yield from _flat(item, name, separator)
        else:
            yield name, item
