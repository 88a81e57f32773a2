"""`terapi webhooks`"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from runner.cli.completing import delivery_ids, integrations
from runner.cli.main import app_of
from runner.cli.options import content, header_of, json_option, limit_option, on_page, page_option, pairs
from runner.cli.output import echo_json, moment, table
from runner.definitions.problems import visible
from runner.errors import CallError, UsageError

if TYPE_CHECKING:
    from runner.cli.app import App
    from runner.definitions.exchange import Answer
    from runner.store import Delivery
    from runner.webhooks.incoming import Incoming

_STATES = ("received", "done", "failed", "unmatched")
#: how much of an id is shown where there are many; any unique beginning is taken
_SHORT = 8


@click.group(epilog="Example: terapi webhooks list")
def command() -> None:
    """Webhooks that came in: list, show, replay, send."""


@command.command("list", epilog="Example: terapi webhooks list --status failed")
@click.option("--status", type=click.Choice(_STATES), help="Only those that stand so.")
@limit_option
@page_option
@json_option
@click.pass_context
def list_(ctx: click.Context, status: str | None, limit: int, page: int, as_json: bool) -> None:
    """The webhooks, the newest first, and what became of each."""
    stored = app_of(ctx).store.deliveries.newest(status=status, limit=limit + 1, offset=(page - 1) * limit)
    found = on_page(stored, limit, page)
    if as_json:
        echo_json([_data(delivery) for delivery in found])
        return
    rows = [
        (one.id[:_SHORT], moment(one.received_at), one.integration, visible(one.event or "-"),
         visible(one.connection or "-"), one.status, visible((one.error or "").replace("\n", "; ")))
        for one in found
    ]  # fmt: skip
    head = ("webhook", "received", "integration", "event", "connection", "status", "error")
    click.echo(table(head, rows) if rows else "no webhooks")


@command.command("show", epilog="Example: terapi webhooks show 3f2a")
@click.argument("id", shell_complete=delivery_ids)
@json_option
@click.pass_context
def show(ctx: click.Context, id: str, as_json: bool) -> None:
    """One webhook with its headers and its body, as JSON; the beginning of its id is enough."""
    delivery = _one(app_of(ctx), id)
    echo_json(
        {
            **_data(delivery),
            "query": delivery.query,
            "headers": delivery.headers,
            "body": _decoded(delivery.body),
        }
    )


@command.command("replay", epilog="Example: terapi webhooks replay 3f2a")
@click.argument("ids", nargs=-1, required=True, metavar="ID...", shell_complete=delivery_ids)
@click.pass_context
def replay(ctx: click.Context, ids: tuple[str, ...]) -> None:
    """Let webhooks be worked through once more.

    Of one that failed only what is not done; of any other everything. A running `terapi serve` takes them up.
    """
    app = app_of(ctx)
    for delivery in [_one(app, id) for id in ids]:
        how = "to be worked through once more" if app.store.deliveries.replay(delivery) else "already"
        click.echo(f"{delivery.id[:_SHORT]} waits {how}")


@command.command(
    "send",
    epilog='Example: terapi webhooks send NAME \'{"type": "contact.changed"}\' --url http://127.0.0.1:3003',
)
@click.argument("integration", shell_complete=integrations)
@click.argument("body", metavar="JSON|@file")
@click.option(
    "--url", default="http://127.0.0.1:3003", show_default=True, help="Where `terapi serve` listens."
)
@click.option("-H", "--header", multiple=True, metavar="NAME: VALUE", help="A header.")
@click.option("-q", "--query", multiple=True, metavar="K=V", help="A query parameter.")
@json_option
@click.pass_context
def send(
    ctx: click.Context,
    integration: str,
    body: str,
    url: str,
    header: tuple[str, ...],
    query: tuple[str, ...],
    as_json: bool,
) -> int:
    """Send a webhook to a running server, signed as the API would sign it."""
    headers = {"Content-Type": "application/json", **dict(header_of(one) for one in header)}
    incoming = _signed(app_of(ctx), integration, headers, pairs(query, "-q"), content(body))
    answer = asyncio.run(_sent(f"{url.rstrip('/')}/webhooks/{integration}", incoming))
    taken = answer.status == 202
    if as_json:
        echo_json({"status": answer.status, "body": _decoded(answer.content)})
    else:
        click.echo(visible(f"{answer.status} {answer.content.decode('utf-8', 'replace')}"), err=not taken)
    return 0 if taken else 1


def _signed(
    app: App, integration: str, headers: dict[str, str], query: dict[str, str], body: bytes
) -> Incoming:
    """The webhook with what proves it, and the time where that is signed too."""
    from runner.auth.clients import Clients
    from runner.auth.vault import Vault
    from runner.definitions.exchange import Headers
    from runner.webhooks.incoming import Incoming
    from runner.webhooks.route import Router
    from runner.webhooks.verify import signed, timed

    rules = Router(app.project, app.store).rules(integration)
    client = Clients(app.store, Vault.load(app.store.folder, os.environ), os.environ).find(integration)
    if client is None or not client.webhook_secret:
        hint = f"terapi client set {integration} --webhook-secret-stdin"
        raise UsageError(f"`{integration}` has no webhook secret yet", hint=hint)
    headers = {**timed(rules.proof, time.time()), **headers}
    plain = Incoming(headers=Headers(headers), query=query, raw=body)
    return replace(plain, headers=Headers({**signed(rules.proof, client.webhook_secret, plain), **headers}))


async def _sent(url: str, incoming: Incoming) -> Answer:
    from urllib.parse import urlencode

    from runner.calls.transport import Transport
    from runner.definitions.exchange import Outgoing

    address = f"{url}?{urlencode(incoming.query)}" if incoming.query else url
    transport = Transport(allow_local=True)
    try:
        request = Outgoing(method="POST", url=address, headers=dict(incoming.headers), content=incoming.raw)
        return await transport.send(request, 1_000_000)
    except CallError as exc:
        raise UsageError(
            exc.message, hint="start it with `terapi serve`, or name its address with --url"
        ) from exc
    finally:
        await transport.close()


def _one(app: App, prefix: str) -> Delivery:
    found = app.store.deliveries.beginning_with(prefix.lower()) if prefix else []
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"several webhooks begin with `{prefix}`", hint="give more of the id")
    raise UsageError(f"there is no webhook `{prefix}`", hint="terapi webhooks list")


def _data(delivery: Delivery) -> dict[str, object]:
    return {
        "id": delivery.id,
        "integration": delivery.integration,
        "external_id": delivery.external_id,
        "event": delivery.event,
        "connection": delivery.connection,
        "status": delivery.status,
        "error": delivery.error,
        "attempts": delivery.attempts,
        "received_at": moment(delivery.received_at),
        "due_at": None if delivery.due_at is None else moment(delivery.due_at),
        "finished_at": None if delivery.finished_at is None else moment(delivery.finished_at),
    }


def _decoded(body: bytes) -> object:
    """A body as JSON where it is, else as text."""
    import json

    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")
