"""`terapi records prune`"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from runner.cli.completing import models
from runner.cli.main import app_of
from runner.cli.options import connection_option, json_option
from runner.cli.output import echo_json
from runner.cli.progress import Bars
from runner.cli.streams import stream_of, variant_option
from runner.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.store import Pruned, Store, Stream


@click.command(epilog="Example: terapi records prune Contact --connection demo --older-than 90d")
@click.argument("model", shell_complete=models)
@click.option("--older-than", "age", metavar="DURATION", help="What last changed before that: 12h, 90d.")
@click.option(
    "--until-cursor", "cursor", type=click.IntRange(0), metavar="C", help="What was read up to there."
)
@connection_option
@variant_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    model: str,
    age: str | None,
    cursor: int | None,
    connection: str | None,
    variant: str | None,
    as_json: bool,
) -> None:
    """Empty records that are no longer needed; their keys stay.

    One that is read again as it was stays pruned and counts as unchanged; one that has changed has its fields
    again. What `retention` of a sync says is done after each of its runs.
    """
    store = app_of(ctx).store
    stream = stream_of(store, model, connection, variant)
    batch = _batch(store, stream, age, cursor)
    count, bars = 0, Bars()
    with bars.bar(f"prune {model}") as bar:
        more = True
        while more:
            done = batch()
            count, more = count + done.records, done.more
            bars.update(bar, count)
    if as_json:
        echo_json({"model": model, "pruned": count})
    else:
        click.echo(f"{model}: {count:,} record{'' if count == 1 else 's'} pruned")


def _batch(store: Store, stream: Stream, age: str | None, cursor: int | None) -> Callable[[], Pruned]:
    """What prunes the next records.

    Raises:
        UsageError: not exactly one of both is given, or one is wrong.
    """
    from runner.definitions.conversions import duration
    from runner.store import Ages

    if (age is None) == (cursor is None):
        hint = "such as --older-than 90d, or --until-cursor with the last cursor that you have read"
        raise UsageError("one of --older-than and --until-cursor says what is pruned", hint=hint)
    pruning, now = store.pruning(stream), time.time()
    if cursor is not None:
        return lambda: pruning.until(cursor, now)
    try:
        ages = Ages(changed=duration(age))
    except ValueError as exc:
        raise UsageError(f"--older-than: {exc}") from exc
    return lambda: pruning.by_age(ages, now)
