"""`terapi`: the command, its list of commands, and the door at which every error ends.

Commands are imported when they are called, so that `terapi --help` costs no more than click itself.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from runner import __version__
from runner.errors import DefinitionsInvalid, TerapiError

if TYPE_CHECKING:
    from runner.cli.app import App


#: Records come by the thousand and hold no cycles: to look for those after every 700 costs a tenth of a sync.
GARBAGE = (50_000, 20, 20)


class Entry(NamedTuple):
    """A command that is imported when it is called."""

    module: str
    help: str


#: name → where the command is; the help is the first line of its own, held equal by a test
COMMANDS: dict[str, Entry] = {
    "init": Entry("init", "Begin a project: definitions, tests, editor settings."),
    "validate": Entry("validate", "Check definitions; exit 3 where any is wrong."),
    "explain": Entry("explain", "Say what a key of a definition means."),
    "types": Entry("types", "Say what stored records look like, as types or a JSON Schema."),
    "providers": Entry("providers", "The APIs that are configured."),
    "client": Entry("client", "OAuth clients: what an API knows us by."),
    "connect": Entry("connect", "Authorise a connection and keep it."),
    "connections": Entry("connections", "Connections: list, show, check, set, delete."),
    "call": Entry("call", "Call one operation of a provider."),
    "proxy": Entry("proxy", "Make a raw call with the right base URL and token."),
    "sync": Entry("sync", "Run syncs."),
    "plan": Entry("plan", "Say what changed definitions will do: what differs, what is read anew."),
    "audit": Entry("audit", "Hold what is stored of a sync against its source."),
    "records": Entry("records", "Show what was synced, or write it to a file."),
    "records prune": Entry("records_prune", "Empty records that are no longer needed; their keys stay."),
    "sql": Entry("sql", "Ask what was synced, in SQL."),
    "run": Entry("run", "Run a workflow."),
    "runs": Entry(
        "runs", "Runs of syncs and workflows: list, show, logs, rejected, resume, approve, cancel."
    ),
    "test": Entry("test", "Run the tests of definitions, without a network."),
    "record": Entry("record", "Make a test of a sync or a workflow from a real connection."),
    "demo": Entry("demo", "Show the main job from nothing, against an emulated org."),
    "serve": Entry("serve", "Serve the HTTP API, the proxy and webhooks."),
    "worker": Entry("worker", "Start what is due, and go on with what rests: syncs, workflows, webhooks."),
    "schedule": Entry("schedule", "What starts by itself: list, pause, resume."),
    "webhooks": Entry("webhooks", "Webhooks that came in: list, show, replay, send."),
    "emulate": Entry("emulate", "Serve an emulated org, to try and to test against."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in COMMANDS if _exists(COMMANDS[name].module)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"runner.cli.{COMMANDS[name].module}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command; a reader that has left, as `| head` does, ends it quietly."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.exceptions.Exit(128 + signal.SIGPIPE) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list from `COMMANDS`, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].help) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if " ".join(args[:2]) in COMMANDS:  # a command of two words, beside one of the first alone
            args = [" ".join(args[:2]), *args[2:]]
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(_unknown(args[0]), ctx)
        return super().resolve_command(ctx, args)


def _exists(module: str) -> bool:
    return (Path(__file__).parent / f"{module}.py").is_file()


def _unknown(name: str) -> str:
    from runner.definitions.words import nearest

    guess = nearest(name, COMMANDS)
    return f"there is no command `{name}`" + (f"; did you mean `{guess}`?" if guess else "")


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Begin with: terapi init shop && cd shop && terapi validate",
)
@click.option("-C", "folder", type=click.Path(path_type=Path), metavar="DIR", help="Run as if begun in DIR.")
@click.version_option(__version__, prog_name="terapi")
@click.pass_context
def cli(ctx: click.Context, folder: Path | None) -> None:
    """Run integrations that are written in YAML: connect, sync, and work with any API."""
    from runner.cli.app import App

    ctx.obj = App(folder)


def main(args: Sequence[str] | None = None) -> None:
    """The process: runs a command and exits with its code (see docs/cli.md)."""
    gc.set_threshold(*GARBAGE)
    sys.exit(run(args))


def run(args: Sequence[str] | None = None) -> int:
    """Runs a command and gives its exit code; nothing but the interpreter's own exits gets past."""
    try:
        return guarded(lambda: cli.main(args=args, prog_name="terapi", standalone_mode=False))
    except click.exceptions.Exit as exc:
        return exc.exit_code
    except click.ClickException as exc:
        exc.show()
        return exc.exit_code
    except click.Abort:
        click.echo("stopped", err=True)
        return 130


def guarded(command: Callable[[], object]) -> int:
    """Does something and gives its exit code; our errors are told, and end here."""
    try:
        result = command()
    except TerapiError as exc:
        tell(exc)
        return exc.exit_code
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
        return 130
    return result if isinstance(result, int) else 0


def tell(error: TerapiError) -> None:
    """What failed, where, and what to do next; on stderr."""
    if isinstance(error, DefinitionsInvalid):
        from runner.definitions.problems import render_text

        click.echo(render_text(error.problems, error.sources), err=True)
    head = click.style("error:", fg="red", bold=True)
    click.echo(f"{head} {error.message}", err=True)
    if error.where is not None:
        click.echo(f"  at {error.where}", err=True)
    if error.hint:
        click.echo(f"  next: {error.hint}", err=True)


def app_of(ctx: click.Context) -> App:
    found: App = ctx.obj
    return found
