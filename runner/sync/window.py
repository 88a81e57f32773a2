"""A window read to its end: cut into slices, some of them at once, each from where it stands."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from typing import Protocol

from runner.calls.job import Look
from runner.calls.pages import Page
from runner.definitions.model import Slices, Sync
from runner.errors import CallError, EnrichmentFailed
from runner.sync.ahead import ahead
from runner.sync.plan import Slice, Window
from runner.sync.progress import Part
from runner.sync.reading import Reading
from runner.sync.slices import cut
from runner.sync.source import Source
from runner.sync.together import side_by_side

#: kinds of failure that say that the API knows nothing more of how far a slice was read
_FORGOTTEN = frozenset({"cursor_expired", "job_lost"})
#: how often a slice is read in one run at the most
_TIMES = 3


def _forgotten(error: CallError, *, begun: bool, part: Slice) -> bool:
    """Whether a slice can be read anew: the API knows its place no more, or refuses where the run before was.

    Args:
        begun: whether it went on from where an earlier run was.
    """
    if begun:
        return not error.transient
    return error.kind in _FORGOTTEN and part.position is not None


class _TooMuch(Exception):
    """A window of one slice has more records than a slice may have."""


class Keeper(Protocol):
    """What stores the pages of a window, and how far it was read."""

    def log(self, level: str, message: str) -> None: ...

    def keep(self, progress: Window) -> None: ...

    def page(self, reading: Reading, window: Window, part: Slice, page: Page) -> None: ...


class WindowReader:
    """Reads one window.

    Args:
        stored: called after each page that was stored.
    """

    def __init__(
        self, sync: Sync, source: Source, ledger: Keeper, window: Window, stored: Callable[[], None]
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._window = window
        self._stored = stored
        self._rules: Slices | None = sync.incremental.slices if sync.incremental is not None else None
        self._workers = 1
        #: the slices that are being read, and what is known of the jobs that are waited for
        self._under_way: dict[int, Look | None] = {}

    def parts(self) -> list[Part]:
        """The slices that are being read, in their order."""
        slices = self._window.slices
        return [
            Part(number + 1, slices[number].start, slices[number].read, slices[number].total, look)
            for number, look in sorted(self._under_way.items(), key=lambda item: item[0])
        ]

    async def cut(self) -> None:
        """Cuts a window of one slice into several, where the sync says how and no job reads it whole."""
        rules = self._rules
        if rules is None:
            return
        source, whole = self._source, self._window.slices[0]
        if rules.by is None:
            whole.total = await source.count(whole, rules)
            if (await source.reading(whole)).is_job:
                return
        self._window.slices = await cut(whole, rules, lambda part: source.count(part, rules))
        count = len(self._window.slices)
        if count > 1:
            self._ledger.log("info", f"reads {count:,} slices, {rules.concurrency} at once")

    async def read(self) -> None:
        """Reads what is not stored yet.

        Raises:
            TerapiError: a slice cannot be read; those beside it are ended, and go on where they were.
        """
        try:
            await self._side_by_side()
        except _TooMuch:
            await self.cut()
            await self._side_by_side()

    async def _side_by_side(self) -> None:
        """Reads the slices that are not whole, some at once; the first that fails ends the others."""
        left = [part for part in self._window.slices if not part.whole]
        # The largest first, so that none is left over at the end.
        waiting = sorted(left, key=lambda part: -(part.total or 0))
        self._workers = min(len(waiting), self._rules.concurrency if self._rules is not None else 1)
        await side_by_side(iter(waiting), self._workers, self._slice)

    async def _slice(self, part: Slice) -> None:
        """Reads a slice, which is shown meanwhile."""
        number = next(number for number, one in enumerate(self._window.slices) if one is part)
        self._under_way[number] = None
        try:
            await self._surely(number, part)
        finally:
            del self._under_way[number]

    async def _surely(self, number: int, part: Slice) -> None:
        """Reads a slice from where it stands, or anew where the API has forgotten how far it was."""
        begun = part.position is not None
        for _ in range(_TIMES):
            try:
                await self._pages(await self._source.reading(part), number, part)
            except EnrichmentFailed:
                raise
            except CallError as exc:
                if exc.kind == "job_failed":
                    # It stays failed: the next run submits another.
                    part.position, part.read = None, 0
                    self._ledger.keep(self._window)
                if not _forgotten(exc, begun=begun, part=part):
                    raise
                self._ledger.log("warning", f"{exc.message}: reading anew from {part.start}")
                part.position, part.read, begun, last = None, 0, False, exc
            else:
                return
        raise last

    async def _pages(self, reading: Reading, number: int, part: Slice) -> None:
        # Several slices overlap by themselves, and hold no page longer than it takes to store it.
        found = reading.pages(part.position, early=self._workers == 1)
        async with aclosing(ahead(found) if self._workers == 1 else found) as pages:
            async for page in pages:
                self._check_size(reading, part, page)
                self._ledger.page(reading, self._window, part, page)
                # Whoever gave the page still holds it while the next one is awaited.
                page.records.clear()
                self._under_way[number] = page.look
                self._stored()

    def _check_size(self, reading: Reading, part: Slice, page: Page) -> None:
        """Notes how many records a slice has; a window that has more than its slices may is cut after all."""
        if page.total is None or part.total is not None:
            return
        part.total = page.total
        rules, window = self._rules, self._window
        alone = len(window.slices) == 1 and part.position is None and not reading.is_job
        if rules is not None and rules.by is None and alone and page.total > rules.most:
            raise _TooMuch
