"""Rows as columns of one type each, in batches of Arrow (pyarrow, of the extra `export`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    import pyarrow

    from runner.store.export import Pages, Row

#: rows in a group: enough that columns compress well, few enough that memory stays flat
_GROUP: Final = 50_000
_TOO_LARGE: Final = 2**63


class Shape:
    """The columns and their types, found by looking at every row.

    Args:
        last: the columns that come last.
        declared: columns that are there in any case, and what each is meant to be: text, number, integer,
            boolean, timestamp or json, None where that is not said. It is that where its values are.
    """

    def __init__(
        self, pages: Pages, last: Iterable[str], declared: Mapping[str, str | None] | None = None
    ) -> None:
        import pyarrow

        self._declared = declared or {}
        ends: dict[str, set[str]] = {name: set() for name in last}
        found: dict[str, set[str]] = {name: set() for name in self._declared if name not in ends}
        for page in pages():
            for name in dict.fromkeys(name for row in page for name in row):
                kinds = ends[name] if name in ends else found.setdefault(name, set())
                kinds |= _kinds([row.get(name) for row in page], self._declared.get(name))
        #: the kind of each column
        self.kinds = {name: self._kind(name, kinds) for name, kinds in {**found, **ends}.items()}
        types = {
            "boolean": pyarrow.bool_(),
            "integer": pyarrow.int64(),
            "number": pyarrow.float64(),
            "timestamp": pyarrow.timestamp("us", tz="UTC"),
            "text": pyarrow.string(),
            "json": pyarrow.string(),
        }
        self.schema = pyarrow.schema([(name, types[kind]) for name, kind in self.kinds.items()])

    def batches(self, pages: Pages) -> Iterator[pyarrow.RecordBatch]:
        """The rows, a page at a time."""
        return map(self._batch, pages())

    def tables(self, pages: Pages) -> Iterator[pyarrow.Table]:
        """The rows, some ten thousand at a time."""
        import pyarrow

        held: list[pyarrow.RecordBatch] = []
        for batch in self.batches(pages):
            held.append(batch)
            if sum(batch.num_rows for batch in held) >= _GROUP:
                yield pyarrow.Table.from_batches(held)
                held = []
        if held:
            yield pyarrow.Table.from_batches(held)

    def _kind(self, name: str, kinds: set[str]) -> str:
        """The one kind that holds all values of a column."""
        declared = self._declared.get(name)
        if not kinds:
            return declared or "text"
        if kinds == {"integer", "number"} or (kinds == {"integer"} and declared == "number"):
            return "number"
        if kinds == {"text", "timestamp"}:
            return "text"
        return kinds.pop() if len(kinds) == 1 else "json"

    def _batch(self, page: list[Row]) -> pyarrow.RecordBatch:
        import pyarrow

        arrays = []
        for field in self.schema:
            values = [row.get(field.name) for row in page]
            convert = _CONVERTERS.get(self.kinds[field.name])
            arrays.append(pyarrow.array(values if convert is None else map(convert, values), field.type))
        return pyarrow.RecordBatch.from_arrays(arrays, schema=self.schema)


def _kinds(values: list[object], declared: str | None) -> set[str]:
    """The kinds of JSON that there are among values; nothing for null."""
    found = {_KINDS.get(kind, "json") for kind in {type(value) for value in values} - {type(None)}}
    if "integer" in found:
        whole = [value for value in values if isinstance(value, int)]
        if not -_TOO_LARGE <= min(whole) <= max(whole) < _TOO_LARGE:
            found.add("json")
    if found == {"text"} and declared == "timestamp" and all(map(_is_moment, values)):
        return {"timestamp"}
    return found


def _is_moment(value: object) -> bool:
    """Whether it is null, or a time as `type: timestamp` writes it."""
    try:
        return value is None or (str(value).endswith("Z") and _moment(value) is not None)
    except ValueError:
        return False


def _moment(value: object) -> datetime | None:
    return None if value is None else datetime.fromisoformat(str(value))


def _number(value: object) -> object:
    return float(value) if isinstance(value, int) else value


def _json(value: object) -> object:
    return None if value is None else orjson.dumps(value).decode()


_KINDS: Final[dict[type, str]] = {bool: "boolean", int: "integer", float: "number", str: "text"}
_CONVERTERS: Final[dict[str, Callable[[object], object]]] = {
    "number": _number, "json": _json, "timestamp": _moment,
}  # fmt: skip
