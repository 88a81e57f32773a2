"""Rows as a Parquet file, by pyarrow (the extra `export`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import IO, TYPE_CHECKING, Final

import orjson

from runner.errors import MissingExtra

if TYPE_CHECKING:
    import pyarrow

    from runner.store.export import Pages, Row

#: rows in a group: enough that columns compress well, few enough that memory stays flat
_GROUP: Final = 50_000
_TOO_LARGE: Final = 2**63


def write_parquet(pages: Pages, last: Iterable[str], out: IO[bytes]) -> int:
    """Writes the rows with one type for each column; gives how many.

    A column whose values are of one JSON type has that type, one of integers and other numbers is float64;
    what is nested or mixed is JSON text.

    Args:
        last: the columns that come last.

    Raises:
        MissingExtra: pyarrow is not installed.
        OSError: ``out`` cannot be written.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as exc:
        raise MissingExtra("Parquet", "export") from exc
    shape = _Shape(pages, last)
    count = 0
    held: list[pyarrow.RecordBatch] = []
    with parquet.ParquetWriter(out, shape.schema, compression="zstd") as writer:
        for page in pages():
            held.append(shape.batch(page))
            count += len(page)
            if sum(batch.num_rows for batch in held) >= _GROUP:
                writer.write_table(pyarrow.Table.from_batches(held))
                held = []
        if held:
            writer.write_table(pyarrow.Table.from_batches(held))
    return count


class _Shape:
    """The columns and their types, found by looking at every row."""

    def __init__(self, pages: Pages, last: Iterable[str]) -> None:
        import pyarrow

        ends: dict[str, set[str]] = {name: set() for name in last}
        kinds: dict[str, set[str]] = {}
        for page in pages():
            for name in dict.fromkeys(name for row in page for name in row):
                found = ends[name] if name in ends else kinds.setdefault(name, set())
                found |= _kinds([row.get(name) for row in page])
        types = {
            "boolean": pyarrow.bool_(),
            "integer": pyarrow.int64(),
            "number": pyarrow.float64(),
            "text": pyarrow.string(),
            "json": pyarrow.string(),
        }
        self._kinds = {name: _together(found) for name, found in {**kinds, **ends}.items()}
        self.schema = pyarrow.schema([(name, types[kind]) for name, kind in self._kinds.items()])

    def batch(self, page: list[Row]) -> pyarrow.RecordBatch:
        import pyarrow

        arrays = []
        for field in self.schema:
            values = [row.get(field.name) for row in page]
            convert = _CONVERTERS.get(self._kinds[field.name])
            arrays.append(pyarrow.array(values if convert is None else map(convert, values), field.type))
        return pyarrow.RecordBatch.from_arrays(arrays, schema=self.schema)


def _kinds(values: list[object]) -> set[str]:
    """The kinds of JSON that there are among values; nothing for null."""
    found = {_KINDS.get(kind, "json") for kind in {type(value) for value in values} - {type(None)}}
    if "integer" in found:
        whole = [value for value in values if isinstance(value, int)]
        if not -_TOO_LARGE <= min(whole) <= max(whole) < _TOO_LARGE:
            found.add("json")
    return found


def _together(kinds: set[str]) -> str:
    """The one kind that holds them all."""
    if kinds == {"integer", "number"}:
        return "number"
    return kinds.pop() if len(kinds) == 1 else "json" if kinds else "text"


def _number(value: object) -> object:
    return float(value) if isinstance(value, int) else value


def _json(value: object) -> object:
    return None if value is None else orjson.dumps(value).decode()


_KINDS: Final[dict[type, str]] = {bool: "boolean", int: "integer", float: "number", str: "text"}
_CONVERTERS: Final[dict[str, Callable[[object], object]]] = {"number": _number, "json": _json}
