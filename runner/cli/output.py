"""How commands print: tables for people, JSON for programs."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import click

if TYPE_CHECKING:
    from runner.store.export import Pages

#: characters of a cell on a terminal
_WIDEST = 40
_BOUNDLESS = 2**62


def echo_json(value: object) -> None:
    """One JSON document on stdout: indented for a terminal, in one line for a program."""
    import orjson

    option = orjson.OPT_INDENT_2 if sys.stdout.isatty() else 0
    click.echo(orjson.dumps(value, option=option | orjson.OPT_NON_STR_KEYS).decode())


def echo_line(value: object) -> None:
    """One JSON object of a stream, in one line wherever it goes, and at once."""
    import orjson

    click.echo(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode())
    sys.stdout.flush()


def tell_line(line: str) -> None:
    """A line on stderr; what others sent us must not steer a terminal, nor look like further lines."""
    from runner.definitions.problems import visible

    click.echo(visible(line.replace("\n", "; ")), err=True)


def moment(seconds: object) -> str:
    """A time, from seconds since 1970: `2026-07-24T14:05:58.000Z` (RFC 3339)."""
    from runner.definitions.conversions import format_instant, instant

    return format_instant(instant(seconds))


def second(seconds: float) -> str:
    """The same for people, who need no fractions: `2026-07-24 14:05:58Z`."""
    return moment(int(seconds)).replace("T", " ").replace(".000Z", "Z")


def step_lines(steps: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """The steps of a workflow's run, for people."""
    for step in steps:
        times = f" ×{step['items']}" if "items" in step else ""
        yield f"  {step['status']:<9} {step['id'] or '-'} ({step['step']}){times}"
        for request in cast("list[dict[str, object]]", step.get("requests", [])):
            yield f"            {request['method']} {request['url']} {request['body'] or ''}".rstrip()


def bad_lines(records: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """The records of a sync that do not fit, for people."""
    for bad in records:
        id = f" (`{bad['id']}`)" if bad["id"] is not None else ""
        kept = "; stored with its values as they came" if bad["kept"] else "; skipped"
        yield f"  record {bad['number']} of page {bad['page']}{id}: {printable(str(bad['message']))}{kept}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns lined up; the last is cut where the terminal ends."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    return "\n".join(_line(row, widths, _room()) for row in [head, *rows])


def table_lines(pages: Pages, names: Sequence[str], *, fit: bool) -> Iterator[str]:
    """The lines of a table of any length, its head first; nothing where there are no rows.

    Args:
        fit: whether to cut long cells and long lines, as a terminal needs it.
    """
    from runner.store.export import cell

    room = _room() if fit else _BOUNDLESS
    widest = _WIDEST if fit else _BOUNDLESS

    def texts(row: Mapping[str, object]) -> list[str]:
        return [_cut(printable(cell(row.get(name))), widest) for name in names]

    widths = [len(name) for name in names]
    for page in pages():
        for row in page:
            widths = [max(width, len(text)) for width, text in zip(widths, texts(row), strict=True)]
    head: Sequence[str] | None = names
    for page in pages():
        for row in page:
            if head is not None:
                yield _line(head, widths, room)
                head = None
            yield _line(texts(row), widths, room)


def printable(text: str) -> str:
    """The text in one line, without anything that would steer a terminal."""
    if text.isprintable():
        return text
    from runner.definitions.problems import visible

    return visible(text)


def _room() -> int:
    """How many characters a line may have."""
    return shutil.get_terminal_size((120, 24)).columns if sys.stdout.isatty() else _BOUNDLESS


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"


def _line(cells: Sequence[str], widths: Sequence[int], room: int) -> str:
    line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
    return _cut(line, room)
