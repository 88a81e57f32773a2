"""`terapi records`"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from runner.cli.completing import models, variants
from runner.cli.exporting import Target, form_of, format_option, output_option, put, states
from runner.cli.main import app_of
from runner.cli.options import connection_option, json_option
from runner.definitions.words import did_you_mean, there_are
from runner.errors import NotConnected, UsageError

if TYPE_CHECKING:
    from runner.store import Store, Stream, StreamKey

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
@click.option(
    "--variant",
    metavar="NAME",
    shell_complete=variants,
    help="Which variant of the model; may be left out if there is one.",
)
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
            _stream(still, model, given["connection"], given["variant"]),
            after=given["cursor"],
            limit=limit if asked else _SHOWN,
            states=states(given["wanted"]),
        )
        put(selection.pages, Target(form=form, output=output, last=OWN, total=selection.count()))
        if not asked and selection.more():
            rest = f"--all gives all, --cursor {selection.last} what follows"
            click.echo(f"these are the first {_SHOWN}; {rest}", err=True)


def _stream(store: Store, model: str, connection: str | None, variant: str | None) -> Stream:
    streams = store.records.streams(connection=connection)
    there = [key for key in streams if key.model == model]
    fitting = [key for key in there if variant in (None, key.variant)]
    if len(fitting) == 1:
        return store.records.stream(*fitting[0])
    if fitting:
        raise _several(model, fitting)
    if connection is not None and not store.connections.find(connection):
        raise NotConnected(f"there is no connection `{connection}`", hint="terapi connections list")
    if there and variant is not None:
        names = {key.variant for key in there}
        hint = did_you_mean(variant, names, there_are(names))
        raise UsageError(f"nothing is stored of a variant `{variant}` of {model}", hint=hint)
    models = {key.model for key in streams}
    hint = did_you_mean(model, models, there_are(models)) if models else "terapi sync"
    raise UsageError(f"nothing is stored of a model `{model}`", hint=hint)


def _several(model: str, fitting: Sequence[StreamKey]) -> UsageError:
    """What has to be said beside the model."""
    connections = sorted({key.connection for key in fitting})
    if len(connections) > 1:
        names = ", ".join(connections)
        return UsageError(f"several connections have {model}", hint=f"name one with --connection: {names}")
    names = ", ".join(dict.fromkeys(key.variant for key in fitting))
    return UsageError(f"{model} has several variants", hint=f"name one with --variant: {names}")
