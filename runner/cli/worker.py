"""`terapi worker`"""

from __future__ import annotations

import click

from runner.cli.main import app_of
from runner.cli.output import tell_line

INTERRUPTED = 130


@click.command(epilog="Example: terapi worker")
@click.pass_context
def command(ctx: click.Context) -> int:
    """Start what is due, and go on with what rests: syncs, workflows, webhooks.

    It works until it is ended, and says what it does on stderr, a line each. Of several on one state one
    works, and another takes over when it ends. `terapi serve` does the same beside serving.
    """
    from runner.calls.access import Access
    from runner.server.working import work

    app = app_of(ctx)
    project = app.project
    with app.store as store:
        return INTERRUPTED if work(Access(project, store), tell_line) else 0
