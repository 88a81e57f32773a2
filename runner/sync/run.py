"""One run of a sync: read page by page, stored page by page, each page together with how far it came.

Killed anywhere, the next run goes on from the last stored page. The checkpoint moves only when a window is
whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import cast

import msgspec

from runner.calls.client import Client, Page
from runner.definitions.conversions import format_instant, instant, text
from runner.definitions.model import Call, Sync
from runner.definitions.values import is_nothing
from runner.errors import CallError, TerapiError, UsageError
from runner.store import Changes, Store, Stream, SyncKey, SyncState
from runner.sync.mapping import Mapper
from runner.sync.plan import Window, advanced, window_of

#: seconds by which `last_run` goes back where a sync has no lookback
_SLACK = 60.0


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did; the JSON of `terapi sync --json`."""

    sync: str
    connection: str
    model: str
    #: success or failed
    status: str
    read: int = 0
    added: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    checkpoint: str | int | float | None = None
    requests: int = 0
    seconds: float = 0.0


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is wanted."""

    #: read everything, whatever the checkpoint
    full: bool = False
    #: told after each page: how many records were read so far
    progress: Callable[[int], None] = lambda read: None


async def run_sync(sync: Sync, client: Client, store: Store, options: Options = Options()) -> Result:  # noqa: B008 - frozen
    """Runs a sync once; its run is kept in the store.

    Raises:
        UsageError: it is running already.
        TerapiError: it failed; what was stored before is kept, and the next run goes on there.
    """
    place = client.connection
    lock = store.lock(f"sync:{sync.name}:{place.integration}:{place.id}")
    if not lock.acquire():
        raise UsageError(
            f"`{sync.name}` is running already for `{place.id}`",
            hint="wait for it to end; its run stores the same",
        )
    run = store.runs.start(
        "sync",
        sync.name,
        integration=place.integration,
        connection=place.id,
        input=None,
        definition=sync.digest,
    )
    try:
        result = await _Running(sync, client, store, options).run()
    except TerapiError as exc:
        store.runs.finish(run, "failed", error={"code": exc.code, "message": exc.message})
        raise
    finally:
        lock.release()
    store.runs.finish(run, "success", output=msgspec.structs.asdict(result))
    return result


class _Running:
    def __init__(self, sync: Sync, client: Client, store: Store, options: Options) -> None:
        place = client.connection
        self.sync = sync
        self.client = client
        self.store = store
        self.options = options
        self.key = SyncKey(
            integration=place.integration, connection=place.id, sync=sync.name, model=sync.model
        )
        self.stream: Stream = store.records.stream(place.integration, place.id, sync.model)
        self.began = time.monotonic()
        self.read = 0
        self.deleted = 0
        self.changes = Changes()

    async def run(self) -> Result:
        state = self.store.states.get(self.key)
        full = self.options.full or state.digest != self.sync.digest
        if full and (state.progress is None or state.digest != self.sync.digest):
            # What was deleted since the last run is still asked for from there.
            state = SyncState(last_run=state.last_run, digest=self.sync.digest)
        window = await self._window(state)
        await self._read(state, window)
        await self._ask_deleted(state, window)
        return self._finish(window)

    async def _window(self, state: SyncState) -> Window:
        """The window of a run that was cut short, else a new one up to the server's now."""
        if state.progress is not None:
            return msgspec.convert(dict(state.progress), Window)
        if self.client.server_time is None and self.client.provider.verify is not None:
            verify = self.client.provider.operations[self.client.provider.verify]
            await self.client.call(verify, {})
        now = self.client.server_time or time.time()
        window = window_of(self.sync, state, now)
        if window.noting:
            with self.store.atomic():
                self.stream.begin_full()
                self._keep(state, window)
        return window

    def _scope(self, state: SyncState, window: Window) -> dict[str, object]:
        params = {p.name: p.default for p in self.sync.params.values() if p.has_default}
        metadata = self.client.connection.metadata or {}
        scope: dict[str, object] = {
            **self.client.scope(),
            "params": {**params, **cast(Mapping[str, object], metadata.get("params", {}))},
            **window.scope(),
        }
        if state.checkpoint is not None:
            scope["checkpoint"] = state.checkpoint
        if state.last_run is not None:
            lookback = self.sync.incremental.lookback if self.sync.incremental else 0.0
            scope["last_run"] = format_instant(instant(state.last_run - (lookback or _SLACK)))
        return scope

    async def _read(self, state: SyncState, window: Window) -> None:
        scope = self._scope(state, window)
        for name, lookup in self.sync.lookups.items():
            scope[name] = await self.client.call(lookup.operation, self._arguments(lookup, scope))
        for name, value in self.sync.vars.items():
            scope[name] = value.evaluate(scope)
        call = self._chosen(scope)
        mapper = Mapper(self.sync, scope)
        try:
            await self._pages(call, scope, mapper, state, window)
        except CallError as exc:
            if exc.kind != "cursor_expired" or window.position is None:
                raise
            # The API has forgotten the list of pages: read the same window from its beginning.
            window.position = None
            await self._pages(call, scope, mapper, state, window)

    async def _pages(
        self, call: Call, scope: Mapping[str, object], mapper: Mapper, state: SyncState, window: Window
    ) -> None:
        pages = self.client.pages(call.operation, self._arguments(call, scope), window.position)
        if window.whole:
            return
        async for page in pages:
            self._store(page, mapper, state, window)
            self.options.progress(self.read)

    def _store(self, page: Page, mapper: Mapper, state: SyncState, window: Window) -> None:
        """A page's records and its progress, in one transaction."""
        rows: list[tuple[str, bytes]] = []
        gone: list[str] = []
        deletes, where = self.sync.deletes, self.sync.where
        flag = deletes.when if deletes is not None else None
        for record in page.records:
            row = mapper.row(record)
            dead = flag is not None and mapper.holds(flag, record)
            if dead or (where is not None and not mapper.holds(where, record)):
                gone.append(row[0])
            else:
                rows.append(row)
        if self.sync.incremental is not None:
            cursor = self.sync.incremental.cursor
            window.reached = advanced(
                self.sync, window.reached, [mapper.value(cursor, r) for r in page.records]
            )
        window.position = dict(page.next) if page.next is not None else None
        window.whole = page.next is None
        now = time.time()
        with self.store.atomic():
            changes = self.stream.write(rows, now, seen=window.noting)
            deleted = self.stream.delete(gone, now)
            self._keep(state, window)
        self.read += len(page.records)
        self.deleted += deleted
        self.changes = Changes(*(a + b for a, b in zip(self.changes, changes, strict=True)))

    async def _ask_deleted(self, state: SyncState, window: Window) -> None:
        deletes = self.sync.deletes
        if deletes is None or deletes.call is None or deletes.id is None or state.last_run is None:
            return
        scope = self._scope(state, window)
        mapper = Mapper(self.sync, scope)
        async for page in self.client.pages(deletes.call.operation, self._arguments(deletes.call, scope)):
            ids = [mapper.value(deletes.id, record) for record in page.records]
            self.deleted += self.stream.delete([text(id) for id in ids if not is_nothing(id)], time.time())

    def _finish(self, window: Window) -> Result:
        with self.store.atomic():
            if window.noting:
                self.deleted += self.stream.delete_unseen(time.time())
            done = SyncState(checkpoint=window.reached, last_run=window.began, digest=self.sync.digest)
            self.store.states.put(self.key, done)
        return Result(
            sync=self.sync.name,
            connection=self.key.connection,
            model=self.sync.model,
            status="success",
            read=self.read,
            added=self.changes.added,
            updated=self.changes.updated,
            deleted=self.deleted,
            unchanged=self.changes.unchanged,
            checkpoint=window.reached,
            requests=self.client.requests,
            seconds=round(time.monotonic() - self.began, 3),
        )

    def _keep(self, state: SyncState, window: Window) -> None:
        kept = msgspec.structs.replace(state, progress=window.as_data(), digest=self.sync.digest)
        self.store.states.put(self.key, kept)

    def _chosen(self, scope: Mapping[str, object]) -> Call:
        for call in self.sync.fetch:
            if call.when is None or call.when.holds(scope):
                return call
        raise UsageError(f"no `fetch` of `{self.sync.name}` holds", hint="give the last one no `when`")

    def _arguments(self, call: Call, scope: Mapping[str, object]) -> Mapping[str, object]:
        return cast(Mapping[str, object], call.arguments.evaluate(scope))
