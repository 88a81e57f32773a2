"""`terapi audit`"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from runner.cli.completing import sync_names
from runner.cli.main import app_of
from runner.cli.options import connection_option, json_option
from runner.cli.output import echo_json
from runner.cli.progress import Bars
from runner.errors import TerapiError

if TYPE_CHECKING:
    from runner.calls.access import Access
    from runner.definitions.model import Sync
    from runner.store import Connection
    from runner.sync.differences import AuditResult, Difference

#: keys that a person is shown of each kind
_SHOWN = 10
_MEANS = {
    "missing": "at the source and not stored",
    "extra": "stored and not at the source",
    "stale": "stored in another state",
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

    async def work(access: Access) -> list[int]:
        from runner.sync.choice import chosen
        from runner.sync.matrix import expanded, meant

        (job,) = chosen(access, [sync], connection)
        wanted = [job.sync]
        if job.sync.audit is not None:  # else one of them is enough to say so
            syncs = await expanded(job.sync, access.client(job.connection), access.store)
            wanted = meant(job.sync, syncs, job.wanted)
        auditing = _Auditing(access, job.connection, repair, as_json)
        audit = auditing.audit if len(wanted) == 1 else auditing.audit_one_of_many
        return [await audit(one) for one in wanted]

    return next((code for code in app_of(ctx).run(work) if code), 0)


class _Auditing(NamedTuple):
    """Audits syncs of a connection, one after the other, and shows what each found."""

    access: Access
    connection: Connection
    repair: bool
    as_json: bool

    async def audit(self, sync: Sync) -> int:
        """Audits one; gives the exit code that it means."""
        from runner.sync.audit import audit_sync

        client, store = self.access.client(self.connection), self.access.store
        with Bars().bar(f"audit {sync.name}"):
            result = await audit_sync(sync, client, store, repair=self.repair)
        echo_json(result.as_data()) if self.as_json else _show(result)
        return 1 if result.status == "different" else 0

    async def audit_one_of_many(self, sync: Sync) -> int:
        """As `audit`; one that fails is told, so that the others go on."""
        from runner.cli.main import tell

        try:
            return await self.audit(sync)
        except TerapiError as exc:
            if self.as_json:
                named = {"sync": sync.name, "connection": self.connection.id, "model": sync.model}
                told = {"variant": sync.variant, "status": "failed", "error": exc.as_data()}
                echo_json({**named, **told})
            click.echo(f"{sync.name}: failed", err=True)
            tell(exc)
            return exc.exit_code


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
            click.echo(f"  {found.count:,} {'is' if found.count == 1 else 'are'} {means}: {shown}")
            for reason in found.reasons:
                number = f"{reason.count:,} " if reason.count < found.count else ""
                click.echo(f"      {number}{reason.why}")
    if result.run is not None:
        _show_repair(result)
    elif result.status == "different":
        click.echo(f"  next: terapi audit {result.sync} --connection {result.connection} --repair")
