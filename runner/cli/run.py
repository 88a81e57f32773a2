"""`terapi run`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runner.cli.completing import workflow_names
from runner.cli.main import app_of
from runner.cli.options import connection_option, given_input, input_option, json_option
from runner.cli.outcome import show
from runner.cli.output import echo_json
from runner.errors import UsageError

if TYPE_CHECKING:
    from runner.calls.access import Access
    from runner.workflow.life import Result


@click.command(epilog="Example: terapi run create-contact --input last_name=Lovelace")
@click.argument("workflow", shell_complete=workflow_names)
@input_option
@click.option("--dry-run", is_flag=True, help="Send nothing that writes; show the requests instead.")
@click.option("--detach", is_flag=True, help="Run in a process of its own, and print the run's id at once.")
@connection_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    workflow: str,
    given: tuple[str, ...],
    dry_run: bool,
    detach: bool,
    connection: str | None,
    as_json: bool,
) -> int:
    """Run a workflow.

    With --detach it goes on when the terminal is closed; `terapi runs` shows how it gets on.
    """
    from runner.store import keep_of
    from runner.workflow.run import Options, run_workflow

    if detach:
        if dry_run:
            raise UsageError("--dry-run and --detach do not go together", hint="leave one out")
        return _detach(ctx, workflow, connection, given, as_json)

    async def work(access: Access) -> Result:
        place = access.connection(connection, access.project.workflow(workflow).integrations)
        found = access.project.workflow(workflow, place.integration)
        housekeeping = access.store.housekeeping(keep_of(access.environ))
        result = await run_workflow(access, found, place, given_input(given), Options(dry=dry_run))
        housekeeping.run()
        return result

    return show(app_of(ctx).run(work), app_of(ctx).store, as_json=as_json)


def _detach(
    ctx: click.Context, workflow: str, connection: str | None, given: tuple[str, ...], as_json: bool
) -> int:
    from runner.cli.detached import Request, start
    from runner.workflow.life import Result

    folder = str(app_of(ctx).root)
    request = Request(folder=folder, workflow=workflow, connection=connection, input=given_input(given))
    id = start(request)
    if as_json:
        echo_json(Result(run=id, workflow=workflow, status="running").as_data())
        return 0
    click.echo(id)
    click.echo(f"see how it gets on: terapi runs logs {id[:8]} --follow", err=True)
    return 0
