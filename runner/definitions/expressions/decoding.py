"""What a text within an answer holds: a CSV, an archive in base64, and the like."""

from __future__ import annotations

import base64 as _base64
from typing import TYPE_CHECKING, Final

from runner.definitions.bounds import size, spend, weigh
from runner.definitions.conversions import text
from runner.definitions.expressions.functions import from_json
from runner.definitions.values import describe, is_nothing

if TYPE_CHECKING:
    from runner.definitions.formats import CsvRules

#: what holds something else, and what may stand last
_PACKINGS: Final = ("base64", "gzip", "zip")
_LAST: Final = ("csv", "ndjson", "json", "xml", "text")
#: the most bytes that one value may unpack to
_LARGEST: Final = 64 * 1024**2
#: bytes of which rows are made at a time
_PIECE: Final = 64 * 1024
#: from the alphabet for addresses to the usual one (RFC 4648 §5)
_USUAL: Final = str.maketrans("-_", "+/", " \t\r\n")


def decode(value: object, steps: object, delimiter: object = ",", nested: object = None) -> object:
    """What a text holds, as `format` names it: one name, or what packs it first and what is in it last.

    response.body.file | decode(['base64', 'zip', 'csv'], delimiter=';')

    Args:
        delimiter: of a CSV.
        nested: what separates the names of a CSV's nested columns.
    """
    # Startup is spared what most definitions never use.
    from runner.definitions.formats import CsvRules

    names = _checked(steps)
    content = text(value).encode()
    for name in names:
        if name in _PACKINGS:
            content = _unpacked(name, content)
    separator = None if is_nothing(nested) else text(nested)
    return _read(names[-1], content, CsvRules(delimiter=text(delimiter), nested=separator))


def _checked(steps: object) -> list[str]:
    names = list(steps) if isinstance(steps, (list, tuple)) else [steps]
    for place, name in enumerate(names):
        last = place == len(names) - 1
        if name not in _PACKINGS and not (last and name in _LAST):
            if not last and name in _LAST:
                raise ValueError(f"`{name}` must stand last in `decode`: nothing can be in it")
            raise ValueError(f"{describe(name)} is no format; there are {', '.join((*_PACKINGS, *_LAST))}")
    if not names:
        raise ValueError("`decode` needs a format")
    return [str(name) for name in names]


def _unpacked(name: str, content: bytes) -> bytes:
    from runner.definitions.formats.unpack import Gzip, Unzip

    if name == "base64":
        found = _from_base64(content)
    else:
        unpacker = Gzip(_LARGEST) if name == "gzip" else Unzip(_LARGEST)
        found = unpacker.feed(content) + unpacker.end()
    spend(size(found))
    return found


def _from_base64(content: bytes) -> bytes:
    """RFC 4648, with or without its padding."""
    written = content.decode("utf-8").translate(_USUAL).rstrip("=")
    try:
        return _base64.b64decode(written + "=" * (-len(written) % 4), validate=True)
    except ValueError as exc:
        raise ValueError("it is no base64") from exc


def _read(name: str, content: bytes, csv: CsvRules) -> object:
    if name in ("csv", "ndjson"):
        return _rows(name, content, csv)
    if name == "xml":
        from runner.definitions.formats.xml import parse_xml

        found = parse_xml(content)
    else:
        found = _text(content) if name != "json" else from_json(_text(content))
    weigh(found)
    return found


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise ValueError("what it holds is no text") from exc


def _rows(name: str, content: bytes, csv: CsvRules) -> list[object]:
    from runner.definitions.formats import RowReader

    reader = RowReader((name,), csv)
    found: list[object] = []
    for start in range(0, len(content), _PIECE):
        rows = reader.feed(content[start : start + _PIECE])
        weigh(rows)
        found += rows
    rows = reader.end()
    weigh(rows)
    return [*found, *rows]
