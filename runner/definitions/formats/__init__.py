"""What the bytes of an answer say: unpacked, then decoded, as a whole or row by row as they arrive.

A format is a row of names, such as `[gzip, csv]`: what unpacks comes first, what decodes last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from runner.definitions.formats.rows import CsvRows, CsvRules, NdjsonRows
from runner.definitions.formats.unpack import Gzip, Unzip

__all__ = ["ROWS", "UNPACKERS", "CsvRules", "RowReader", "Rows", "row_reader", "unpack"]


class Unpacker(Protocol):
    """Bytes in as they arrive, the bytes that they held out."""

    def feed(self, data: bytes) -> bytes: ...

    def end(self) -> bytes: ...


class Rows(Protocol):
    """Bytes in as they arrive, the rows that they held out."""

    def feed(self, data: bytes) -> list[object]: ...

    def end(self) -> list[object]: ...


#: what only unpacks
UNPACKERS: Final[Mapping[str, Callable[[], Unpacker]]] = {"gzip": Gzip, "zip": Unzip}
#: what gives rows, so that an answer need not be held whole
ROWS: Final = frozenset({"csv", "ndjson"})


class RowReader:
    """Reads the rows of an answer as its bytes arrive.

    Args:
        steps: the format, such as `("gzip", "csv")`.
        csv: how a CSV is written.
    """

    def __init__(self, steps: Sequence[str], csv: CsvRules) -> None:
        self._unpackers = [UNPACKERS[step]() for step in steps[:-1]]
        self._rows: Rows = CsvRows(csv) if steps[-1] == "csv" else NdjsonRows()

    def feed(self, data: bytes) -> list[object]:
        """The rows that are whole with these bytes.

        Raises:
            ValueError: the bytes are not what the format says.
        """
        for unpacker in self._unpackers:
            data = unpacker.feed(data)
        return self._rows.feed(data) if data else []

    def end(self) -> list[object]:
        """The last rows.

        Raises:
            ValueError: something is missing at the end.
        """
        data = b""
        for unpacker in self._unpackers:
            data = (unpacker.feed(data) if data else b"") + unpacker.end()
        return [*(self._rows.feed(data) if data else []), *self._rows.end()]


def row_reader(steps: Sequence[str], csv: CsvRules | None = None) -> RowReader | None:
    """A reader of rows; None where the format gives a whole value."""
    return RowReader(steps, csv or CsvRules()) if steps[-1] in ROWS else None


def unpack(steps: Sequence[str], content: bytes) -> bytes:
    """The content without what packs it.

    Raises:
        ValueError: it is not packed so.
    """
    for step in steps[:-1]:
        unpacker = UNPACKERS[step]()
        content = unpacker.feed(content) + unpacker.end()
    return content
