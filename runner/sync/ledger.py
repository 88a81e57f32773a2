"""What a run stores: each page together with how far it came, and the counts of all of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import msgspec

from runner.calls.client import Client
from runner.calls.pages import Page
from runner.definitions.model import Sync
from runner.definitions.model.matrix import is_model
from runner.definitions.values import describe
from runner.errors import ExpressionError, NotConnected
from runner.store import Ages, Changes, Store, Stream, SyncKey, SyncState, Underway
from runner.sync.plan import Cursor, Slice, Window
from runner.sync.reading import Bad, Reading, where_of
from runner.sync.result import Result

#: records that do not fit and are listed in a run's log, at the most
MOST_LISTED = 100


def key_of(sync: Sync, client: Client) -> SyncKey:
    """Under which a sync's state is kept.

    Raises:
        ExpressionError: its matrix gives it a name of a model that is none.
    """
    place = client.connection
    if not is_model(sync.model):
        message = f"`model` of `{sync.name}` cannot be {describe(sync.model)}"
        hint = "expected a capital letter first, then letters, digits, `_` and `-`"
        raise ExpressionError(message, where=sync.model_place, hint=hint)
    return SyncKey(integration=place.integration, connection=place.id, sync=sync.name, model=sync.model)


class Progress(Protocol):
    """What a run reads, and how far it has come."""

    @property
    def noting(self) -> bool:
        """Whether the run notes what it sees, since what it does not see is deleted at its end."""
        ...

    def as_data(self) -> dict[str, object]: ...


class Stored(NamedTuple):
    """What came of a page."""

    changes: Changes
    deleted: int
    #: how many records do not fit
    bad: int

    @property
    def matters(self) -> bool:
        """Whether anything is different from before."""
        return bool(self.changes.added or self.changes.updated or self.deleted or self.bad)

    def line(self, read: int) -> str:
        """What came of so many records, in words."""
        changes = self.changes
        counts = f"{changes.added:,} added, {changes.updated:,} updated, {self.deleted:,} deleted"
        return f"{read:,} read, {counts}, {changes.unchanged:,} unchanged"


class Whole(NamedTuple):
    """What a run has read whole."""

    noting: bool
    #: the server's clock as it began, in seconds since 1970
    began: float
    checkpoint: Cursor | None
    #: what else is stored as it ends
    settle: Callable[[], None] = lambda: None


def stream_of(sync: Sync, client: Client, store: Store) -> Stream:
    """Where a sync's records are kept."""
    place = client.connection
    return store.records.stream(place.integration, place.id, sync.model, sync.variant)


def forget(sync: Sync, client: Client, store: Store) -> None:
    """Forgets the records of a sync's model, and how far it had come; others that store them begin anew."""
    key = key_of(sync, client)
    with store.atomic():
        stream_of(sync, client, store).empty()
        store.parents.clear(key)
        store.states.begin_anew(key, sync.variant)
        store.states.put(key, SyncState(digest=sync.digest))


