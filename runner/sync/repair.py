"""What differs is read again, and nothing else; what is too much is deleted."""

from __future__ import annotations

import time
from collections.abc import Sequence

from runner.definitions.model import Call, Sync
from runner.errors import NotConnected
from runner.store import Store, Stream, Underway
from runner.sync.ledger import log_bad
from runner.sync.plan import Slice
from runner.sync.reading import Bad
from runner.sync.source import Source

#: records that are read again together
TOGETHER = 100


class Repair:
    """Repairs one model.

    Args:
        call: reads records by their keys.
        run: told what came of it.
    """

    def __init__(self, sync: Sync, call: Call, store: Store, stream: Stream, run: Underway) -> None:
        self._sync = sync
        self._call = call
        self._store = store
        self._stream = stream
        self._run = run
        #: records that are as at the source now, or are deleted
        self.done = 0
        #: those that the source did not give, or that do not fit
        self.left = 0
        self._pages = 0
        self._bad = 0

    async def read_again(self, source: Source, whole: Slice, ids: Sequence[str]) -> None:
        """Reads some records by their keys and stores them, as a run of the sync would.

        Raises:
            RecordError: one does not fit, and the sync does not go on after such.
        """
        scope = {**await source.scope_of(whole), "ids": list(ids)}
        reading, open_ = source.reading_of(self._call, scope), set(ids)
        async for page in reading.pages(None):
            self._pages += 1
            bad: list[Bad] = []
            with self._store.atomic():
                self._check_connection()
                for rows in reading.rows(page.records, self._pages):
                    kept = [row for row in rows.kept if row[0] in open_]
                    gone = [id for id in rows.gone if id in open_]
                    self._stream.write(kept, time.time())
                    self._stream.delete(gone, time.time())
                    open_ -= {*gone, *(id for id, _ in kept)}
                    bad += [one for one in rows.bad if one.id is None or one.id in ids]
                log_bad(self._run, bad, self._pages, self._bad)
            self._bad += len(bad)
        self.done += len(ids) - len(open_)
        self.left += len(open_)
        self._run.log("info", f"read {len(ids):,} again; {_left(len(open_))}")

    def delete(self, ids: Sequence[str]) -> None:
        """Deletes what is too much."""
        with self._store.atomic():
            self._check_connection()
            self.done += self._stream.delete(ids, time.time())
            self._run.log("info", f"deleted {len(ids):,} that are not at the source")

    def _check_connection(self) -> None:
        """Nothing is stored for a connection that was deleted meanwhile."""
        place = self._run.run
        if self._store.connections.get(place.integration, place.connection) is None:
            raise NotConnected(f"the connection `{place.connection}` was deleted meanwhile")


def _left(count: int) -> str:
    return f"{count:,} could not be stored" if count else "all are stored as they are"
