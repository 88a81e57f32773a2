"""A run of a sync with `foreach`: each parent's window read to its end, some parents at once.

Each parent has its own checkpoint. Parents are taken in the order of their keys, so that of a run under way
no more is kept than how far that order has come, and the windows of those that are not whole yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import msgspec

from runner.calls.client import Client
from runner.definitions.model import Foreach, Sync
from runner.errors import (
    CallError,
    EnrichmentFailed,
    ExpressionError,
    NotConnected,
    RecordError,
    StoreError,
    TerapiError,
)
from runner.store import Store, SyncState
from runner.sync.ledger import Ledger, Whole, key_of
from runner.sync.parents import Parents, parents_of
from runner.sync.plan import Slice, whole_of
from runner.sync.result import Result
from runner.sync.round import OfParent, Register, Round
from runner.sync.source import Source, server_now
from runner.sync.together import side_by_side
from runner.sync.turns import Turn, Turns
from runner.sync.window import WindowReader


class _AllAnew(Exception):
    """The API knows a parent's token no more, and only a read of everything can tell what is missing."""

    def __init__(self, error: CallError) -> None:
        self.error = error
        super().__init__(error.message)


class ForeachRun:
    """Runs a sync with `foreach` once.

    Args:
        progress: told after each page, and after each parent that was read whole.
    """

    def __init__(
        self, sync: Sync, rules: Foreach, client: Client, store: Store, progress: Callable[[], None]
    ) -> None:
        self._sync = sync
        self._rules = rules
        self._client = client
        self._store = store
        self._key = key_of(sync, client)
        self._progress = progress
        #: parents of which all was read that there was as the run began
        self._read = set[str]()

    async def run(self, ledger: Ledger, *, full: bool) -> Result:
        """Reads the round that was cut short, if there is one, and then what has changed since.

        Raises:
            TerapiError: a parent cannot be read; the next run goes on with those that are not whole.
        """
        state, cut = self._state(full=full)
        round = cut or await self._begun(state, full=full)
        if cut is not None and self._sync.incremental is not None:
            began = await server_now(self._client)
            ledger.end(await self._surely(ledger, state, cut))
            state = self._store.states.get(self._key)
            round = msgspec.structs.replace(await self._begun(state, full=False), began=began)
        whole = await self._surely(ledger, state, round)
        await ledger.prune()
        return ledger.finish(whole)

    async def first(self, *, full: bool) -> tuple[Source, Turn | None]:
        """The parent with which a run would begin, or go on; nothing is written."""
        state, cut = self._state(full=full)
        round = cut or await self._begun(state, full=full)
        source, parents = await self._source(state)
        turn = next(self._turns(state).of(round, parents, lambda keys: None), None)
        if turn is None:
            return source, None
        return await source.of_parent(turn.parent.item, turn.state, whole_of(turn.window)), turn

    def _state(self, *, full: bool) -> tuple[SyncState, Round | None]:
        """How far the sync has come, and the round that was cut short and is to go on."""
        state = self._store.states.get(self._key)
        if state.digest != self._sync.digest:
            return SyncState(last_run=state.last_run), None
        cut = msgspec.convert(dict(state.progress), Round) if state.progress is not None else None
        return state, cut if cut is not None and (cut.full or not full) else None

    async def _begun(self, state: SyncState, *, full: bool) -> Round:
        """A new round; a full one where nothing is known of what was read before."""
        full = full or state.digest != self._sync.digest or self._sync.incremental is None
        missing = self._sync.deletes is not None and self._sync.deletes.missing
        return Round(noting=missing and full, full=full, began=await server_now(self._client))

    async def _source(self, state: SyncState) -> tuple[Source, Parents]:
        """What all parents share of the source, and the parents."""
        source = Source(self._sync, self._client, msgspec.structs.replace(state, checkpoint=None), Slice())
        return source, await parents_of(self._sync, self._rules, self._client, self._store, source)

    def _turns(self, state: SyncState) -> Turns:
        client = self._client
        return Turns(
            self._sync,
            self._key,
            self._store.parents,
            last_run=state.last_run,
            now=lambda: client.server_time or time.time(),
        )

    async def _surely(self, ledger: Ledger, state: SyncState, round: Round) -> Whole:
        """Reads a round, and everything anew where the API knows nothing more of a token."""
        try:
            return await self._round(ledger, state, round)
        except _AllAnew as exc:
            ledger.log("warning", f"{exc.error.message}: reading everything anew")
            self._read.clear()
            return await self._round(ledger, state, await self._begun(state, full=True))

    async def _round(self, ledger: Ledger, state: SyncState, round: Round) -> Whole:
        ledger.open(state)
        source, parents = await self._source(state)
        register = Register(self._sync, self._key, self._store, ledger, round)
        register.begin(parents.count(), self._rules.concurrency)
        try:
            reading = _Reading(self._sync, self._rules, source, register, self._progress)
            await reading.all(self._turns(state), parents, self._read)
        finally:
            # Who was read whole is not asked again. Where that cannot be kept, the first error counts.
            with suppress(StoreError, NotConnected):
                register.keep()
        _check_found(round, self._rules, ledger)
        async for ids in source.deleted():
            ledger.delete(ids)
        return Whole(round.noting, round.began, None, register.settle)


