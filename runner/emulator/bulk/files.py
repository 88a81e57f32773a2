"""Where the data of bulk jobs lie: what was uploaded, and what came of it."""

from __future__ import annotations

import shutil
import tempfile
from array import array
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal

BLOCK = 256 * 1024
_OFFSET = 8

#: what a job or a batch may have a file for
Name = Literal["request", "result", "succeeded", "failed"]


class Files:
    """Below ``folder``; without one, in a folder of their own that goes with the process."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    def path(self, owner_id: str, name: Name) -> Path:
        """The file of a job or a batch; its folder is there, the file need not be."""
        folder = self._root / owner_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name

    def remove(self, owner_id: str) -> None:
        shutil.rmtree(self._root / owner_id, ignore_errors=True)

    def close(self) -> None:
        if self._temporary is not None:
            self._temporary.cleanup()

    @cached_property
    def _root(self) -> Path:
        if self._folder is not None:
            return self._folder
        self._temporary = tempfile.TemporaryDirectory(prefix="org-bulk-")
        return Path(self._temporary.name)


class RowWriter:
    """Writes a header and rows into a file, and beside it where each row begins.

    The index is a file of unsigned 64-bit numbers: the start of each row, and last the end of the file.
    """

    def __init__(self, path: Path, header: bytes) -> None:
        self._rows = path.open("wb")
        self._index = _index_of(path).open("wb")
        self._rows.write(header)
        self._end = len(header)
        self._index.write(array("Q", [self._end]).tobytes())

    def write(self, rows: list[bytes]) -> None:
        ends = array("Q", accumulate(map(len, rows), initial=self._end))
        self._rows.write(b"".join(rows))
        self._index.write(ends[1:].tobytes())
        self._end = ends[-1]

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _exc: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._rows.close()
        self._index.close()


class RowFile:
    """What a RowWriter wrote."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._index = _index_of(path)
        #: how many rows there are
        self.count = self._index.stat().st_size // _OFFSET - 1

    def page(self, first: int, end: int) -> tuple[int, Iterator[bytes]]:
        """The header and the rows from the ``first`` up to the one before ``end``: how many bytes they are,
        and these in blocks.
        """
        with self._index.open("rb") as index:
            header, start, stop = (_offset(index, row) for row in (0, first, end))
        return header + stop - start, self._blocks([(0, header), (start, stop)])

    def _blocks(self, spans: list[tuple[int, int]]) -> Iterator[bytes]:
        with self._path.open("rb") as rows:
            for start, stop in spans:
                rows.seek(start)
                left = stop - start
                while block := rows.read(min(left, BLOCK)):
                    left -= len(block)
                    yield block


def blocks(path: Path) -> Iterator[bytes]:
    """A whole file in blocks."""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


def _index_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.index")


def _offset(index: BinaryIO, row: int) -> int:
    index.seek(row * _OFFSET)
    return array("Q", index.read(_OFFSET))[0]
