"""Whose turn it is: the parents of a round one by one, each with what is to be read of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from runner.definitions.model import Sync
from runner.store import Parent as Known
from runner.store import SyncKey, SyncState
from runner.store.parents import GONE, WHOLE
from runner.store.parents import Parents as KnownParents
from runner.sync.parents import Parent, Parents
from runner.sync.plan import Window, window_of
from runner.sync.round import Round


class Turn(NamedTuple):
    """A parent whose turn it is."""

    parent: Parent
    #: what is stored of it; None where it is new
    known: Known | None
    #: what its expressions know of what was read before
    state: SyncState
    window: Window
    #: whether nothing of the window is read yet
    fresh: bool

    @property
    def is_new(self) -> bool:
        """Whether nothing of it was read whole."""
        return self.known is None or self.known.state != WHOLE


class Turns:
    """The parents of a round that are not whole, in the order in which they are read.

    Args:
        store: what is kept of the parents of all syncs.
        last_run: of the sync, in seconds since 1970.
        now: tells the server's clock, in seconds since 1970.
    """

    def __init__(
        self,
        sync: Sync,
        key: SyncKey,
        store: KnownParents,
        *,
        last_run: float | None,
        now: Callable[[], float],
    ) -> None:
        self._sync = sync
        self._key = key
        self._store = store
        self._last_run = last_run
        self._now = now

    def of(self, round: Round, parents: Parents, gone: Callable[[Iterable[str]], None]) -> Iterator[Turn]:
        """Those that were under way, then those behind them.

        Args:
            gone: told of parents that are no longer there.
        """
        yield from self._cut(round, parents, gone)
        after: str | None = round.after
        while after is not None:
            page = parents.page(after)
            known = self._store.between(self._key, after, page.upto)
            there = {parent.key for parent in page.parents}
            gone(key for key, one in known.items() if key not in there and one.state != GONE)
            for parent in page.parents:
                yield self.anew(round, parent, known.get(parent.key))
            after = page.upto

    def _cut(self, round: Round, parents: Parents, gone: Callable[[Iterable[str]], None]) -> Iterator[Turn]:
        windows = dict(round.under_way)
        there = {parent.key: parent for parent in parents.named(windows)}
        gone(key for key in windows if key not in there)
        known = self._store.named(self._key, windows)
        for key, parent in there.items():
            one = known.get(key)
            yield Turn(parent, one, self._state(round, one), windows[key], fresh=False)

    def anew(self, round: Round, parent: Parent, known: Known | None) -> Turn:
        """A parent with a window of its own, up to the server's now."""
        state = self._state(round, known)
        window = window_of(self._sync, state, self._now())
        window.noting = round.noting
        return Turn(parent, known, state, window, fresh=True)

    def _state(self, round: Round, known: Known | None) -> SyncState:
        """What was read of a parent before; nothing of one that was not read whole, or was gone meanwhile."""
        if known is None or known.state != WHOLE:
            return SyncState()
        checkpoint = None if round.full else known.checkpoint
        return SyncState(checkpoint=checkpoint, last_run=self._last_run)
