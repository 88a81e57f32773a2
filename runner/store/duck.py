"""Rows as a table of a DuckDB database, by duckdb and pyarrow (the extra `export`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runner.errors import MissingExtra, UsageError
from runner.store.database import load_queries
from runner.store.shape import Shape

if TYPE_CHECKING:
    import duckdb
    import pyarrow

    from runner.store.export import Pages

_TYPES: Final = {
    "boolean": "BOOLEAN", "integer": "BIGINT", "number": "DOUBLE", "timestamp": "TIMESTAMPTZ",
    "text": "VARCHAR", "json": "JSON",
}  # fmt: skip
#: so that memory stays flat, however many rows there are
_MODEST: Final[dict[str, str | bool | int | float | list[str]]] = {"memory_limit": "256MB", "threads": 1}


def write_duckdb(
    pages: Pages, last: Iterable[str], path: Path, table: str, declared: Mapping[str, str | None]
) -> int:
    """Writes the rows as a table, in the place of one of that name, in one transaction; gives how many.

    The other tables of the database stay. What is nested or mixed is JSON.

    Args:
        last: the columns that come last.
        declared: what columns are meant to be; see `Shape`.

    Raises:
        MissingExtra: duckdb or pyarrow is not installed.
        UsageError: the database cannot be written.
    """
    try:
        import duckdb
        import pyarrow  # noqa: F401 - what `Shape` needs
    except ImportError as exc:
        raise MissingExtra("DuckDB", "export") from exc
    shape, feed = Shape(pages, last, declared), _Feed()
    try:
        with closing(duckdb.connect(path, config=_MODEST)) as database, _transaction(database):
            return _write(database, table, shape, feed.of(shape.batches(pages)))
    except duckdb.Error as exc:
        if feed.failed is not None:
            raise feed.failed from None
        what = str(exc).partition("\n")[0]
        raise UsageError(f"{path} cannot be written as a DuckDB database: {what}") from exc


class _Feed:
    """Batches as DuckDB takes them: what fails while they are made is kept, as DuckDB tells it as its own."""

    def __init__(self) -> None:
        self.failed: BaseException | None = None

    def of(self, batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        try:
            yield from batches
        except BaseException as exc:
            self.failed = exc
            raise


def _write(
    database: duckdb.DuckDBPyConnection, table: str, shape: Shape, batches: Iterator[pyarrow.RecordBatch]
) -> int:
    import pyarrow

    sql = load_queries("duckdb")
    names = _columns(shape.kinds)
    columns = ", ".join(f"{_quoted(names[name])} {_TYPES[kind]}" for name, kind in shape.kinds.items())
    database.execute(sql["make"].format(table=_quoted(table), columns=columns))
    # In one statement, of which what is full goes to the disk at once; in several all would wait for the end.
    database.register("rows_to_write", pyarrow.RecordBatchReader.from_batches(shape.schema, batches))
    found = database.execute(sql["fill"].format(table=_quoted(table))).fetchone()
    return int(found[0]) if found else 0


@contextmanager
def _transaction(database: duckdb.DuckDBPyConnection) -> Iterator[None]:
    database.begin()
    try:
        yield
    except BaseException:
        database.rollback()
        raise
    database.commit()


def _columns(names: Iterable[str]) -> dict[str, str]:
    """The name of each column: DuckDB tells capitals and small letters not apart, and knows no empty name."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for key in names:
        name = key.replace("\0", "") or "_"
        while name.casefold() in taken:
            name += "_"
        taken.add(name.casefold())
        found[key] = name
    return found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
