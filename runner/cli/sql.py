"""`terapi sql`"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.exporting import Target, form_of, format_option, output_option, put
from runner.cli.main import app_of
from runner.cli.options import content, json_option

if TYPE_CHECKING:
    from runner.store import Table
    from runner.store.export import Row

_PAGE = 5_000


@click.command(epilog='Example: terapi sql "SELECT name, email FROM Contact ORDER BY name LIMIT 5"')
@click.argument("query", metavar="QUERY|@FILE")
@format_option
@output_option
@json_option
@click.pass_context
def command(ctx: click.Context, query: str, form: str | None, output: Path | None, as_json: bool) -> None:
    """Ask what was synced, in SQL.

    Each model is a table of its name, with the columns integration, connection, id, cursor, _state,
    deleted_at and _variant, and the keys of its records. Deleted records are among the rows, unless the
    query says WHERE _state <> 'deleted'. Nothing can be written. @FILE takes the query from a file, @- from
    standard input.
    """
    found = app_of(ctx).store.sql(content(query).decode("utf-8", "replace"))
    names = _names(found.columns)
    target = Target(
        form=form_of(form, output, as_json),
        name="query",
        output=output,
        last=tuple(names),
        total=len(found.rows),
    )
    put(lambda: _pages(found, names), target)


def _pages(found: Table, names: list[str]) -> Iterator[list[Row]]:
    for start in range(0, len(found.rows), _PAGE):
        page = found.rows[start : start + _PAGE]
        yield [dict(zip(names, map(_plain, row), strict=True)) for row in page]


def _names(columns: tuple[str, ...]) -> list[str]:
    """The columns' names, each once: of two called `id` the second is `id_2`."""
    found: list[str] = []
    for name in columns:
        number, unique = 1, name
        while unique in found:
            number += 1
            unique = f"{name}_{number}"
        found.append(unique)
    return found


def _plain(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value
