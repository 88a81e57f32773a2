"""`terapi sync`"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from runner.cli.completing import sync_names
from runner.cli.main import app_of
from runner.cli.options import connection_option, json_option
from runner.cli.output import bad_lines, echo_line
from runner.cli.progress import Bars, Line
from runner.errors import TerapiError, UsageError

if TYPE_CHECKING:
    from runner.calls.access import Access
    from runner.store import Connection
    from runner.sync.choice import Job
    from runner.sync.preview import Preview
    from runner.sync.progress import Part, Progress
    from runner.sync.run import Result


@click.command(epilog="Example: terapi sync contacts --connection demo")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=sync_names)
@click.option("--full", is_flag=True, help="Read everything, whatever was read before.")
@click.option("--dry-run", is_flag=True, help="Read one page, show what it would change, and write nothing.")
@click.option(
    "--watch",
    "watching",
    is_flag=True,
    help="Run again by each sync's schedule, or every minute, until ctrl-C.",
)
@connection_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    names: tuple[str, ...],
    full: bool,
    dry_run: bool,
    watching: bool,
    connection: str | None,
    as_json: bool,
) -> int:
    """Run syncs.

    Without names all that fit the connection, or every connection; each prints what it read, added, updated
    and deleted, with --json as one line. One that fails is told, and the others go on. With --watch the first
    turn alone is a --full one.
    """
    if dry_run and watching:
        raise UsageError("--dry-run and --watch do not go together", hint="leave one out")

    async def work(access: Access) -> int:
        from runner.sync.choice import chosen

        jobs = chosen(access, names, connection)
        shown = _Shown(access, as_json, several=len({job.connection.number for job in jobs}) > 1)
        if watching:
            return await _watched(shown, jobs, full)
        codes = [await (shown.previews(job, full) if dry_run else shown.runs(job, full)) for job in jobs]
        return _first(codes)

    return app_of(ctx).run(work)


async def _watched(shown: _Shown, jobs: list[Job], full: bool) -> int:
    from runner.sync.watch import watch

    count = f"{len(jobs)} sync{'' if len(jobs) == 1 else 's'}"
    click.echo(f"watching {count}; ctrl-C ends it", err=True)
    begun: set[tuple[str, int]] = set()

    async def turn(job: Job) -> None:
        key = job.wanted or job.sync.name, job.connection.number
        first = key not in begun
        begun.add(key)
        await shown.runs(job, full and first)

    shown.timed = True
    await watch(jobs, turn)
    return 0


class _Shown:
    """Runs syncs and shows what they do.

    Args:
        several: whether there is more than one connection, so that each line must name its own.

    Raises:
        UsageError: how long runs and deliveries are kept is no duration.
    """

    def __init__(self, access: Access, as_json: bool, *, several: bool) -> None:
        from runner.store import keep_of

        self.access = access
        self.as_json = as_json
        self.several = several
        #: whether each line begins with the time of day
        self.timed = False
        self.bars = Bars()
        self.housekeeping = access.store.housekeeping(keep_of(access.environ))

    async def runs(self, job: Job, full: bool) -> int:
        """Runs all that a definition stands for, some at once; gives the first exit code that is not 0."""
        from runner.sync.matrix import at_once, expanded_to_run, some_at_once

        try:
            client = self.access.client(self._again(job.connection))
            syncs, gone = await expanded_to_run(job.sync, client, self.access.store, job.wanted)
        except TerapiError as exc:
            self._failed(job, _result(job, "failed"), exc)
            return exc.exit_code
        for name in gone:
            self._say(job, f"{name} is there no more; what it stored stays", err=True)
        if not syncs:
            self._say(job, "its matrix has no values, so there is nothing to do", err=True)
        jobs = [job._replace(sync=one) for one in syncs]
        codes = await some_at_once(jobs, lambda one: self._run(one, full), at_once(job.sync))
        self._summed_up(job, jobs, codes)
        return _first(codes)

    def _summed_up(self, job: Job, jobs: Sequence[Job], codes: Sequence[int]) -> None:
        """Says which of several have failed."""
        failed = [one.sync.name for one, code in zip(jobs, codes, strict=True) if code]
        if failed and len(jobs) > 1:
            self._say(job, f"{len(failed)} of {len(jobs)} failed: {', '.join(failed)}", err=True)

    async def _run(self, job: Job, full: bool) -> int:
        """Runs one; gives the exit code that it means."""
        from runner.sync.run import Options, run_sync

        sync, place, _ = job
        so_far = [_result(job, "running")]
        with self.bars.bar(self._title(job)) as bar:

            def progress(found: Progress) -> None:
                so_far[0] = found.result
                bar.title = self._title(job) + _parents(found.result)
                self.bars.update(bar, found.read, found.total, _lines(found))

            options = Options(full=full, progress=progress)
            try:
                client = self.access.client(self._again(place))
                result = await run_sync(sync, client, self.access.store, options)
            except TerapiError as exc:
                self._failed(job, so_far[0], exc)
                return exc.exit_code
            except asyncio.CancelledError:
                self._cancelled(job, so_far[0])
                raise
        self._succeeded(job, result)
        self.housekeeping.run()
        return 0

    async def previews(self, job: Job, full: bool) -> int:
        """Previews all that a definition stands for."""
        from runner.sync.matrix import expanded, meant

        try:
            syncs = await expanded(job.sync, self.access.client(job.connection), self.access.store)
            jobs = [job._replace(sync=one) for one in meant(job.sync, syncs, job.wanted)]
        except TerapiError as exc:
            self._failed(job, _result(job, "failed"), exc)
            return exc.exit_code
        return _first([await self._preview(one, full) for one in jobs])

    async def _preview(self, job: Job, full: bool) -> int:
        from runner.sync.preview import preview_sync

        sync, place, _ = job
        try:
            with self.bars.bar(self._title(job)):
                found = await preview_sync(sync, self.access.client(place), self.access.store, full=full)
        except TerapiError as exc:
            self._failed(job, _result(job, "failed"), exc)
            return exc.exit_code
        if self.as_json:
            echo_line(found.as_data())
        else:
            _show_preview(self._title(job), found)
        return 0

    def _again(self, place: Connection) -> Connection:
        """The connection as it is now: its params and credentials may have changed since the last turn."""
        return self.access.connection(place.id, (place.integration,))

    def _title(self, job: Job) -> str:
        return f"{job.sync.name} ({job.connection.id})" if self.several else job.sync.name

    def _say(self, job: Job, what: str, *, err: bool = False) -> None:
        time_of_day = f"{time.strftime('%H:%M:%S')} " if self.timed else ""
        click.echo(f"{time_of_day}{self._title(job)}: {what}", err=err)

    def _succeeded(self, job: Job, result: Result) -> None:
        with self.bars.aside():
            if self.as_json:
                echo_line(result.as_data())
            else:
                did = _counts(result) + _parents(result)
                self._say(job, f"{did} ({result.seconds:.1f} s, {result.requests} requests)")
            if result.bad:
                self._say(job, f"{_bad(result)}: terapi runs show {(result.run or '')[:8]}", err=True)

    def _failed(self, job: Job, so_far: Result, error: TerapiError) -> None:
        from runner.cli.main import tell

        with self.bars.aside():
            if self.as_json:
                echo_line({**so_far.as_data(), "status": "failed", "error": error.as_data()})
            kept = f" after {so_far.read:,} records, which are kept" if so_far.read else ""
            self._say(job, f"failed{kept}", err=True)
            tell(error)

    def _cancelled(self, job: Job, so_far: Result) -> None:
        with self.bars.aside():
            if self.as_json:
                echo_line({**so_far.as_data(), "status": "cancelled"})
            kept = f" after {so_far.read:,} records, which are kept: the next run goes on there"
            self._say(job, f"stopped{kept if so_far.read else ''}", err=True)


def _lines(found: Progress) -> list[Line]:
    """The slices that are read, where there are several, and the jobs that are waited for."""
    return [_line(part, found.slices) for part in found.parts if found.slices > 1 or part.look is not None]


def _line(part: Part, slices: int) -> Line:
    which = f"  {part.number}/{slices} {str(part.start)[:10]}" if slices > 1 else " "
    if part.look is None:
        return Line(part.number, which, part.read, part.total)
    return Line((part.number, "job"), f"{which} waits for its job", part.look.records, part.total)


def _first(codes: Sequence[int]) -> int:
    """The exit code of the first that failed."""
    return next((code for code in codes if code), 0)


def _result(job: Job, status: str) -> Result:
    """What a run has done that has read nothing yet."""
    from runner.sync.run import Result

    sync = job.sync
    name = (job.wanted or sync.name) if sync.matrix is not None else sync.name
    return Result(
        sync=name, connection=job.connection.id, model=sync.model, variant=sync.variant, status=status
    )


def _bad(result: Result) -> str:
    return "1 record does not fit" if result.bad == 1 else f"{result.bad:,} records do not fit"


def _parents(result: Result) -> str:
    """How many parents are read of a sync that has some."""
    if result.parents is None:
        return ""
    return f", {result.parents:,} of {result.of_parents:,} parents"


def _counts(result: Result) -> str:
    changes = f"{result.added:,} added, {result.updated:,} updated, {result.deleted:,} deleted"
    pruned = f", {result.pruned:,} pruned" if result.pruned else ""
    return f"{changes}, {result.unchanged:,} unchanged{pruned}"


def _show_preview(title: str, preview: Preview) -> None:
    import orjson

    more = "; more pages follow" if preview.more else ""
    whose = f" of the parent `{preview.parent}`" if preview.parent is not None else ""
    click.echo(f"{title}: {_counts(preview.result)} on the first page{whose} of a dry run{more}")
    for sample in preview.samples:
        record = orjson.dumps(sample.record).decode() if sample.record is not None else sample.id
        click.echo(f"  {sample.change:<9} {record}")
    if preview.bad_records:
        click.echo(f"{_bad(preview.result)}, such as:")
    for line in bad_lines(preview.bad_records):
        click.echo(line)
