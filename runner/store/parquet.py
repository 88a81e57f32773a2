"""Rows as a Parquet file, by pyarrow (the extra `export`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from runner.errors import MissingExtra
from runner.store.shape import Shape

if TYPE_CHECKING:
    from runner.store.export import Pages


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
        from pyarrow import parquet
    except ImportError as exc:
        raise MissingExtra("Parquet", "export") from exc
    shape = Shape(pages, last)
    count = 0
    with parquet.ParquetWriter(out, shape.schema, compression="zstd") as writer:
        for table in shape.tables(pages):
            writer.write_table(table)
            count += table.num_rows
    return count
