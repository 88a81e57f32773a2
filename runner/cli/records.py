"""`terapi records`"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.main import app_of
from runner.cli.options import connection_option, json_option
from runner.cli.output import table
from runner.definitions.words import nearest
from runner.errors import NotConnected, UsageError

if TYPE_CHECKING:
    from runner.store import Record, Store, Stream


@click.command(epilog="Example: terapi records Contact --connection demo --limit 5")
@click.argument("model")
@connection_option
@click.option("--cursor", type=int, default=0, metavar="C", help="Only what changed behind that cursor.")
@click.option(
    "--limit", type=click.IntRange(1), default=100, show_default=True, metavar="N", help="How many at most."
)
@click.option(
    "--filter",
    "states",
    type=click.Choice(["added", "updated", "deleted"]),
    multiple=True,
    help="Only those.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "ndjson", "csv"]),
    default="table",
    show_default=True,
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write to a file."
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    model: str,
    connection: str | None,
    cursor: int,
    limit: int,
    states: tuple[str, ...],
    form: str,
    output: Path | None,
    as_json: bool,
) -> None:
    """Show what was synced.

    In the order of the last change; keep the last cursor and give it the next time to get only what is new.
    """
    stream = _stream(app_of(ctx).store, model, connection)
    found = stream.read(after=cursor, limit=limit, states=states or None)
    text = _written(found, "json" if as_json else form)
    if output is None:
        click.echo(text)
        return
    try:
        output.write_text(text + "\n", encoding="utf-8")
    except OSError as exc:
        raise UsageError(f"{output} cannot be written: {exc.strerror}") from exc


def _stream(store: Store, model: str, connection: str | None) -> Stream:
    streams = store.records.streams(connection=connection)
    fitting = [stream for stream in streams if stream[2] == model]
    if len(fitting) == 1:
        return store.records.stream(*fitting[0])
    if fitting:
        names = ", ".join(sorted({stream[1] for stream in fitting}))
        raise UsageError(f"several connections have {model}", hint=f"name one with --connection: {names}")
    if connection is not None and not store.connections.find(connection):
        raise NotConnected(f"there is no connection `{connection}`", hint="terapi connections list")
    models = sorted({stream[2] for stream in streams})
    guess = nearest(model, models)
    hint = (
        f"did you mean `{guess}`?"
        if guess
        else f"there are: {', '.join(models)}"
        if models
        else "terapi sync"
    )
    raise UsageError(f"nothing is stored of a model `{model}`", hint=hint)


def _written(records: list[Record], form: str) -> str:
    rows = [_row(record) for record in records]
    if form == "json":
        return json.dumps(rows, ensure_ascii=False, indent=2)
    if form == "ndjson":
        return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    if form == "csv":
        file = io.StringIO()
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
        return file.getvalue().rstrip("\n")
    return table(names, [[_cell(row.get(name)) for name in names] for row in rows]) if rows else "no records"


def _row(record: Record) -> dict[str, object]:
    return {**json.loads(record.payload), "_state": record.state, "_cursor": record.cursor}


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.replace("\n", " ")
