"""`terapi providers`"""

from __future__ import annotations

import json
from collections.abc import Iterable

import click

from runner.cli.main import app_of
from runner.cli.output import echo_json, table
from runner.definitions.model import Param, Provider


@click.group(epilog="Example: terapi providers list")
def command() -> None:
    """The APIs that are configured."""


@command.command("list", epilog="Example: terapi providers list --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """Every provider, by name."""
    found = [provider for _, provider in sorted(app_of(ctx).project.providers.items())]
    if as_json:
        echo_json([_summary(provider) for provider in found])
        return
    rows = [(p.name, p.display_name, p.auth_mode, str(len(p.operations))) for p in found]
    click.echo(table(("name", "API", "auth mode", "operations"), rows))


@command.command("show", epilog="Example: terapi providers show NAME --json")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def show(ctx: click.Context, name: str, as_json: bool) -> None:
    """One provider: how it is reached and what it can do."""
    provider = app_of(ctx).project.provider(name)
    if as_json:
        echo_json({"name": name, **provider.raw})
        return
    click.echo(f"{provider.display_name} ({name}), {provider.auth_mode}")
    click.echo(f"credentials go to {', '.join(provider.hosts)}")
    fields = [
        (f.name, f.title, _default(f.default), f.description) for f in provider.connection_config.values()
    ]
    if fields:
        click.echo("\n" + table(("config", "title", "default", "meaning"), fields))
    rows = [
        (o.name, ", ".join(_signature(o.params.values())), o.description)
        for o in provider.operations.values()
    ]
    click.echo("\n" + table(("operation", "parameters", "what it does"), rows))


def _summary(provider: Provider) -> dict[str, object]:
    return {
        "name": provider.name,
        "display_name": provider.display_name,
        "auth_mode": provider.auth_mode,
        "operations": sorted(provider.operations),
    }


def _default(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _signature(params: Iterable[Param]) -> list[str]:
    return [param.name if param.required else f"[{param.name}]" for param in params]
