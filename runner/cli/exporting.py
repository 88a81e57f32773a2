"""Rows written where they are wanted: to the screen, to a program, or into a file, whole or not at all."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

import click
import msgspec

from runner.cli.output import table_lines
from runner.cli.progress import Bars
from runner.errors import UsageError

if TYPE_CHECKING:
    from runner.store.export import Pages, Row

F = TypeVar("F", bound=Callable[..., object])

#: how a file's name ends → what is written into it
_ENDINGS = {
    ".json": "json", ".ndjson": "ndjson", ".jsonl": "ndjson", ".csv": "csv", ".parquet": "parquet",
    ".duckdb": "duckdb", ".txt": "table",
}  # fmt: skip
#: forms that are no text, and what they are called
_FILES = {"parquet": "Parquet", "duckdb": "DuckDB"}
_TITLES = ("columns", "records")

format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "ndjson", "csv", "parquet", "duckdb"]),
    help="How; by default as the name of -o FILE ends, else a table.",
)
output_option = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write into a file, which is there whole or not at all; of a DuckDB database a table is.",
)


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where rows go, and how."""

    #: table, json, ndjson, csv, parquet or duckdb
    form: str
    #: what a table of a database is called
    name: str
    output: Path | None = None
    #: the columns that come last
    last: tuple[str, ...] = ()
    #: how many rows there are, where that is known
    total: int | None = None
    #: what the columns of a table of a database are meant to be
    declared: Mapping[str, str | None] = {}


def form_of(form: str | None, output: Path | None, as_json: bool) -> str:
    """The form that is meant by `--format`, `--json` and the name of the file.

    Raises:
        UsageError: what is written into a file has no name.
    """
    guess = _ENDINGS.get(output.suffix.lower(), "table") if output is not None else "table"
    found = form or ("json" if as_json else guess)
    if found in _FILES and output is None:
        raise UsageError(f"{_FILES[found]} is written into a file", hint=f"name it with -o FILE.{found}")
    return found


def put(pages: Pages, target: Target) -> int:
    """Writes the rows where they are wanted; gives how many.

    Raises:
        UsageError: the file cannot be written.
        MissingExtra: the library of the form is not installed.
    """
    if target.output is None:
        # On a terminal the rows themselves show how it goes.
        shown = pages if sys.stdout.isatty() else _watched(pages, target.total)
        sys.stdout.flush()
        count = _write(shown, target, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return count
    watched = _watched(pages, target.total)
    try:
        if target.form == "duckdb":
            from runner.store.duck import write_duckdb

            count = write_duckdb(watched, target.last, target.output, target.name, target.declared)
        else:
            with whole_file(target.output) as out:
                count = _write(watched, target, out)
    except OSError as exc:
        raise UsageError(f"{target.output} cannot be written: {exc.strerror or exc}") from exc
    click.echo(f"{target.output}: {count:,} rows", err=True)
    return count


def _write(pages: Pages, target: Target, out: IO[bytes]) -> int:
    from runner.store.export import columns, write

    if target.form != "table":
        return write(target.form, pages, out, target.last)
    fit = target.output is None and sys.stdout.isatty()
    lines = 0
    for line in table_lines(pages, columns(pages, target.last), fit=fit):
        out.write(f"{line}\n".encode())
        lines += 1
    if not lines:
        out.write(b"no rows\n")
    return max(lines - 1, 0)


def _watched(pages: Pages, total: int | None) -> Pages:
    """The same, with a bar each time they are gone through."""
    bars = Bars()
    titles = iter(_TITLES)

    def watched() -> Iterator[list[Row]]:
        with bars.bar(next(titles, _TITLES[-1]), total) as bar:
            done = 0
            for page in pages():
                yield page
                done += len(page)
                bars.update(bar, done)

    return watched


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that is there when the block has ended well; until then, and otherwise, what was there stays.

    Raises:
        OSError: it cannot be written.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as device:
            yield device
        return
    path = path.resolve()  # a link goes on leading where it does
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def states(given: Iterable[str]) -> list[str] | None:
    """What `--filter` names: `added`, or `added,updated`, given once or more often.

    Raises:
        UsageError: a name is none of a state.
    """
    from runner.store.records import STATES

    found = [word.strip().lower() for one in given for word in one.split(",")]
    for word in found:
        if word not in STATES:
            raise UsageError(f"--filter takes {', '.join(STATES)}, found {word!r}")
    return found or None
