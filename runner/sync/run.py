"""One run of a sync: read page by page, stored page by page, each page together with how far it came.

Killed anywhere, the next run goes on from the last stored page. The checkpoint moves only when a window is
whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from runner.calls.client import Client
from runner.definitions.model import Sync
from runner.errors import CallError, RunningAlready
from runner.store import Changes, Store, Stream, SyncKey, SyncState, Underway
from runner.sync.plan import Window, advanced, window_of
from runner.sync.reading import Batch, Reading


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
    checkpoint: str | int | float | None = None
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
    #: told after each page what was done so far
    progress: Callable[[Result], None] = lambda result: None


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
        self.pages = 0
        self.read = 0
        self.deleted = 0
        self.changes = Changes()
        #: the one that holds: it moves when the run succeeds
        self.checkpoint: str | int | float | None = None
        self.told()

    async def result(self) -> Result:
        if self.options.empty:
            with self.store.atomic():
                self.stream.empty()
                self.store.states.put(self.key, SyncState(digest=self.sync.digest))
        state = state_of(self.sync, self.store, self.key, full=self.options.full or self.options.empty)
        self.checkpoint = state.checkpoint
        window = await window_for(self.sync, self.client, state)
        self.underway.log("info", _beginning(window, cut=state.progress is not None))
        if window.noting and state.progress is None:
            with self.store.atomic():
                self.stream.begin_full(self.sync.name)
                self._keep(state, window)
        reading = Reading(self.sync, self.client, state, window)
        await self._read(reading, state, window)
        async for ids in reading.deleted():
            self.deleted += self.stream.delete(ids, time.time())
        return self._finish(window)

    async def _read(self, reading: Reading, state: SyncState, window: Window) -> None:
        if window.whole:
            return
        try:
            await self._pages(reading, state, window)
        except CallError as exc:
            if exc.kind != "cursor_expired" or window.position is None:
                raise
            self.underway.log("warning", "the API has forgotten its list of pages: reading them again")
            window.position = None
            await self._pages(reading, state, window)

    async def _pages(self, reading: Reading, state: SyncState, window: Window) -> None:
        async for batch in reading.batches(window.position):
            self._store(batch, state, window)
            self.options.progress(self.told())

    def _store(self, batch: Batch, state: SyncState, window: Window) -> None:
        """A page's records, its progress and its line in the log, in one transaction."""
        window.reached = advanced(self.sync, window.reached, batch.cursors)
        window.position = dict(batch.next) if batch.next is not None else None
        window.whole = batch.next is None
        now = time.time()
        with self.store.atomic():
            changes = self.stream.write(batch.rows, now, seen_by=self.sync.name if window.noting else None)
            deleted = self.stream.delete(batch.gone, now)
            self._keep(state, window)
            self.underway.log("info", _page(self.pages + 1, batch.read, changes, deleted))
        self.pages += 1
        self.read += batch.read
        self.deleted += deleted
        self.changes = Changes(*(a + b for a, b in zip(self.changes, changes, strict=True)))

    def _finish(self, window: Window) -> Result:
        """The checkpoint and the run's success, in one transaction: neither is there without the other."""
        with self.store.atomic():
            if window.noting:
                self.deleted += self.stream.delete_unseen(self.sync.name, time.time())
            done = SyncState(checkpoint=window.reached, last_run=window.began, digest=self.sync.digest)
            self.store.states.put(self.key, done)
            self.checkpoint = window.reached
            result = self.told("success")
            self.underway.finish("success")
        return result

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
    if window.start is None:
        return "reads everything"
    return f"reads from {window.start}" + (f" to {window.end}" if window.end is not None else "")


def _page(number: int, read: int, changes: Changes, deleted: int) -> str:
    counts = f"{changes.added:,} added, {changes.updated:,} updated, {deleted:,} deleted"
    return f"page {number}: {read:,} read, {counts}, {changes.unchanged:,} unchanged"
