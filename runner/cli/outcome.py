"""How a workflow's run is shown when it ends, or when it has to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runner.cli.output import echo_json, second, step_lines
from runner.definitions.problems import visible

if TYPE_CHECKING:
    from runner.store import Store
    from runner.workflow.life import Result


def show(result: Result, store: Store, *, as_json: bool) -> int:
    """Prints what became of a run; gives the exit code: 1 where it failed."""
    if as_json:
        echo_json(result.as_data())
    else:
        for line in step_lines(result.steps):
            click.echo(line)
        _tell(result, store)
    return 0 if result.status in ("success", "waiting") else 1


def _tell(result: Result, store: Store) -> None:
    for path in result.repeated:
        click.echo(f"{path} was under way when its process ended, and was done again", err=True)
    if result.rejected:
        rows = f"{result.rejected:,} row{'' if result.rejected == 1 else 's'}"
        click.secho(f"the API refused {rows}: terapi runs rejected {result.run[:8]}", fg="yellow", err=True)
    if result.status == "waiting":
        _tell_waiting(result, store)
        return
    if result.error is not None:
        click.secho(f"{result.status}: {visible(str(result.error['message']))}", fg="red", err=True)
        for key, word in (("where", "at"), ("hint", "next:")):
            if result.error.get(key):
                click.echo(f"  {word} {visible(str(result.error[key]))}", err=True)
        _tell_undone(result)
        return
    click.echo(f"{result.workflow}: {result.status}")
    echo_json(result.output)


def _tell_undone(result: Result) -> None:
    if result.undone:
        click.echo(f"undone: {', '.join(result.undone)}", err=True)
    for one in result.not_undone:
        click.secho(f"not undone: {one.step}: {visible(one.error)}", fg="red", err=True)
        if one.result is not None:
            click.echo(f"  it gave {visible(str(one.result))}", err=True)


def _tell_waiting(result: Result, store: Store) -> None:
    from runner.workflow.tree import tree_of, waiting

    run, short = store.runs.get(result.run), result.run[:8]
    click.echo(f"{result.workflow}: waiting (run {short})")
    nodes = [] if run is None else list(waiting(tree_of(store, run, lambda text: text)))
    for node in nodes:
        click.echo(f"  {node.path} waits for {visible(node.waits_for or '')}")
    if any(node.step == "approve" for node in nodes):
        click.echo(f"  next: terapi runs approve {short}, or with --reject", err=True)
    elif result.due_at is not None:
        click.echo(f"  next: it is due at {second(result.due_at)}: terapi runs resume {short}", err=True)
