"""`terapi schedule`"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from runner.cli.completing import connection_ids
from runner.cli.main import app_of
from runner.cli.options import json_option
from runner.cli.output import echo_json, moment, second, table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.definitions.project import Project
    from runner.store import Store, TriggerKey
    from runner.workflow.triggers.listing import Listed

    Change = Callable[[Project, Store, str, str | None, float], Sequence[TriggerKey]]

_connection = click.option(
    "--connection", metavar="ID", shell_complete=connection_ids, help="Only for that connection."
)


@click.group(epilog="Example: terapi schedule list")
def command() -> None:
    """What starts by itself: list, pause, resume."""


@command.command("list", epilog="Example: terapi schedule list --connection acme")
@_connection
@json_option
@click.pass_context
def list_(ctx: click.Context, connection: str | None, as_json: bool) -> None:
    """What is due when, and which changed records start what, for each connection."""
    from runner.workflow.triggers.listing import listed

    app = app_of(ctx)
    found = listed(app.project, app.store, time.time(), connection=connection)
    if as_json:
        echo_json([_data(one) for one in found])
        return
    head = ("name", "kind", "connection", "on", "next")
    rows = [(one.key.name, one.kind, one.key.connection, _on(one), _next(one)) for one in found]
    click.echo(table(head, rows) if rows else "nothing starts by itself")
    if rows and not app.store.is_worked():
        click.echo("no worker runs, so that none of it starts: terapi worker, or terapi serve", err=True)


@command.command("pause", epilog="Example: terapi schedule pause contacts --connection acme")
@click.argument("name")
@_connection
@json_option
@click.pass_context
def pause(ctx: click.Context, name: str, connection: str | None, as_json: bool) -> None:
    """Keep a sync or a workflow from being started by itself.

    What is under way goes on. Changed records wait.
    """
    from runner.workflow.triggers.listing import pause as change

    _change(ctx, change, "paused", name, connection, as_json)


@command.command("resume", epilog="Example: terapi schedule resume contacts --connection acme")
@click.argument("name")
@_connection
@json_option
@click.pass_context
def resume(ctx: click.Context, name: str, connection: str | None, as_json: bool) -> None:
    """Let a paused sync or workflow be started by itself again.

    Times that have passed meanwhile are not made up for; records that have changed are.
    """
    from runner.workflow.triggers.listing import resume as change

    _change(ctx, change, "resumed", name, connection, as_json)


def _change(
    ctx: click.Context, change: Change, word: str, name: str, connection: str | None, as_json: bool
) -> None:
    app = app_of(ctx)
    changed = change(app.project, app.store, name, connection, time.time())
    if as_json:
        echo_json([_place(key) for key in changed])
        return
    for key in changed:
        click.echo(
            f"{word}: {key.name} ({'records' if key.kind == 'records' else 'schedule'}) of {key.connection}"
        )
    if not changed:
        click.echo(f"{word} already: {name}")


def _place(key: TriggerKey) -> dict[str, object]:
    return {"name": key.name, "integration": key.integration, "connection": key.connection}


def _data(one: Listed) -> dict[str, object]:
    return {
        **_place(one.key),
        "kind": one.kind,
        "on": one.on,
        "what": one.what,
        "due_at": None if one.due_at is None else moment(one.due_at),
        "behind": one.behind,
        "paused": one.paused,
    }


def _on(one: Listed) -> str:
    return one.what if one.on == "schedule" else f"records of {one.what}"


def _next(one: Listed) -> str:
    many = f"{one.behind:,} change{'' if one.behind == 1 else 's'} behind" if one.behind else ""
    if one.paused:
        return f"paused, {many}" if many else "paused"
    if one.due_at is None:
        return many or "at the next change"
    return second(one.due_at)
