"""`terapi records`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from runner.cli.completing import models
from runner.cli.exporting import Target, form_of, format_option, output_option, put, states
from runner.cli.main import app_of
from runner.cli.options import connection_option, json_option
from runner.cli.streams import stream_of, variant_option
from runner.errors import DefinitionsInvalid, UsageError

if TYPE_CHECKING:
    from runner.cli.app import App

#: how many are shown unless somebody says otherwise
_SHOWN = 100


class Given(TypedDict):
    """The options, as click hands them over."""

    connection: str | None
    variant: str | None
    cursor: int
    limit: int | None
    every: bool
    wanted: tuple[str, ...]
    form: str | None
    output: Path | None
    as_json: bool


@click.command(epilog="Example: terapi records Contact --connection demo --format csv -o contacts.csv")
@click.argument("model", shell_complete=models)
@connection_option
@variant_option
@click.option("--cursor", type=int, default=0, metavar="C", help="Only what changed behind that cursor.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help=f"How many at most.  [default: {_SHOWN}; with -o all]",
)
@click.option("--all", "every", is_flag=True, help="All of them, however many.")
@click.option(
    "--filter",
    "wanted",
    multiple=True,
    metavar="STATE",
    help="Only those added, updated or deleted; several as added,updated.",
)
@format_option
@output_option
@json_option
@click.pass_context
def command(ctx: click.Context, model: str, **given: Unpack[Given]) -> None:
    """Show what was synced, or write it to a file.

    In the order of the last change; keep the last cursor and give it the next time to get only what is new.
    """
    from runner.store.export import OWN, Selection

    limit, output = given["limit"], given["output"]
    if given["every"] and limit is not None:
        raise UsageError("--limit and --all do not go together", hint="leave one out")
    asked = given["every"] or limit is not None or output is not None
    form = form_of(given["form"], output, given["as_json"])
    with app_of(ctx).store.snapshot() as still:
        selection = Selection(
            stream_of(still, model, given["connection"], given["variant"]),
            after=given["cursor"],
            limit=limit if asked else _SHOWN,
            states=states(given["wanted"]),
        )
        target = Target(
            form=form,
            name=model,
            output=output,
            last=OWN,
            total=selection.count(),
            declared=_declared(app_of(ctx), model) if form == "duckdb" else {},
        )
        put(selection.pages, target)
        if not asked and selection.more():
            rest = f"--all gives all, --cursor {selection.last} what follows"
            click.echo(f"these are the first {_SHOWN}; {rest}", err=True)


def _declared(app: App, model: str) -> dict[str, str | None]:
    """What the syncs of a model say of its fields; nothing where they are not valid just now."""
    from runner.definitions.shapes import columns, models_of

    try:
        project = app.project
    except DefinitionsInvalid:
        return {}
    known = models_of(project.sync(name) for name in project.syncs)
    return columns(known[model]) if model in known else {}
