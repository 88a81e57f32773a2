"""One run of a sync: read page by page, stored page by page, each page together with how far it came.

Killed anywhere, the next run goes on from the last stored page of each slice. The checkpoint moves only when
a window is whole.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing

import msgspec

from runner.calls.client import Client
from runner.calls.pages import Page
from runner.definitions.model import Sync
from runner.errors import CallError, NotConnected, RunningAlready
from runner.store import Changes, Store, Stream, SyncKey, SyncState, Underway
from runner.sync.ahead import ahead
from runner.sync.plan import Cursor, Slice, Window, advanced, whole_of, window_of
from runner.sync.slices import cut
from runner.sync.source import Reading, Source

#: kinds of failure after which a slice is read anew: the API knows nothing more of how far it was read
_FORGOTTEN = frozenset({"cursor_expired", "job_lost"})
#: how often a slice is read in one run at the most
_TIMES = 3


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did; the JSON of `terapi sync --json`."""

    sync: str
    connection: str
    model: str
    #: running or success; where it is shown also failed, cancelled, dry-run
    status: str
    read: int = 0
    added: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    checkpoint: Cursor | None = None
    requests: int = 0
    seconds: float = 0.0

    def as_data(self) -> dict[str, object]:
        return msgspec.structs.asdict(self)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is wanted."""

    #: read everything, whatever the checkpoint
    full: bool = False
    #: forget the stored records first, and read everything
    empty: bool = False
    #: told after each page what was done so far, and how many records there are, where that is known
    progress: Callable[[Result, int | None], None] = lambda result, total: None


async def run_sync(sync: Sync, client: Client, store: Store, options: Options = Options()) -> Result:  # noqa: B008 - frozen
    """Runs a sync once; its run is kept in the store, however it ends.

    Raises:
        RunningAlready: it is.
        UsageError: the connection's params do not fit.
        TerapiError: it failed; what was stored before is kept, and the next run goes on there.
    """
    place = client.connection
    lock = store.lock(f"sync:{sync.name}:{place.integration}:{place.id}")
    if not lock.acquire():
        raise RunningAlready(
            f"`{sync.name}` is running already for `{place.id}`",
            hint="wait for it to end; its run stores the same",
        )
    try:
        with store.runs.begin(
            "sync",
            sync.name,
            integration=place.integration,
            connection=place.id,
            input={"full": True} if options.full else None,
            definition=sync.digest,
        ) as run:
            return await _Running(sync, client, store, options, run).result()
    finally:
        lock.release()


def key_of(sync: Sync, client: Client) -> SyncKey:
    place = client.connection
    return SyncKey(integration=place.integration, connection=place.id, sync=sync.name, model=sync.model)


def state_of(sync: Sync, store: Store, key: SyncKey, *, full: bool) -> SyncState:
    """How far a sync has come; where everything is to be read (again), a state that knows nothing.

    A full read that was cut short goes on; one that began at a checkpoint is none.
    """
    state = store.states.get(key)
    cut_full = state.progress is not None and state.checkpoint is None
    if state.digest != sync.digest or (full and not cut_full):
        # What was deleted since the last run is still asked for from there.
        return SyncState(last_run=state.last_run, digest=sync.digest)
    return state


async def window_for(sync: Sync, client: Client, state: SyncState) -> Window:
    """The window of a run that was cut short, else a new one up to the server's now."""
    if state.progress is not None:
        return msgspec.convert(dict(state.progress), Window)
    if client.server_time is None and client.provider.verify is not None:
        await client.call(client.provider.operations[client.provider.verify], {})
    return window_of(sync, state, client.server_time or time.time())


class _TooMuch(Exception):
    """A window of one slice has more records than a slice may have."""


