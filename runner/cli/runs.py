"""`terapi runs`"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from runner.cli.completing import connection_ids, run_ids
from runner.cli.finding import find_run
from runner.cli.main import app_of
from runner.cli.options import json_option, limit_option, on_page, page_option
from runner.cli.output import bad_lines, echo_json, echo_line, moment, second, step_lines, table
from runner.cli.runs_go import approve, cancel, resume
from runner.cli.runs_rejected import rejected
from runner.cli.runs_tree import tree_lines
from runner.definitions.problems import visible

if TYPE_CHECKING:
    from runner.store import Run, Store
    from runner.workflow.tree import Node

STATUSES = ("queued", "running", "waiting", "success", "failed", "cancelled", "lost")
#: how much of an id is shown where there are many; any unique beginning is taken
_SHORT = 8
#: seconds between two looks at the log of a run that is followed
_LOOK = 0.3


class Which(TypedDict):
    """The options that say which runs are wanted."""

    kind: str | None
    name: str | None
    status: str | None
    connection: str | None


@click.group(epilog="Example: terapi runs list --status failed")
def command() -> None:
    """Runs of syncs and workflows: list, show, logs, rejected, resume, approve, cancel."""


@command.command("list", epilog="Example: terapi runs list --status failed --limit 5")
@click.option("--kind", type=click.Choice(["sync", "workflow", "audit"]), help="Only these.")
@click.option("--name", metavar="NAME", help="Only those of that sync or workflow.")
@click.option("--status", type=click.Choice(STATUSES), help="Only those that ended so, or run.")
@click.option(
    "--connection",
    metavar="ID",
    shell_complete=connection_ids,
    help="Only those of that connection.",
)
@limit_option
@page_option
@json_option
@click.pass_context
def list_(ctx: click.Context, limit: int, page: int, as_json: bool, **which: Unpack[Which]) -> None:
    """The runs, the newest first."""
    stored = app_of(ctx).store.runs.newest(**which, limit=limit + 1, offset=(page - 1) * limit)
    found = on_page(stored, limit, page)
    if as_json:
        echo_json([_summary(run) for run in found])
        return
    head = ("run", "kind", "name", "connection", "status", "began", "took")
    rows = [
        (run.id[:_SHORT], run.kind, run.name, run.connection, run.status, second(run.started_at), _took(run))
        for run in found
    ]
    click.echo(table(head, rows) if rows else "no runs")


@command.command("show", epilog="Example: terapi runs show 3f2a")
@click.argument("id", shell_complete=run_ids)
@json_option
@click.pass_context
def show(ctx: click.Context, id: str, as_json: bool) -> None:
    """One run: how it ended, what came of it, and its steps.

    ID may be shortened as long as one run alone begins so.
    """
    run = find_run(app_of(ctx).store, id)
    store = app_of(ctx).store
    bad, nodes = store.runs.bad_records(run.id), _nodes(store, run)
    if as_json:
        echo_json({**_data(run, nodes), "bad_records": bad})
        return
    click.echo(f"{run.kind} {run.name}, {run.integration} connection `{run.connection}`")
    for word, value in (("run", run.id), ("status", run.status), ("began", second(run.started_at))):
        click.echo(f"  {word:<8}{value}")
    click.echo(f"  {'took':<8}{_took(run)}")
    for line in tree_lines(nodes) if nodes else step_lines(run.steps or []):
        click.echo(line)
    if run.error is not None:
        click.secho(f"{run.status}: {visible(str(run.error.get('message')))}", fg="red")
        for key, word in (("where", "at"), ("hint", "next:")):
            if run.error.get(key):
                click.echo(f"  {word} {visible(str(run.error[key]))}")
    if bad:
        click.echo("records that do not fit:")
    for line in bad_lines(bad):
        click.echo(line)
    if run.output is not None:
        echo_json(run.output)


@command.command("logs", epilog="Example: terapi runs logs 3f2a --follow")
@click.argument("id", shell_complete=run_ids)
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
@json_option
@click.pass_context
def logs(ctx: click.Context, id: str, follow: bool, as_json: bool) -> None:
    """What happened in a run, line by line; with --json one object a line."""
    store = app_of(ctx).store
    run = find_run(store, id)
    last = _tell_events(store, run, 0, as_json)
    while follow and run.status == "running":
        time.sleep(_LOOK)
        run = store.runs.get(run.id) or run
        last = _tell_events(store, run, last, as_json)


def _tell_events(store: Store, run: Run, after: int, as_json: bool) -> int:
    """Prints the events behind ``after``; gives the number of the last."""
    for event in store.runs.events(run.id, after=after):
        at, level, message = event["at"], event["level"], event["message"]
        after = int(str(event["number"]))
        if as_json:
            told = {"at": moment(at), "level": level, "message": message, "data": event["data"]}
            echo_line(told)
        else:
            click.echo(f"{moment(at)}  {level:<7}  {visible(str(message))}")
    return after


def _summary(run: Run) -> dict[str, object]:
    return {
        "run": run.id,
        "kind": run.kind,
        "name": run.name,
        "integration": run.integration,
        "connection": run.connection,
        "status": run.status,
        "started_at": moment(run.started_at),
        "finished_at": moment(run.finished_at) if run.finished_at is not None else None,
    }


def _nodes(store: Store, run: Run) -> list[Node]:
    """The steps of a durable run, without the secrets of its connection."""
    if not run.durable:
        return []
    from runner.auth.credentials import unseal
    from runner.auth.masking import mask
    from runner.auth.vault import Vault
    from runner.workflow.tree import tree_of

    place = store.connections.get(run.integration, run.connection)
    secrets = [] if place is None else unseal(Vault.load(store.folder, os.environ), place).secrets()
    return tree_of(store, run, lambda text: mask(text, secrets))


def _data(run: Run, nodes: list[Node]) -> dict[str, object]:
    from runner.workflow.tree import as_data

    return {
        **_summary(run),
        "input": run.input,
        "output": run.output,
        "error": run.error,
        "steps": as_data(nodes) if nodes else run.steps,
        "started_by": run.started_by,
    }


def _took(run: Run) -> str:
    return f"{run.finished_at - run.started_at:.1f} s" if run.finished_at is not None else ""


for one in (rejected, resume, approve, cancel):
    command.add_command(one)
