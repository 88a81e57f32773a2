"""How commands print: tables for people, JSON for programs."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

import click


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


def moment(seconds: object) -> str:
    """A time, from seconds since 1970: `2026-07-24T14:05:58.000Z` (RFC 3339)."""
    from runner.definitions.conversions import format_instant, instant

    return format_instant(instant(seconds))


def step_lines(steps: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """The steps of a workflow's run, for people."""
    for step in steps:
        times = f" ×{step['items']}" if "items" in step else ""
        yield f"  {step['status']:<9} {step['id'] or '-'} ({step['step']}){times}"
        for request in cast("list[dict[str, object]]", step.get("requests", [])):
            yield f"            {request['method']} {request['url']} {request['body'] or ''}".rstrip()


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns lined up; the last is cut where the terminal ends."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    room = shutil.get_terminal_size((120, 24)).columns if sys.stdout.isatty() else 10_000
    lines = [_line(head, widths), *(_line(row, widths) for row in rows)]
    return "\n".join(line if len(line) <= room else line[: room - 1] + "…" for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
