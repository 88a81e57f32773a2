"""`terapi client`"""

from __future__ import annotations

import os
import sys

import click

from runner.cli.completing import integrations
from runner.cli.main import app_of
from runner.cli.options import json_option
from runner.cli.output import echo_json, table
from runner.errors import UsageError


@click.group(epilog="Example: terapi client list")
def command() -> None:
    """OAuth clients: what an API knows us by."""


@command.command("set", epilog="Example: terapi client set NAME --id KEY --secret-stdin < secret.txt")
@click.argument("integration", shell_complete=integrations)
@click.option("--id", "client_id", help="The client id.")
@click.option("--secret-stdin", is_flag=True, help="Read the client secret from standard input.")
@click.option("--webhook-secret-stdin", is_flag=True, help="Read the webhooks' secret from standard input.")
@click.pass_context
def set_(
    ctx: click.Context,
    integration: str,
    client_id: str | None,
    secret_stdin: bool,
    webhook_secret_stdin: bool,
) -> None:
    """Keep the client of an integration, its secrets encrypted."""
    import msgspec

    from runner.auth.clients import Client, Clients
    from runner.auth.vault import Vault

    app = app_of(ctx)
    provider = app.project.provider(integration)
    if secret_stdin and webhook_secret_stdin:
        raise UsageError("standard input holds one secret", hint="run the command twice")
    clients = Clients(app.store, Vault.load(app.store.folder, os.environ), {})
    client = clients.find(integration) or Client(id="")
    if client_id is None and sys.stdin.isatty() and not client.id:
        client_id = click.prompt(provider.client_id_label)
    client = msgspec.structs.replace(client, id=client_id or client.id)
    if secret_stdin or webhook_secret_stdin:
        name = "secret" if secret_stdin else "webhook_secret"
        client = msgspec.structs.replace(client, **{name: sys.stdin.read().strip()})
    elif sys.stdin.isatty() and client.secret is None:
        client = msgspec.structs.replace(
            client, secret=click.prompt(provider.client_secret_label, hide_input=True)
        )
    clients.save(integration, client)
    click.echo(f"kept the client of {integration}")


@command.command("list", epilog="Example: terapi client list --json")
@json_option
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """The integrations that have a client."""
    from runner.auth.clients import Clients
    from runner.auth.vault import Vault

    app = app_of(ctx)
    clients = Clients(app.store, Vault.load(app.store.folder, os.environ), os.environ)
    found = [(name, client) for name in sorted(app.project.providers) if (client := clients.find(name))]
    rows = [
        (name, client.id, client.secret is not None, client.webhook_secret is not None)
        for name, client in found
    ]
    if as_json:
        echo_json(
            [dict(zip(("integration", "id", "secret", "webhook_secret"), row, strict=True)) for row in rows]
        )
        return
    shown = [(name, id, "set" if secret else "-", "set" if hook else "-") for name, id, secret, hook in rows]
    click.echo(table(("integration", "id", "secret", "webhook secret"), shown))
