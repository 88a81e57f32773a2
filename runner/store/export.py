"""Rows written out, page by page: JSON, one object a line, CSV, Parquet. Memory stays flat, however many.

Rows are read twice where their columns must be known first; take them from a `Store.snapshot`, so that both
times find the same.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import repeat
from typing import IO, Final

import orjson

from runner.store.records import Record, Stream

FORMATS: Final = ("json", "ndjson", "csv", "parquet")
#: what a record's row has beside its own keys
OWN: Final = ("_state", "_cursor")
_PAGE: Final = 5_000

Row = dict[str, object]
#: gives the rows from the first on, in pages, each time it is called
Pages = Callable[[], Iterator[list[Row]]]


class Selection:
    """Which records of a stream are wanted.

    Args:
        after: the cursor behind which they lie.
        limit: how many at most; None for all.
        states: only these; None for all.
    """

    def __init__(
        self, stream: Stream, *, after: int = 0, limit: int | None = None, states: Iterable[str] | None = None
    ) -> None:
        self._stream = stream
        self._after = after
        self._limit = limit
        self._states = list(states) if states is not None else None
        #: the cursor of the last record that was read
        self.last = after

    def pages(self) -> Iterator[list[Row]]:
        """The rows in the order of their last change."""
        self.last, left = self._after, self._limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(_PAGE, left)
            page = self._stream.read(after=self.last, limit=size, states=self._states)
            if not page:
                return
            yield [_row(record) for record in page]
            self.last = page[-1].cursor
            left = None if left is None else left - len(page)

    def more(self) -> bool:
        """Whether records follow the last that was read."""
        return bool(self._stream.read(after=self.last, limit=1, states=self._states))

    def count(self) -> int | None:
        """How many there are, where it costs nothing to know."""
        if self._after or self._limit is not None:
            return self._limit
        counts = self._stream.count()
        return sum(counts[state] for state in self._states or counts)


def columns(pages: Pages, last: Iterable[str] = ()) -> list[str]:
    """The names of the columns, in the order in which they first come; ``last`` at the end."""
    found: dict[str, None] = {}
    for page in pages():
        for row in page:
            found.update(dict.fromkeys(row))
    return [*(name for name in found if name not in last), *last]


def write(form: str, pages: Pages, out: IO[bytes], last: Iterable[str] = ()) -> int:
    """Writes the rows; gives how many.

    Args:
        form: one of FORMATS.
        last: the columns that come last.

    Raises:
        MissingExtra: Parquet's library is not installed.
        OSError: ``out`` cannot be written.
    """
    if form == "parquet":
        from runner.store.parquet import write_parquet

        return write_parquet(pages, last, out)
    if form == "csv":
        return _write_csv(pages, columns(pages, last), out)
    return _write_json(pages, out) if form == "json" else _write_lines(pages, out)


def cell(value: object) -> str:
    """A value as text: what is nested as JSON, nothing as nothing."""
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _write_json(pages: Pages, out: IO[bytes]) -> int:
    """One JSON list, a row a line."""
    count = 0
    out.write(b"[")
    for page in pages():
        for row in page:
            out.write(b",\n" if count else b"\n")
            out.write(orjson.dumps(row))
            count += 1
    out.write(b"\n]\n" if count else b"]\n")
    return count


def _write_lines(pages: Pages, out: IO[bytes]) -> int:
    count = 0
    for page in pages():
        out.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in page)
        count += len(page)
    return count


def _write_csv(pages: Pages, names: list[str], out: IO[bytes]) -> int:
    """Comma-separated values with a head (RFC 4180).

    With plain line ends a value with a carriage return would go unquoted, and be read as two rows.
    """
    count = 0
    text = io.TextIOWrapper(out, "utf-8", newline="", write_through=False)
    try:
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(names)
        for page in pages():
            writer.writerows(map(_cells, page, repeat(names)))
            count += len(page)
    finally:
        text.detach()  # flushes, and leaves `out` open
    return count


def _cells(row: Row, names: list[str]) -> list[str]:
    values = map(row.get, names)
    return [value if type(value) is str else cell(value) for value in values]


def _row(record: Record) -> Row:
    """A record as a row; of one whose payload was pruned the key is left."""
    payload: Mapping[str, object] = orjson.loads(record.payload) if record.payload else {"id": record.id}
    return {**payload, "_state": record.state, "_cursor": record.cursor}
