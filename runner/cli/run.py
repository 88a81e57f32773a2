"""`terapi run`"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from runner.cli.main import app_of
from runner.cli.options import connection_option, document, json_option, values
from runner.cli.output import echo_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.calls.access import Access
    from runner.workflow.run import Result


@click.command(epilog="Example: terapi run create-contact --input last_name=Lovelace")
@click.argument("workflow")
@click.option(
    "--input", "given", multiple=True, metavar="JSON|@file|K=V", help="The input; several K=V add up."
)
@click.option("--dry-run", is_flag=True, help="Send nothing that writes; show the requests instead.")
@connection_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    workflow: str,
    given: tuple[str, ...],
    dry_run: bool,
    connection: str | None,
    as_json: bool,
) -> int:
    """Run a workflow."""
    from runner.workflow.run import run_workflow

    async def work(access: Access) -> Result:
        place = access.connection(connection, access.project.workflow(workflow).integrations)
        found = access.project.workflow(workflow, place.integration)
        return await run_workflow(found, access.client(place), access.store, _input(given), dry=dry_run)

    result = app_of(ctx).run(work)
    if as_json:
        echo_json(result.as_data())
    else:
        _show(result)
    return 0 if result.status == "success" else 1


def _input(given: tuple[str, ...]) -> Mapping[str, object]:
    found: dict[str, object] = {}
    for one in given:
        found |= document(one, "--input") if one.startswith(("{", "@")) else values([one], "--input")
    return found


def _show(result: Result) -> None:
    for step in result.steps:
        times = f" ×{step['items']}" if "items" in step else ""
        click.echo(f"  {step['status']:<8} {step['id'] or '-'} ({step['step']}){times}")
        for request in cast("list[dict[str, object]]", step.get("requests", [])):
            click.echo(f"           {request['method']} {request['url']} {request['body'] or ''}")
    if result.error is not None:
        click.secho(f"failed: {result.error['message']}", fg="red", err=True)
        for key, word in (("where", "at"), ("hint", "next:")):
            if result.error.get(key):
                click.echo(f"  {word} {result.error[key]}", err=True)
        return
    click.echo(f"{result.workflow}: {result.status}")
    echo_json(result.output)
