"""A round: one pass of a run over all parents of a sync with `foreach`, and what is kept of it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from runner.calls.pages import Page
from runner.definitions.model import Sync
from runner.errors import CallError
from runner.store import Parent, Store, SyncKey
from runner.store.parents import BEGUN, GONE, WHOLE
from runner.sync.ledger import MOST_LISTED, Ledger, Stored
from runner.sync.plan import Slice, Window, settled
from runner.sync.reading import Reading

#: Parents with nothing new that are noted together: a run that is killed asks for so many once more.
_TOGETHER = 100
#: parents between two lines in the log
_LINE = 1_000


class Round(msgspec.Struct, kw_only=True):
    """Which parents are to be read, and how far that has come."""

    #: whether it notes what it sees, since what no parent gives is deleted at its end
    noting: bool
    #: whether each parent is read from its beginning
    full: bool
    #: the server's clock as it began, in seconds since 1970
    began: float
    #: every parent up to this key was taken
    after: str = ""
    #: those of them that are not read whole yet
    under_way: dict[str, Window] = {}
    #: how many were read whole, and how many the API did not find
    done: int = 0
    not_found: int = 0

    def as_data(self) -> dict[str, object]:
        data: dict[str, object] = msgspec.to_builtins(self)
        return data


class Register:
    """What a round stores of its parents; their records go into the ledger.

    A page that changes nothing and leads nowhere is no reason to write: parents that have nothing new are
    noted some at a time, or with the next page that does.
    """

    def __init__(self, sync: Sync, key: SyncKey, store: Store, ledger: Ledger, round: Round) -> None:
        self.round = round
        self.ledger = ledger
        self._sync = sync
        self._key = key
        self._store = store
        #: how many parents there are
        self.total = 0
        #: what is not kept yet
        self._waiting: dict[str, Parent] = {}
        self._unkept = 0
        self._listed = 0

    def begin(self, total: int, at_once: int) -> None:
        """Keeps a new round before anything of it is read; one that was cut short is there already."""
        passed = self.round.done + self.round.not_found
        self.total = total
        self.ledger.parents = passed, total
        if self.round.after:
            self.ledger.log(
                "info", f"goes on where the run before was cut: {passed:,} of {total:,} parents are read"
            )
            return
        with self._store.atomic():
            self.ledger.check_connection()
            if self.round.full and self._sync.incremental is not None:
                self._store.parents.reset(self._key)
            self.ledger.begin(self.round)
        self.ledger.log("info", f"reads {total:,} parents, {at_once} at once")

    def take(self, key: str, known: Parent | None, window: Window) -> None:
        """Notes that a parent is under way."""
        self.round.after = max(self.round.after, key)
        self.round.under_way[key] = window
        if known is None or known.state == GONE:
            self._waiting[key] = Parent(state=BEGUN)

    def whole(self, key: str, known: Parent | None) -> None:
        """Notes that a parent was read whole: from here on its checkpoint holds."""
        now = Parent(state=WHOLE, checkpoint=settled(self._sync, self.round.under_way.pop(key)))
        if now != known:
            self._waiting[key] = now
        self.is_whole()

    def is_whole(self) -> None:
        """Counts a parent of which nothing is left to read."""
        self.round.done += 1
        self._note()

    def not_found(self, key: str, error: CallError) -> None:
        """Notes that the API does not find a parent: it is gone."""
        del self.round.under_way[key]
        self._waiting[key] = Parent(state=GONE)
        self.round.not_found += 1
        self.warn(f"parent `{key}` is passed over: {error.message}")
        self._note()

    def gone(self, keys: Iterable[str]) -> None:
        """Notes that parents are no longer among those that there are."""
        found = dict.fromkeys(keys, Parent(state=GONE))
        for key in found:
            self.round.under_way.pop(key, None)
        if found:
            with self._store.atomic():
                self.ledger.check_connection()
                self._store.parents.put(self._key, found)

    def _note(self) -> None:
        self._unkept += 1
        passed, total = self.round.done + self.round.not_found, self.total
        self.ledger.parents = passed, total
        if passed % _LINE == 0:
            self.ledger.log("info", f"{passed:,} of {total:,} parents are read")
        if self._unkept >= _TOGETHER:
            self.keep()

    def keep(self) -> None:
        """Keeps how far the round has come."""
        with self._store.atomic():
            self.ledger.check_connection()
            self._write()
        self._written()

    def page(self, reading: Reading, window: Window, part: Slice, page: Page) -> Stored:
        """A page of one parent, and the round's progress where that matters, in one transaction."""
        came: list[Stored] = []

        def keep(stored: Stored) -> None:
            came.append(stored)
            if page.next is not None or stored.matters:
                self._write()

        self.ledger.store(reading, window, part, page, keep)
        if page.next is not None or came[0].matters:
            self._written()
        return came[0]

    def _write(self) -> None:
        self._store.parents.put(self._key, self._waiting)
        self.ledger.keep(self.round)

    def _written(self) -> None:
        self._waiting.clear()
        self._unkept = 0

    def settle(self) -> None:
        """Forgets the parents that are gone, and deletes their records, where the sync says so."""
        self._store.parents.put(self._key, self._waiting)
        field = self._sync.deletes.orphans if self._sync.deletes is not None else None
        if field is not None:
            for ids in self._store.parents.children_of_gone(self._key, self.ledger.stream.number(), field):
                self.ledger.delete(ids)
        self._store.parents.forget_gone(self._key)

    def told(self, message: str) -> None:
        """A line in the log, while there are few of them."""
        self._list("info", message)

    def warn(self, message: str) -> None:
        self._list("warning", message)

    def _list(self, level: str, message: str) -> None:
        self._listed += 1
        if self._listed <= MOST_LISTED:
            self.ledger.log(level, message)
        elif self._listed == MOST_LISTED + 1:
            self.ledger.log("info", "further parents are counted, and not listed")


class OfParent:
    """What the reading of one parent's window stores, and tells."""

    def __init__(self, register: Register, key: str) -> None:
        self._register = register
        self._key = key
        self._read = 0

    def log(self, level: str, message: str) -> None:
        if level != "info":
            self._register.warn(f"parent `{self._key}`: {message}")

    def keep(self, progress: Window) -> None:
        self._register.keep()

    def page(self, reading: Reading, window: Window, part: Slice, page: Page) -> None:
        read = len(page.records)
        stored = self._register.page(reading, window, part, page)
        if stored.matters:
            self._register.told(f"parent `{self._key}`: {stored.line(read)}")
