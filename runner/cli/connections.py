"""`terapi connections`"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import click

from runner.cli.completing import connection_ids
from runner.cli.main import app_of
from runner.cli.options import json_option, limit_option, on_page, page_option, values
from runner.cli.output import echo_json, table
from runner.errors import NotConnected, TerapiError, UsageError

if TYPE_CHECKING:
    from runner.auth.tokens import Held
    from runner.calls.access import Access
    from runner.cli.app import App
    from runner.store import Connection, Store


@click.group(epilog="Example: terapi connections list")
def command() -> None:
    """Connections: list, show, check, set, delete."""


@command.command("list", epilog="Example: terapi connections list --json")
@limit_option
@page_option
@json_option
@click.pass_context
def list_(ctx: click.Context, limit: int, page: int, as_json: bool) -> None:
    """The connections, and whether each works."""
    stored = app_of(ctx).store.connections.all(limit=limit + 1, offset=(page - 1) * limit)
    found = on_page(stored, limit, page)
    if as_json:
        echo_json([_data(connection) for connection in found])
        return
    rows = [(c.id, c.integration, c.auth, c.error or "fine") for c in found]
    click.echo(table(("connection", "integration", "auth", "state"), rows))


@command.command("show", epilog="Example: terapi connections show demo --credentials")
@click.argument("id", shell_complete=connection_ids)
@click.option("--credentials", is_flag=True, help="Refresh first, then show a token that works now.")
@json_option
@click.pass_context
def show(ctx: click.Context, id: str, credentials: bool, as_json: bool) -> None:
    """One connection, as JSON."""

    async def work(access: Access) -> dict[str, object]:
        connection = access.connection(id)
        if not credentials:
            return _data(connection)
        provider = access.project.provider(connection.integration)
        held = await access.tokens.fresh(provider, access.tokens.open(connection))
        access.store.connections.touch(held.connection)
        return {**_data(held.connection), "credentials": _credentials(held)}

    echo_json(app_of(ctx).run(work))


@command.command("check", epilog="Example: terapi connections check demo")
@click.argument("id", shell_complete=connection_ids)
@json_option
@click.pass_context
def check(ctx: click.Context, id: str, as_json: bool) -> int:
    """Prove that a connection works, by one cheap call; exit 4 where it does not."""

    async def work(access: Access) -> tuple[str, ...]:
        return await access.check(access.connection(id))

    try:
        advice = app_of(ctx).run(work)
    except TerapiError as exc:
        if not as_json:
            raise
        echo_json({"connection": id, "works": False, "error": exc.message, "advice": []})
        return exc.exit_code
    if as_json:
        echo_json({"connection": id, "works": True, "error": None, "advice": advice})
        return 0
    click.echo(f"`{id}` works")
    for note in advice:
        click.echo(f"note: {note}", err=True)
    return 0


@command.command("set", epilog="Example: terapi connections set demo --metadata plan=pro")
@click.argument("id", shell_complete=connection_ids)
@click.option(
    "--config", multiple=True, metavar="K=V", help="A value of its configuration; `K=` removes one."
)
@click.option("--metadata", multiple=True, metavar="K=V", help="A value of its metadata; `K=` removes one.")
@click.pass_context
def set_(ctx: click.Context, id: str, config: tuple[str, ...], metadata: tuple[str, ...]) -> None:
    """Change the configuration or metadata of a connection."""
    from runner.definitions.entered import entered

    app = app_of(ctx)
    connection = _one(app.store.connections.find(id), id)
    kept, removed = _split(values(config, "--config"))
    fields = app.project.provider(connection.integration).connection_config
    app.store.connections.set_config(connection, entered(fields, kept, "config"), remove=removed)
    kept, removed = _split(values(metadata, "--metadata"))
    app.store.connections.set_metadata(connection, kept, remove=removed)
    click.echo(f"changed `{id}`")


@command.command("delete", epilog="Example: terapi connections delete demo --yes")
@click.argument("id", shell_complete=connection_ids)
@click.option("-y", "--yes", is_flag=True, help="Do not ask first.")
@json_option
@click.pass_context
def delete(ctx: click.Context, id: str, yes: bool, as_json: bool) -> int:
    """Forget a connection, its records and the state of its syncs.

    Its token is taken back at the API, where the API can do that; where it fails, that is told, and the
    connection is deleted all the same. On a terminal it asks first.
    """
    app = app_of(ctx)
    connection = _one(app.store.connections.find(id), id)
    records = _records(app.store, connection)
    if not yes and sys.stdin.isatty() and not _agreed(connection, records):
        click.echo("nothing was deleted", err=True)
        return 1
    revoked, error = _revoked(app, connection)
    app.store.connections.delete(connection)
    if as_json:
        place = {"connection": id, "integration": connection.integration, "records": records}
        echo_json({**place, "revoked": revoked, "error": error.as_data() if error is not None else None})
        return 0
    gone = f" and {_listed(records)}" if records else ""
    click.echo(f"deleted `{id}`{gone}" + ("; its token works no more" if revoked else ""))
    if error is not None:
        click.echo(f"note: its token could not be taken back: {error.message}", err=True)
        click.echo(f"  next: remove the access at {connection.integration} itself", err=True)
    return 0


def _agreed(connection: Connection, records: dict[str, int]) -> bool:
    gone = f", and with it {_listed(records)}" if records else ""
    click.echo(f"`{connection.id}` of {connection.integration} would go{gone}.", err=True)
    return click.confirm("Delete it?", err=True)


def _records(store: Store, connection: Connection) -> dict[str, int]:
    """How many records of each model were synced through it."""
    streams = store.records.streams(connection.integration, connection.id)
    counts = Counter[str]()
    for key in streams:
        counts[key.model] += sum(store.records.stream(*key).count().values())
    return {model: count for model, count in counts.items() if count}


def _listed(records: dict[str, int]) -> str:
    return ", ".join(
        f"{count:,} record{'' if count == 1 else 's'} of {model}" for model, count in records.items()
    )


def _revoked(app: App, connection: Connection) -> tuple[bool, TerapiError | None]:
    """Whether its token was taken back, or why not."""

    async def work(access: Access) -> bool:
        return await access.tokens.revoke(access.project.provider(connection.integration), connection)

    try:
        return app.run(work), None
    except TerapiError as exc:
        return False, exc


def _one(found: list[Connection], id: str) -> Connection:
    if not found:
        raise NotConnected(f"there is no connection `{id}`", hint="terapi connections list")
    if len(found) > 1:
        names = ", ".join(connection.integration for connection in found)
        raise UsageError(f"`{id}` is a connection of several integrations: {names}")
    return found[0]


def _split(given: dict[str, object]) -> tuple[dict[str, object], list[str]]:
    """What is set, and the keys that are removed since nothing stands behind their `=`."""
    removed = [key for key, value in given.items() if value == ""]
    return {key: value for key, value in given.items() if value != ""}, removed


def _data(connection: Connection) -> dict[str, object]:
    from runner.definitions.conversions import format_instant, instant

    return {
        "connection_id": connection.id,
        "integration": connection.integration,
        "provider": connection.provider,
        "auth_mode": connection.auth,
        "connection_config": dict(connection.config),
        "metadata": dict(connection.metadata) if connection.metadata is not None else None,
        "error": connection.error,
        "created_at": format_instant(instant(connection.created_at)),
        "updated_at": format_instant(instant(connection.updated_at)),
    }


def _credentials(held: Held) -> dict[str, object]:
    from runner.definitions.conversions import format_instant, instant

    found = held.credentials
    ends = format_instant(instant(found.expires_at)) if found.expires_at is not None else None
    tokens = {"access_token": found.access_token, "refresh_token": found.refresh_token, "expires_at": ends}
    return {
        "type": found.type,
        **{key: value for key, value in tokens.items() if value is not None},
        **found.values,
    }
