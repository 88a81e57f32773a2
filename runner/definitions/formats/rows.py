"""Rows: CSV (RFC 4180) and newline-delimited JSON, read as their bytes arrive."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
import orjson

from runner.definitions.conversions import boolean, integer, number, text, timestamp

_CONVERT: Final[Mapping[str, Callable[[object], object]]] = {
    "text": text, "number": number, "integer": integer, "boolean": boolean, "timestamp": timestamp,
}  # fmt: skip
#: characters of one value; the module's own limit of 131,072 is less than a long text field has
_LONGEST_VALUE: Final = 16_000_000

Row = dict[str, object]


class CsvRules(msgspec.Struct, frozen=True, kw_only=True):
    """How a CSV is written, and what its texts stand for."""

    delimiter: str = ","
    #: what separates the names of nested columns: with `.`, `Account.Name` is `Name` in the map `Account`
    nested: str | None = None
    #: what an empty value is: `null`, or a text
    empty: str = "null"
    #: column → text, number, integer, boolean or timestamp; all else stays text
    types: Mapping[str, str] = {}


class CsvRows:
    """The rows of a CSV with a header, each a map."""

    def __init__(self, rules: CsvRules) -> None:
        self._rules = rules
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._rest = ""
        self._line = 0
        self._shape: _Shape | None = None

    def feed(self, data: bytes) -> list[object]:
        written = self._rest + self._decoded(data, final=False)
        end = _whole_rows(written)
        self._rest = written[end:]
        return self._read(written[:end])

    def end(self) -> list[object]:
        written = self._rest + self._decoded(b"", final=True)
        if written.count('"') % 2:
            raise ValueError("its CSV ends within a quoted value")
        return self._read(written)

    def _decoded(self, data: bytes, *, final: bool) -> str:
        try:
            return self._decode(data, final)
        except UnicodeDecodeError as exc:
            raise ValueError(f"its CSV is not UTF-8: {exc.reason}") from exc

    def _read(self, written: str) -> list[object]:
        csv.field_size_limit(_LONGEST_VALUE)
        reader = csv.reader(io.StringIO(written, newline=""), delimiter=self._rules.delimiter)
        try:
            return [row for cells in reader if (row := self._row(cells)) is not None]
        except csv.Error as exc:
            raise ValueError(f"its CSV cannot be read near row {self._line + 1}: {exc}") from exc

    def _row(self, cells: list[str]) -> Row | None:
        if not cells:
            return None
        if self._shape is None:
            self._shape = _Shape(cells, self._rules)
            return None
        self._line += 1
        if len(cells) != len(self._shape.names):
            expected = len(self._shape.names)
            raise ValueError(f"row {self._line} of its CSV has {len(cells)} columns, expected {expected}")
        try:
            return self._shape.row(cells)
        except ValueError as exc:
            raise ValueError(f"row {self._line} of its CSV: {exc}") from exc


def _whole_rows(written: str) -> int:
    """Where the last whole row ends: behind a line break with an even number of quotes before it."""
    end = len(written)
    open_quote = written.count('"') % 2
    while (cut := written.rfind("\n", 0, end) + 1) > 0:
        open_quote ^= written.count('"', cut, end) % 2
        if not open_quote:
            return cut
        end = cut - 1
    return 0


#: the name of a column, or a map of such
_Below = str | dict[str, "_Below"]


class _Shape:
    """What the header says: how a row's cells become a map."""

    def __init__(self, names: list[str], rules: CsvRules) -> None:
        self.names = names
        twice = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else set()
        if twice:
            raise ValueError(f"its CSV has the column `{min(twice)}` twice")
        self._empty = None if rules.empty == "null" else ""
        self._types = [
            (name, _CONVERT[kind]) for name, kind in rules.types.items() if name in names and kind in _CONVERT
        ]
        self._nested = _tree(names, rules.nested) if rules.nested else {}

    def row(self, cells: list[str]) -> Row:
        empty = self._empty
        row: Row = dict(zip(self.names, [cell or empty for cell in cells], strict=True))
        for name, convert in self._types:
            if row[name]:
                row[name] = convert(row[name])
        for name, below in self._nested.items():
            found = _gathered(below, row)
            if found is not None:
                row[name] = found
            else:
                row.setdefault(name, None)
        return row


def _tree(names: list[str], separator: str) -> dict[str, _Below]:
    """Which columns go into which map."""
    found: dict[str, _Below] = {}
    for name in names:
        *above, last = name.split(separator)
        place = found
        for one in above:
            below = place.get(one)
            if not isinstance(below, dict):
                below = place[one] = {}
            place = below
        if above:
            place[last] = name
    return found


def _gathered(below: _Below, row: Row) -> object:
    """What a column holds, or a map of them, which is null where all of its values are."""
    if isinstance(below, str):
        return row.pop(below)
    found = {name: _gathered(one, row) for name, one in below.items()}
    return found if any(value is not None for value in found.values()) else None


class NdjsonRows:
    """The rows of newline-delimited JSON; empty lines are none."""

    def __init__(self) -> None:
        self._rest = b""
        self._line = 0

    def feed(self, data: bytes) -> list[object]:
        *whole, self._rest = (self._rest + data).split(b"\n")
        return self._read(whole)

    def end(self) -> list[object]:
        return self._read([self._rest])

    def _read(self, lines: list[bytes]) -> list[object]:
        found = []
        for line in lines:
            self._line += 1
            if line.strip():
                found.append(self._row(line))
        return found

    def _row(self, line: bytes) -> object:
        try:
            return orjson.loads(line)
        except orjson.JSONDecodeError as exc:
            raise ValueError(f"line {self._line} is no JSON: {exc}") from exc
