"""`terapi runs resume`, `approve` and `cancel`: runs of workflows that go on, or end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from runner.cli.completing import run_ids
from runner.cli.finding import find_run
from runner.cli.main import app_of
from runner.cli.options import json_option
from runner.cli.outcome import show
from runner.errors import UsageError

if TYPE_CHECKING:
    from runner.calls.access import Access
    from runner.store import Run
    from runner.workflow.life import Result


@click.command("resume", epilog="Example: terapi runs resume 3f2a")
@click.argument("id", shell_complete=run_ids)
@json_option
@click.pass_context
def resume(ctx: click.Context, id: str, as_json: bool) -> int:
    """Let a run go on after its last finished step.

    One that was killed or interrupted goes on where it was, one that failed does again what failed, one that
    waits looks whether it still has to. It keeps the definition that it began with.
    """
    store = app_of(ctx).store
    return _go_on(ctx, find_run(store, id), as_json)


@click.command("approve", epilog="Example: terapi runs approve 3f2a --reject --comment 'too many'")
@click.argument("id", shell_complete=run_ids)
@click.option("--reject", is_flag=True, help="Say no.")
@click.option("--step", metavar="PATH", help="Which step; may be left out if one alone waits.")
@click.option("--comment", metavar="TEXT", help="Why; the workflow knows it.")
@json_option
@click.pass_context
def approve(
    ctx: click.Context, id: str, reject: bool, step: str | None, comment: str | None, as_json: bool
) -> int:
    """Answer a run that waits for an approval, and let it go on.

    Where a server or worker runs, that goes on with it.
    """
    from runner.workflow.answers import Answer, answer

    store = app_of(ctx).store
    given = Answer(approved=not reject, at=time.time(), comment=comment)
    run = answer(store, find_run(store, id), given, step)
    word = "rejected" if reject else "approved"
    if run.status != "queued" or store.is_worked():
        click.echo(f"{word}; run {run.id[:8]} goes on where it is worked for", err=True)
        return 0
    return _go_on(ctx, run, as_json)


@click.command("cancel", epilog="Example: terapi runs cancel 3f2a --undo")
@click.argument("id", shell_complete=run_ids)
@click.option("--undo", is_flag=True, help="Undo what its finished steps did.")
@json_option
@click.pass_context
def cancel(ctx: click.Context, id: str, undo: bool, as_json: bool) -> int:
    """End a run of a workflow; what its finished steps did stays, unless it is undone.

    One that is under way in another process ends after the step that it is at.
    """
    from runner.workflow.run import cancel_run

    run = find_run(app_of(ctx).store, id)

    async def work(access: Access) -> Result | None:
        return await cancel_run(access, run, undo=undo)

    result = app_of(ctx).run(work)
    if result is None:
        click.echo(f"run {run.id[:8]} ends after the step that it is at", err=True)
        return 0
    show(result, app_of(ctx).store, as_json=as_json)
    return 1 if result.not_undone else 0


def _go_on(ctx: click.Context, run: Run, as_json: bool) -> int:
    from runner.workflow.run import resume_run

    async def work(access: Access) -> Result:
        return await resume_run(access, run)

    if run.parent is not None:
        raise UsageError(f"{run.id[:8]} is a step of the run {run.parent[:8]}", hint="let that one go on")
    return show(app_of(ctx).run(work), app_of(ctx).store, as_json=as_json)
