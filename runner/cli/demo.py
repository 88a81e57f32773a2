"""`terapi demo`"""

from __future__ import annotations

from pathlib import Path

import click

from runner.cli.main import app_of
from runner.errors import MissingExtra, TerapiError, UsageError


class DemoEnded(TerapiError):
    """The demo ended early."""

    code = "demo"


@click.command(epilog="Example: terapi demo && terapi -C terapi-demo records Contact --limit 5")
@click.argument("folder", default="terapi-demo", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--records",
    type=click.IntRange(10),
    default=20_000,
    show_default=True,
    metavar="N",
    help="Contacts in the emulated org.",
)
@click.pass_context
def command(ctx: click.Context, folder: Path, records: int) -> None:
    """Show the main job from nothing, against an emulated org.

    Makes FOLDER, and runs there what a person would type: connect, sync, change, sync again, run a workflow.
    The folder of an earlier demo is made anew; any other is left alone.
    """
    try:
        from rich.console import Console

        from runner.emulator.demo import Demo, DemoFailed, fresh_folder
        from runner.emulator.errors import OptionError
    except ImportError as exc:
        raise MissingExtra("the demo", "all") from exc
    try:
        Demo(fresh_folder(app_of(ctx).start / folder), records, Console()).run()
    except OptionError as exc:
        raise UsageError(str(exc), hint="name a folder of its own: terapi demo FOLDER") from exc
    except DemoFailed as exc:
        raise DemoEnded(str(exc), hint="what it printed says why; terapi demo begins anew") from exc
