"""`terapi sync`"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from runner.cli.main import app_of
from runner.cli.options import connection_option, json_option
from runner.cli.output import echo_json
from runner.errors import TerapiError

if TYPE_CHECKING:
    from runner.calls.access import Access
    from runner.definitions.model import Sync
    from runner.store import Connection
    from runner.sync.run import Result


@click.command(epilog="Example: terapi sync contacts --connection demo")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--full", is_flag=True, help="Read everything, whatever was read before.")
@connection_option
@json_option
@click.pass_context
def command(
    ctx: click.Context, names: tuple[str, ...], full: bool, connection: str | None, as_json: bool
) -> int:
    """Run syncs.

    Without names all that fit the connection; each prints what it read, added, updated and deleted.
    """

    async def work(access: Access) -> int:
        failed = 0
        for name in names or access.project.syncs:
            place = access.connection(connection, access.project.sync(name).integrations)
            failed = (
                await _one(access, access.project.sync(name, place.integration), place, full, as_json)
                or failed
            )
        return failed

    return app_of(ctx).run(work)


async def _one(access: Access, sync: Sync, place: Connection, full: bool, as_json: bool) -> int:
    """One sync; a failure is told, and the others go on."""
    from runner.cli.main import tell
    from runner.sync.run import Options, run_sync

    def progress(result: Result) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{sync.name}: {result.read:,} read", nl=False, err=True)

    client = access.client(place)
    try:
        result = await run_sync(sync, client, access.store, Options(full=full, progress=progress))
    except TerapiError as exc:
        if as_json:
            echo_json(
                {
                    "sync": sync.name,
                    "connection": place.id,
                    "model": sync.model,
                    "status": "failed",
                    "error": exc.message,
                }
            )
        tell(exc)
        return exc.exit_code
    finally:
        if sys.stderr.isatty():
            click.echo("\r\033[K", nl=False, err=True)
    _show(result, as_json)
    return 0


def _show(result: Result, as_json: bool) -> None:
    import msgspec

    if as_json:
        echo_json(msgspec.structs.asdict(result))
        return
    changes = f"{result.added:,} added, {result.updated:,} updated, {result.deleted:,} deleted"
    cost = f"{result.seconds:.1f} s, {result.requests} requests"
    click.echo(f"{result.sync}: {changes}, {result.unchanged:,} unchanged ({cost})")
