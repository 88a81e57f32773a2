"""`terapi audit`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runner.cli.completing import sync_names
from runner.cli.main import app_of
from runner.cli.options import connection_option, json_option
from runner.cli.output import echo_json
from runner.cli.progress import Bars

if TYPE_CHECKING:
    from runner.calls.access import Access
    from runner.sync.differences import AuditResult, Difference

#: keys that a person is shown of each kind
_SHOWN = 10
_MEANS = {
    "missing": "are at the source and not stored",
    "extra": "are stored and not at the source",
    "stale": "are stored in another state",
}


@click.command(epilog="Example: terapi audit contacts --connection demo --repair")
@click.argument("sync", shell_complete=sync_names)
@click.option("--repair", is_flag=True, help="Read again what is missing or stale, delete what is too much.")
@connection_option
@json_option
@click.pass_context
def command(ctx: click.Context, sync: str, repair: bool, connection: str | None, as_json: bool) -> int:
    """Hold what is stored of a sync against its source.

    Names what is missing, too much or stale; what changed since the last run is left to the next one. Exit 1
    where something differs and was not repaired.
    """

    async def work(access: Access) -> AuditResult:
        from runner.sync.audit import audit_sync
        from runner.sync.choice import chosen

        (job,) = chosen(access, [sync], connection)
        with Bars().bar(f"audit {sync}"):
            return await audit_sync(job.sync, access.client(job.connection), access.store, repair=repair)

    result = app_of(ctx).run(work)
    echo_json(result.as_data()) if as_json else _show(result)
    return 1 if result.status == "different" else 0


def _show_repair(result: AuditResult) -> None:
    run = (result.run or "")[:8]
    click.echo(f"  {result.repaired:,} repaired (run {run})")
    if result.left:
        click.echo(f"  {result.left:,} could not be: terapi runs show {run}", err=True)


def _show(result: AuditResult) -> None:
    counts = f"{result.listed:,} at the source, {result.stored:,} stored"
    later = f", {result.pending:,} changed since the last run" if result.pending else ""
    cost = f"{result.seconds:.1f} s, {result.requests} requests"
    click.echo(f"{result.sync}: {result.status}; {counts}{later} ({cost})")
    for kind, means in _MEANS.items():
        found: Difference = getattr(result, kind)
        if found.count:
            shown = ", ".join(found.ids[:_SHOWN]) + (", …" if found.count > _SHOWN else "")
            click.echo(f"  {found.count:,} {means}: {shown}")
            for reason in found.reasons:
                number = f"{reason.count:,} " if reason.count < found.count else ""
                click.echo(f"      {number}{reason.why}")
    if result.run is not None:
        _show_repair(result)
    elif result.status == "different":
        click.echo(f"  next: terapi audit {result.sync} --connection {result.connection} --repair")
