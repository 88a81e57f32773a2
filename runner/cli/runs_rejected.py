"""`terapi runs rejected`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.completing import run_ids
from runner.cli.exporting import Target, form_of, format_option, output_option, put
from runner.cli.finding import find_run
from runner.cli.main import app_of
from runner.cli.options import json_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.store import Run, Store
    from runner.store.export import Row

#: rows that are written together
_TOGETHER = 1_000


@click.command("rejected", epilog="Example: terapi runs rejected 3f2a -o rest.csv")
@click.argument("id", shell_complete=run_ids)
@format_option
@output_option
@json_option
@click.pass_context
def rejected(ctx: click.Context, id: str, form: str | None, output: Path | None, as_json: bool) -> None:
    """The rows that the API refused in a run, and why.

    Into a file go the rows alone, as they were sent, so that they can be mended and run again.
    """
    store = app_of(ctx).store
    run = find_run(store, id)
    alone = output is not None

    def pages() -> Iterator[list[Row]]:
        page: list[Row] = []
        for row in _rows(store, run, "", alone=alone):
            page.append(row)
            if len(page) == _TOGETHER:
                yield page
                page = []
        if page:
            yield page

    put(pages, Target(name="rejected", form=form_of(form, output, as_json), output=output))


def _rows(store: Store, run: Run, above: str, *, alone: bool) -> Iterator[Row]:
    """The refused rows of a run, then those of the runs that it called."""
    for path, refused in store.steps.of(run.id).rejected():
        for one in refused:
            row = one["row"] if isinstance(one["row"], dict) else {"row": one["row"]}
            own: Row = {} if alone else {"step": above + path, "number": one["number"], "why": one["why"]}
            yield {**own, **row}
    for child in store.runs.children(run.id):
        yield from _rows(store, child, f"{(child.started_by or {}).get('step')}/", alone=alone)