class _Running:
    def __init__(self, sync: Sync, client: Client, store: Store, options: Options, run: Underway) -> None:
        self.sync = sync
        self.client = client
        self.store = store
        self.options = options
        self.underway = run
        self.key = key_of(sync, client)
        place = client.connection
        self.stream: Stream = store.records.stream(place.integration, place.id, sync.model)
        self.began = time.monotonic()
        self.workers = 1
        self.pages = 0
        self.read = 0
        self.deleted = 0
        self.changes = Changes()
        #: the one that holds: it moves when the run succeeds
        self.checkpoint: Cursor | None = None
        self.told()

    async def result(self) -> Result:
        if self.options.empty:
            with self.store.atomic():
                self.stream.empty()
                self.store.states.put(self.key, SyncState(digest=self.sync.digest))
        state = state_of(self.sync, self.store, self.key, full=self.options.full or self.options.empty)
        self.checkpoint = state.checkpoint
        if state.progress is not None and self.sync.incremental is not None:
            # What has changed since that window began comes with a window of its own.
            self._finish(await self._window(state))
            state = self.store.states.get(self.key)
        window = await self._window(state)
        with self.store.atomic():
            self._finish(window)
            result = self.told("success")
            self.underway.finish("success")
        return result

    async def _window(self, state: SyncState) -> Window:
        """Reads a window to its end: the one that was cut short, else a new one."""
        window = await window_for(self.sync, self.client, state)
        source = Source(self.sync, self.client, state, whole_of(window))
        self.underway.log("info", _beginning(window, cut=state.progress is not None))
        if state.progress is None:
            await self._begin(source, state, window)
        await self._read(source, state, window)
        async for ids in source.deleted():
            self.deleted += self.stream.delete(ids, time.time())
        return window

    async def _begin(self, source: Source, state: SyncState, window: Window) -> None:
        if state.checkpoint is None:
            await self._cut(source, window)
        with self.store.atomic():
            if window.noting:
                self.stream.begin_full(self.sync.name)
            self._keep(state, window)

    async def _cut(self, source: Source, window: Window) -> None:
        """Cuts a window of one slice into several, where the sync says how and no job reads it whole."""
        rules = self.sync.incremental.slices if self.sync.incremental is not None else None
        if rules is None:
            return
        whole = window.slices[0]
        if rules.by is None:
            whole.total = await source.count(whole, rules)
            if (await source.reading(whole)).is_job:
                return
        window.slices = await cut(whole, rules, lambda part: source.count(part, rules))
        self.underway.log("info", f"reads {len(window.slices):,} slices, {rules.concurrency} at once")

    async def _read(self, source: Source, state: SyncState, window: Window) -> None:
        try:
            await self._side_by_side(source, state, window)
        except _TooMuch:
            await self._cut(source, window)
            await self._side_by_side(source, state, window)

    async def _side_by_side(self, source: Source, state: SyncState, window: Window) -> None:
        """Reads the slices that are not whole, some at once; the first that fails ends the others."""
        rules = self.sync.incremental.slices if self.sync.incremental is not None else None
        waiting = [part for part in reversed(window.slices) if not part.whole]

        self.workers = min(len(waiting), rules.concurrency if rules is not None else 1)

        async def work() -> None:
            while waiting:
                await self._slice(source, state, window, waiting.pop())

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self.workers):
                    group.create_task(work())
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _slice(self, source: Source, state: SyncState, window: Window, part: Slice) -> None:
        """Reads a slice from where it stands, or anew where the API has forgotten how far it was."""
        begun = part.position is not None
        for _ in range(_TIMES):
            try:
                await self._pages(await source.reading(part), state, window, part)
            except CallError as exc:
                if exc.kind not in _FORGOTTEN or not (begun or part.position is not None):
                    raise
                self.underway.log("warning", f"{exc.message}: reading anew from {part.start}")
                part.position, begun, last = None, False, exc
            else:
                return
        raise last

    async def _pages(self, reading: Reading, state: SyncState, window: Window, part: Slice) -> None:
        # Several slices overlap by themselves, and hold no page longer than it takes to store it.
        found = reading.pages(part.position)
        async with aclosing(ahead(found) if self.workers == 1 else found) as pages:
            async for page in pages:
                self._check_size(reading, window, part, page)
                self._store(reading, state, window, part, page)
                # Whoever gave the page still holds it while the next one is awaited.
                page.records.clear()
                self.options.progress(self.told(), window.total)

    def _check_size(self, reading: Reading, window: Window, part: Slice, page: Page) -> None:
        """Notes how many records a slice has; a window that has more than its slices may is cut after all."""
        if page.total is None or part.total is not None:
            return
        part.total = page.total
        rules = self.sync.incremental.slices if self.sync.incremental is not None else None
        alone = len(window.slices) == 1 and part.position is None and not reading.is_job
        if rules is not None and rules.by is None and alone and page.total > rules.most:
            raise _TooMuch

    def _store(self, reading: Reading, state: SyncState, window: Window, part: Slice, page: Page) -> None:
        """A page's records, its progress and its line in the log, in one transaction."""
        window.reached = advanced(self.sync, window.reached, reading.cursors(page.records))
        part.position = dict(page.next) if page.next is not None else None
        part.whole = page.next is None
        now, changes, deleted = time.time(), Changes(), 0
        with self.store.atomic():
            self._check_connection()
            for rows in reading.rows(page.records):
                seen_by = self.sync.name if window.noting else None
                changes = changes.plus(self.stream.write(rows.kept, now, seen_by=seen_by))
                deleted += self.stream.delete(rows.gone, now)
            self._keep(state, window)
            if page.records:
                self.underway.log("info", _page(self.pages + 1, len(page.records), changes, deleted))
        self.pages += bool(page.records)
        self.read += len(page.records)
        self.deleted += deleted
        self.changes = self.changes.plus(changes)

    def _finish(self, window: Window) -> None:
        """Ends a window: its checkpoint holds from here on."""
        with self.store.atomic():
            self._check_connection()
            if window.noting:
                self.deleted += self.stream.delete_unseen(self.sync.name, time.time())
            done = SyncState(checkpoint=window.reached, last_run=window.began, digest=self.sync.digest)
            self.store.states.put(self.key, done)
            self.checkpoint = window.reached

    def _check_connection(self) -> None:
        """Nothing is stored for a connection that was deleted meanwhile."""
        if self.store.connections.get(self.key.integration, self.key.connection) is None:
            raise NotConnected(f"the connection `{self.key.connection}` was deleted meanwhile")

    def told(self, status: str = "running") -> Result:
        """What was done so far, noted as the run's output."""
        result = Result(
            sync=self.sync.name,
            connection=self.key.connection,
            model=self.sync.model,
            status=status,
            read=self.read,
            added=self.changes.added,
            updated=self.changes.updated,
            deleted=self.deleted,
            unchanged=self.changes.unchanged,
            checkpoint=self.checkpoint,
            requests=self.client.requests,
            seconds=round(time.monotonic() - self.began, 3),
        )
        self.underway.output = result.as_data()
        return result

    def _keep(self, state: SyncState, window: Window) -> None:
        kept = msgspec.structs.replace(state, progress=window.as_data(), digest=self.sync.digest)
        self.store.states.put(self.key, kept)


def _beginning(window: Window, *, cut: bool) -> str:
    if cut:
        return "goes on at the page where the run before was cut"
    whole = whole_of(window)
    if whole.start is None:
        return "reads everything"
    return f"reads from {whole.start}" + (f" to {whole.end}" if whole.end is not None else "")


def _page(number: int, read: int, changes: Changes, deleted: int) -> str:
    counts = f"{changes.added:,} added, {changes.updated:,} updated, {deleted:,} deleted"
    return f"page {number}: {read:,} read, {counts}, {changes.unchanged:,} unchanged"