class Ledger:
    """Stores what one run reads.

    Args:
        run: told what came of it.
    """

    def __init__(self, sync: Sync, client: Client, store: Store, run: Underway) -> None:
        self.run = run
        self._sync = sync
        self._client = client
        self._store = store
        self._key = key_of(sync, client)
        self.stream = stream_of(sync, client, store)
        self._state = SyncState()
        self._began = time.monotonic()
        self._pages = 0
        self._read = 0
        self._deleted = 0
        self._bad = 0
        self._pruned = 0
        self._left_out: set[str] = set()
        self._changes = Changes()
        #: the one that holds: it moves when the run succeeds
        self._checkpoint: Cursor | None = None
        #: of a sync with `foreach`: how many parents are read, and how many there are
        self.parents: tuple[int, int] | tuple[None, None] = None, None
        self.told()

    def log(self, level: str, message: str) -> None:
        self.run.log(level, message)

    def empty(self) -> None:
        """Forgets every record, and how far the sync had come."""
        forget(self._sync, self._client, self._store)

    def open(self, state: SyncState) -> None:
        """Takes the state that the run begins with."""
        self._state = state
        self._checkpoint = state.checkpoint

    def begin(self, progress: Progress) -> None:
        """Keeps what is to be read, before anything of it is read."""
        with self._store.atomic():
            if progress.noting:
                self.stream.begin_full(self._sync.name)
            self._store.outlines.keep(self._sync.digest, self._sync.outline)
            self.keep(progress)

    def page(self, reading: Reading, window: Window, part: Slice, page: Page) -> None:
        """A page's records, its progress and its line in the log, in one transaction."""

        def keep(stored: Stored) -> None:
            self.keep(window)
            if page.records:
                self.log("info", f"page {self._pages + 1}: {stored.line(len(page.records))}")

        self.store(reading, window, part, page, keep)

    def store(
        self, reading: Reading, window: Window, part: Slice, page: Page, keep: Callable[[Stored], None]
    ) -> None:
        """A page's records, and what ``keep`` keeps with them, in one transaction; all of it or nothing.

        Args:
            keep: told what came of the page, once the window says that it is stored.
        """
        before = window.reached, part.position, part.whole, part.read
        try:
            with self._store.atomic():
                stored = self._store_page(reading, window, part, page)
                keep(stored)
        except BaseException:
            # What reads beside it keeps the window as well, and must not keep what is not stored.
            window.reached, part.position, part.whole, part.read = before
            raise
        self._pages += bool(page.records)
        self._bad += stored.bad
        self._read += len(page.records)
        self._deleted += stored.deleted
        self._changes = self._changes.plus(stored.changes)

    def _store_page(self, reading: Reading, window: Window, part: Slice, page: Page) -> Stored:
        number, now = self._pages + 1, time.time()
        changes, deleted, bad = Changes(), 0, list[Bad]()
        self.check_connection()
        window.reached = reading.token(window.reached, page)
        part.position = dict(page.next) if page.next is not None else None
        part.whole = page.next is None
        part.read += len(page.records)
        for rows in reading.rows(page.records, number, window.reached):
            window.reached = rows.reached
            changes = changes.plus(self.stream.write(rows.kept, now, seen_by=self._seen_by(window)))
            deleted += self.stream.delete(rows.gone, now)
            bad += rows.bad
        if bad:
            self._pass_over(bad, number, window)
        self._tell(reading.left_out())
        return Stored(changes, deleted, len(bad))

    def _tell(self, left_out: Mapping[str, str]) -> None:
        """Says once in a run what enrichments were passed over, however often they were."""
        for name, why in left_out.items():
            if name not in self._left_out:
                self._left_out.add(name)
                self.log("warning", f"`enrich.{name}` is left out: {why}")

    def _seen_by(self, window: Window) -> str | None:
        return self._sync.name if window.noting else None

    def _pass_over(self, bad: list[Bad], page: int, window: Window) -> None:
        """Notes records that do not fit in the run's log; those that are there already are not missing."""
        seen_by = self._seen_by(window)
        if seen_by is not None:
            self.stream.see([one.id for one in bad if one.id is not None], seen_by)
        log_bad(self.run, bad, page, self._bad)

    def delete(self, ids: list[str]) -> None:
        """Deletes what the API tells as deleted."""
        self._deleted += self.stream.delete(ids, time.time())

    def end(self, whole: Whole) -> None:
        """Ends what was read whole: its checkpoint holds from here on."""
        with self._store.atomic():
            self.check_connection()
            if whole.noting:
                self._deleted += self.stream.delete_unseen(self._sync.name, time.time())
            whole.settle()
            self._checkpoint = whole.checkpoint
            done = SyncState(checkpoint=self._checkpoint, last_run=whole.began, digest=self._sync.digest)
            self._store.states.put(self._key, done)

    async def prune(self) -> None:
        """Empties the records that are older than the sync keeps them; others have their turn in between."""
        rules = self._sync.retention
        if rules is None:
            return
        pruning, more = self._store.pruning(self.stream), True
        while more:
            done = pruning.by_age(Ages(rules.changed, rules.deleted), time.time())
            self._pruned, more = self._pruned + done.records, done.more
            await asyncio.sleep(0)
        if self._pruned:
            self.log("info", f"pruned {self._pruned:,} record{'' if self._pruned == 1 else 's'}")

    def finish(self, whole: Whole) -> Result:
        """Ends what was read last and the run, in one transaction: neither is there without the other."""
        with self._store.atomic():
            self.end(whole)
            result = self.told("success")
            self.run.finish("success")
        return result

    def told(self, status: str = "running") -> Result:
        """What was done so far, noted as the run's output."""
        result = Result(
            sync=self._sync.name,
            connection=self._key.connection,
            model=self._sync.model,
            variant=self._sync.variant,
            status=status,
            read=self._read,
            added=self._changes.added,
            updated=self._changes.updated,
            deleted=self._deleted,
            unchanged=self._changes.unchanged,
            bad=self._bad,
            pruned=self._pruned,
            checkpoint=self._checkpoint,
            requests=self._client.requests,
            seconds=round(time.monotonic() - self._began, 3),
            run=self.run.run.id,
            parents=self.parents[0],
            of_parents=self.parents[1],
        )
        self.run.output = result.as_data()
        return result

    def check_connection(self) -> None:
        """Nothing is stored for a connection that was deleted meanwhile."""
        if self._store.connections.get(self._key.integration, self._key.connection) is None:
            raise NotConnected(f"the connection `{self._key.connection}` was deleted meanwhile")

    def keep(self, progress: Progress | None) -> None:
        """Keeps how far the run has come; None for a run that is to begin anew."""
        data = progress.as_data() if progress is not None else None
        kept = msgspec.structs.replace(self._state, progress=data, digest=self._sync.digest)
        self._store.states.put(self._key, kept)


def log_bad(run: Underway, bad: list[Bad], page: int, before: int) -> None:
    """Lists records that do not fit in a run's log, up to a number of them.

    Args:
        before: how many the run has found already.
    """
    for number, one in enumerate(bad, before + 1):
        if number <= MOST_LISTED:
            run.log("warning", _passed_over(one, page), {"bad_record": one.as_data(page)})
        elif number == MOST_LISTED + 1:
            run.log("warning", "further bad records are counted, and not listed")


def _passed_over(bad: Bad, page: int) -> str:
    done = "stored with its values as they came" if bad.kept else "skipped"
    return f"{where_of(bad, page)}: {bad.error.message}; it is {done}"
