"""What a run stores: each page together with how far it came, and the counts of all of them."""

from __future__ import annotations

import time

import msgspec

from runner.calls.client import Client
from runner.calls.pages import Page
from runner.definitions.model import Sync
from runner.errors import NotConnected
from runner.store import Changes, Store, Stream, SyncKey, SyncState, Underway
from runner.sync.plan import Cursor, Slice, Window, settled
from runner.sync.reading import Bad, Reading, where_of
from runner.sync.result import Result

#: records that do not fit and are listed in a run's log, at the most
MOST_LISTED = 100


def key_of(sync: Sync, client: Client) -> SyncKey:
    place = client.connection
    return SyncKey(integration=place.integration, connection=place.id, sync=sync.name, model=sync.model)


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
        self._stream: Stream = store.records.stream(
            self._key.integration, self._key.connection, self._key.model
        )
        self._state = SyncState()
        self._began = time.monotonic()
        self._pages = 0
        self._read = 0
        self._deleted = 0
        self._bad = 0
        self._changes = Changes()
        #: the one that holds: it moves when the run succeeds
        self._checkpoint: Cursor | None = None
        self.told()

    def log(self, level: str, message: str) -> None:
        self.run.log(level, message)

    def empty(self) -> None:
        """Forgets every record, and how far the sync had come."""
        with self._store.atomic():
            self._stream.empty()
            self._store.states.put(self._key, SyncState(digest=self._sync.digest))

    def open(self, state: SyncState) -> None:
        """Takes the state that the run begins with."""
        self._state = state
        self._checkpoint = state.checkpoint

    def begin(self, window: Window) -> None:
        """Keeps a new window, before anything of it is read."""
        with self._store.atomic():
            if window.noting:
                self._stream.begin_full(self._sync.name)
            self.keep(window)

    def page(self, reading: Reading, window: Window, part: Slice, page: Page) -> None:
        """A page's records, its progress and its line in the log, in one transaction."""
        number = self._pages + 1
        window.reached = reading.reached(window.reached, page, number)
        part.position = dict(page.next) if page.next is not None else None
        part.whole = page.next is None
        now, changes, deleted = time.time(), Changes(), 0
        bad: list[Bad] = []
        with self._store.atomic():
            self._check_connection()
            for rows in reading.rows(page.records, number):
                changes = changes.plus(self._stream.write(rows.kept, now, seen_by=self._seen_by(window)))
                deleted += self._stream.delete(rows.gone, now)
                bad += rows.bad
            if bad:
                self._pass_over(bad, number, window)
            self.keep(window)
            if page.records:
                self.log("info", _page(number, len(page.records), changes, deleted))
        self._pages += bool(page.records)
        self._bad += len(bad)
        self._read += len(page.records)
        self._deleted += deleted
        self._changes = self._changes.plus(changes)

    def _seen_by(self, window: Window) -> str | None:
        return self._sync.name if window.noting else None

    def _pass_over(self, bad: list[Bad], page: int, window: Window) -> None:
        """Notes records that do not fit in the run's log; those that are there already are not missing."""
        seen_by = self._seen_by(window)
        if seen_by is not None:
            self._stream.see([one.id for one in bad if one.id is not None], seen_by)
        for number, one in enumerate(bad, self._bad + 1):
            if number <= MOST_LISTED:
                self.run.log("warning", _passed_over(one, page), {"bad_record": one.as_data(page)})
            elif number == MOST_LISTED + 1:
                self.log("warning", "further bad records are counted, and not listed")

    def delete(self, ids: list[str]) -> None:
        """Deletes what the API tells as deleted."""
        self._deleted += self._stream.delete(ids, time.time())

    def end(self, window: Window) -> None:
        """Ends a window: its checkpoint holds from here on."""
        with self._store.atomic():
            self._check_connection()
            if window.noting:
                self._deleted += self._stream.delete_unseen(self._sync.name, time.time())
            self._checkpoint = settled(self._sync, window)
            done = SyncState(checkpoint=self._checkpoint, last_run=window.began, digest=self._sync.digest)
            self._store.states.put(self._key, done)

    def finish(self, window: Window) -> Result:
        """Ends the last window and the run, in one transaction: neither is there without the other."""
        with self._store.atomic():
            self.end(window)
            result = self.told("success")
            self.run.finish("success")
        return result

    def told(self, status: str = "running") -> Result:
        """What was done so far, noted as the run's output."""
        result = Result(
            sync=self._sync.name,
            connection=self._key.connection,
            model=self._sync.model,
            status=status,
            read=self._read,
            added=self._changes.added,
            updated=self._changes.updated,
            deleted=self._deleted,
            unchanged=self._changes.unchanged,
            bad=self._bad,
            checkpoint=self._checkpoint,
            requests=self._client.requests,
            seconds=round(time.monotonic() - self._began, 3),
            run=self.run.run.id,
        )
        self.run.output = result.as_data()
        return result

    def _check_connection(self) -> None:
        """Nothing is stored for a connection that was deleted meanwhile."""
        if self._store.connections.get(self._key.integration, self._key.connection) is None:
            raise NotConnected(f"the connection `{self._key.connection}` was deleted meanwhile")

    def keep(self, window: Window) -> None:
        kept = msgspec.structs.replace(self._state, progress=window.as_data(), digest=self._sync.digest)
        self._store.states.put(self._key, kept)


def _passed_over(bad: Bad, page: int) -> str:
    done = "stored with its values as they came" if bad.kept else "skipped"
    return f"{where_of(bad, page)}: {bad.error.message}; it is {done}"


def _page(number: int, read: int, changes: Changes, deleted: int) -> str:
    counts = f"{changes.added:,} added, {changes.updated:,} updated, {deleted:,} deleted"
    return f"page {number}: {read:,} read, {counts}, {changes.unchanged:,} unchanged"
