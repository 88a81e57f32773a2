"""One run of a sync: read page by page, stored page by page, each page together with how far it came.

Killed anywhere, the next run goes on from the last stored page of each slice. The checkpoint moves only when
a window is whole.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from runner.calls.client import Client
from runner.definitions.model import Sync
from runner.errors import CallError, EnrichmentFailed, RunningAlready
from runner.store import Connection, Lock, NewRun, Store, SyncKey, SyncState
from runner.sync.foreach import ForeachRun
from runner.sync.ledger import Ledger, Whole
from runner.sync.ledger import key_of as key_of
from runner.sync.plan import Window, settled, whole_of, window_of
from runner.sync.progress import Progress as Progress
from runner.sync.result import Result as Result
from runner.sync.source import Source, server_now
from runner.sync.window import WindowReader


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is wanted."""

    #: read everything, whatever the checkpoint
    full: bool = False
    #: forget the stored records first, and read everything
    empty: bool = False
    #: told after each page how far it is
    progress: Callable[[Progress], None] = lambda progress: None


async def run_sync(sync: Sync, client: Client, store: Store, options: Options = Options()) -> Result:  # noqa: B008 - frozen
    """Runs a sync once; its run is kept in the store, however it ends.

    Raises:
        RunningAlready: it is.
        UsageError: the connection's params do not fit.
        TerapiError: it failed; what was stored before is kept, and the next run goes on there.
    """
    place = client.connection
    lock = lock_of(sync.name, place, store)
    if not lock.acquire():
        raise RunningAlready(
            f"`{sync.name}` is running already for `{place.id}`",
            hint="wait for it to end; its run stores the same",
        )
    try:
        new = NewRun(
            kind="sync",
            name=sync.name,
            integration=place.integration,
            connection=place.id,
            input={"full": True} if options.full else None,
            definition=sync.digest,
        )
        with store.runs.begin(new) as run:
            return await _run(sync, client, store, options, Ledger(sync, client, store, run))
    finally:
        lock.release()


def lock_of(name: str, place: Connection, store: Store, *, patience: float = 0.0) -> Lock:
    """What a sync holds for a connection while it runs; `with` waits ``patience`` seconds for it."""
    return store.lock(f"sync:{name}:{place.integration}:{place.id}", patience=patience)


async def _run(sync: Sync, client: Client, store: Store, options: Options, ledger: Ledger) -> Result:
    if options.empty:
        ledger.empty()
    full = options.full or options.empty
    if sync.foreach is not None:

        def told() -> None:
            result = ledger.told()
            options.progress(Progress(result, result.read))

        parents = ForeachRun(sync, sync.foreach, client, store, told)
        return await parents.run(ledger, full=full)
    key = key_of(sync, client)
    state = state_of(sync, store, key, full=full)
    if state.progress is not None and sync.incremental is not None:
        # What has changed since that window began comes with a window of its own.
        ledger.end(_whole(sync, await _read_surely(sync, client, state, options, ledger)))
        state = store.states.get(key)
    whole = _whole(sync, await _read_surely(sync, client, state, options, ledger))
    await ledger.prune()
    return ledger.finish(whole)


def _whole(sync: Sync, window: Window) -> Whole:
    return Whole(window.noting, window.began, settled(sync, window))


async def _read_surely(
    sync: Sync, client: Client, state: SyncState, options: Options, ledger: Ledger
) -> Window:
    """As `_read`, and everything anew where the API knows nothing more of the token that was to lead on."""
    try:
        return await _read(sync, client, state, options, ledger)
    except CallError as exc:
        if not _is_forgotten(sync, state, exc):
            raise
        ledger.log("warning", f"{exc.message}: reading everything anew")
        anew = SyncState(last_run=state.last_run, digest=sync.digest)
        return await _read(sync, client, anew, options, ledger)


def _is_forgotten(sync: Sync, state: SyncState, error: CallError) -> bool:
    if isinstance(error, EnrichmentFailed):
        return False
    by_token = sync.incremental is not None and sync.incremental.type == "token"
    return by_token and state.checkpoint is not None and error.kind == "cursor_expired"


async def _read(sync: Sync, client: Client, state: SyncState, options: Options, ledger: Ledger) -> Window:
    """Reads a window to its end: the one that was cut short, else a new one."""
    ledger.open(state)
    window = await window_for(sync, client, state)
    source = Source(sync, client, state, whole_of(window))

    def told() -> None:
        slices = len(window.slices)
        options.progress(Progress(ledger.told(), window.read, window.total, slices, reader.parts()))

    reader = WindowReader(sync, source, ledger, window, told)
    ledger.log("info", _beginning(window, cut=state.progress is not None))
    if state.progress is None:
        if state.checkpoint is None:
            await reader.cut()
        ledger.begin(window)
    await reader.read()
    async for ids in source.deleted():
        ledger.delete(ids)
    return window


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
    return window_of(sync, state, await server_now(client))


def _beginning(window: Window, *, cut: bool) -> str:
    if cut:
        return "goes on at the page where the run before was cut"
    whole = whole_of(window)
    if whole.start is None:
        return "reads everything"
    return f"reads from {whole.start}" + (f" to {whole.end}" if whole.end is not None else "")
