"""`terapi connect`"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from runner.cli.completing import integrations
from runner.cli.main import app_of
from runner.cli.options import document, json_option, pairs
from runner.cli.output import echo_json
from runner.errors import UsageError

if TYPE_CHECKING:
    from runner.auth.connect import NewConnection
    from runner.auth.credentials import Credentials
    from runner.calls.access import Access, Kept
    from runner.definitions.model import Provider

#: what an imported token set calls its parts; all else of it is what a person enters
_TOKENS = ("access_token", "refresh_token", "expires_at", "raw")


class How(TypedDict):
    """The options that say how a person logs in, and what the connection may do."""

    scope: tuple[str, ...]
    no_browser: bool
    allow_local: bool
    callback_port: int
    #: seconds
    timeout: float


@click.command(epilog="Example: terapi connect NAME --connection demo")
@click.argument("integration", shell_complete=integrations)
@click.option(
    "--connection", "id", metavar="ID", default="default", show_default=True, help="How to call it."
)
@click.option("--config", multiple=True, metavar="K=V", help="A value of its configuration.")
@click.option("--scope", multiple=True, metavar="S", help="A scope to ask for, instead of the provider's.")
@click.option("--no-browser", is_flag=True, help="Print the address instead of opening it.")
@click.option("--allow-local", is_flag=True, help="Let it call this machine and private networks.")
@click.option(
    "--credentials-stdin", is_flag=True, help="Read credentials or a token set as JSON from standard input."
)
@click.option(
    "--callback-port",
    default=8976,
    show_default=True,
    help="Where the browser comes back to; 0: any free one.",
)
@click.option(
    "--timeout", default=600.0, show_default=True, metavar="SECONDS", help="How long to wait for the login."
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    integration: str,
    id: str,
    config: tuple[str, ...],
    credentials_stdin: bool,
    as_json: bool,
    **how: Unpack[How],
) -> None:
    """Authorise a connection and keep it.

    Opens the browser and waits for the login; `--credentials-stdin` is for what needs none: client
    credentials, JWT bearer, API key, basic, or a token set from elsewhere.
    """
    from runner.auth.connect import NewConnection, resumed

    app = app_of(ctx)
    provider = app.project.provider(integration)
    entered = _config(provider, pairs(config, "--config"))
    new = NewConnection(id=id, config=entered, allow_local=how["allow_local"])
    place = resumed(app.store, provider, new)
    if credentials_stdin or provider.auth_mode != "OAUTH2":
        given = _credentials(provider, document("@-", "standard input") if credentials_stdin else {})
        kept = app.run(lambda access: _made(access, provider, place, given))
    else:
        kept = app.run(lambda access: _browse(access, provider, place, how))
    _tell(kept, as_json)


def _config(provider: Provider, given: dict[str, str]) -> dict[str, object]:
    """The configuration, held against what the provider says of it."""
    from runner.definitions.entered import entered

    return entered(provider.connection_config, given, "config")


def _credentials(provider: Provider, given: dict[str, object]) -> Credentials:
    from runner.auth.credentials import Credentials
    from runner.definitions.conversions import instant

    kind = str(given.pop("type", provider.auth_mode))
    allowed = {
        provider.auth_mode,
        *(grant.upper().replace("CLIENT_CREDENTIALS", "OAUTH2_CC") for grant in provider.grants),
    }
    if kind not in allowed:
        raise UsageError(
            f"{provider.name} takes no credentials of type {kind}",
            hint=f"it takes: {', '.join(sorted(allowed))}",
        )
    tokens = {name: given.pop(name) for name in _TOKENS if given.get(name) is not None}
    if kind == "OAUTH2" and "access_token" not in tokens:
        raise UsageError("a token set has an `access_token`", hint='{"access_token": …, "refresh_token": …}')
    raw = {**given, **tokens, **_map(tokens.pop("raw", {}))}
    expires = tokens.pop("expires_at", None)
    ends = instant(expires).timestamp() if expires is not None else None
    return Credentials(type=kind, expires_at=ends, raw=raw, values=given, **tokens)  # type: ignore[arg-type]


def _map(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


async def _made(access: Access, provider: Provider, place: NewConnection, given: Credentials) -> Kept:
    return await access.keep(await access.connect.make(provider, place, given))


async def _browse(access: Access, provider: Provider, place: NewConnection, how: How) -> Kept:
    import asyncio

    from runner.auth.callback import Callback

    access.clients.get(provider)
    callback = Callback(how["callback_port"])
    attempt = access.connect.begin(provider, place, callback.redirect_uri, how["scope"])
    _open(attempt.url, how["no_browser"])
    try:
        answer = await asyncio.to_thread(callback.wait, how["timeout"])
    except asyncio.CancelledError:
        callback.take({})  # frees the thread that waits, without which the process could not end
        raise
    return await access.keep(await access.connect.finish(provider, place, attempt, answer))


def _open(url: str, no_browser: bool) -> None:
    if no_browser:
        click.echo(f"open this address to log in:\n\n  {url}\n", err=True)
        sys.stderr.flush()
    else:
        click.echo(f"opening the browser; if nothing opens, go to:\n\n  {url}\n", err=True)
        click.launch(url)


def _tell(kept: Kept, as_json: bool) -> None:
    connection = kept.connection
    if as_json:
        echo_json(
            {
                "connection": connection.id,
                "integration": connection.integration,
                "config": dict(connection.config),
                "advice": kept.advice,
            }
        )
        return
    click.echo(f"connected {connection.integration} as `{connection.id}`")
    for advice in kept.advice:
        click.echo(f"note: {advice}", err=True)