def _check_found(round: Round, rules: Foreach, ledger: Ledger) -> None:
    """Refuses a round in which the API found nobody: rather was it asked wrongly than that all are gone."""
    if round.not_found and not round.done:
        ledger.keep(None)
        raise CallError(
            f"none of the {round.not_found:,} parents was found",
            kind="not_found",
            where=rules.place,
            hint="look at what `fetch` asks for them: terapi runs logs tells what the API answered",
        )


class _Reading:
    """Reads the parents of a round, some at once; the first that fails ends the others."""

    def __init__(
        self, sync: Sync, rules: Foreach, source: Source, register: Register, progress: Callable[[], None]
    ) -> None:
        self._sync = sync
        self._rules = rules
        self._source = source
        self._register = register
        self._progress = progress

    async def all(self, turns: Turns, parents: Parents, done: set[str]) -> None:
        """Reads all but those that are done; those of which all was read then are done as well."""

        async def read(turn: Turn) -> None:
            await self._parent(turns, turn)
            if turn.fresh:
                done.add(turn.parent.key)
            self._progress()

        await side_by_side(self._taken(turns, parents, done), self._rules.concurrency, read)

    def _taken(self, turns: Turns, parents: Parents, done: set[str]) -> Iterator[Turn]:
        """Each turn as it is taken: from that moment on, what is kept says so."""
        register = self._register
        for turn in turns.of(register.round, parents, register.gone):
            if turn.parent.key in done:
                register.is_whole()
                continue
            if turn.fresh:
                register.take(turn.parent.key, turn.known, turn.window)
            yield turn

    async def _parent(self, turns: Turns, turn: Turn) -> None:
        key = turn.parent.key
        try:
            await self._read(turns, turn)
        except CallError as exc:
            if exc.kind != "not_found" or not self._rules.skips or isinstance(exc, EnrichmentFailed):
                _name(exc, key)
                raise
            self._register.not_found(key, exc)
        except (RecordError, ExpressionError) as exc:
            _name(exc, key)
            raise
        else:
            self._register.whole(key, turn.known)

    async def _read(self, turns: Turns, turn: Turn) -> None:
        """Reads a parent's window, and anew where the API knows nothing more of its token."""
        try:
            await self._window(turn)
        except CallError as exc:
            if not self._is_forgotten(turn, exc):
                raise
            if self._sync.deletes is not None and self._sync.deletes.missing:
                raise _AllAnew(exc) from exc
            self._register.warn(f"parent `{turn.parent.key}`: {exc.message}: reading it anew")
            anew = turns.anew(self._register.round, turn.parent, None)
            self._register.take(turn.parent.key, turn.known, anew.window)
            await self._window(anew)

    def _is_forgotten(self, turn: Turn, error: CallError) -> bool:
        by_token = self._sync.incremental is not None and self._sync.incremental.type == "token"
        its_own = error.kind == "cursor_expired" and not isinstance(error, EnrichmentFailed)
        return by_token and turn.state.checkpoint is not None and its_own

    async def _window(self, turn: Turn) -> None:
        window, ledger = turn.window, OfParent(self._register, turn.parent.key)
        source = await self._source.of_parent(turn.parent.item, turn.state, whole_of(window))
        reader = WindowReader(self._sync, source, ledger, window, self._progress)
        if turn.fresh and turn.state.checkpoint is None:
            await reader.cut()
        await reader.read()


def _name(error: TerapiError, key: str) -> None:
    """Has an error say whose it is."""
    error.message = f"parent `{key}`: {error.message}"
    error.args = (error.message,)
