"""Pruning: what was read long ago is emptied, so that the source's data is not kept for ever.

A pruned record keeps its key and its hash: read again as it was, it is unchanged and stays pruned; changed,
it is updated and has a payload again. Its cursor does not move, so that no reader is told of it anew.

Changes are numbered in the order of time. So each stream has a cursor behind which nothing is pruned yet, and
what is pruned once is never looked at again, however many records there are.
"""

from __future__ import annotations

from itertools import takewhile
from typing import NamedTuple

from runner.store.database import Database, load_queries
from runner.store.records import Stream

#: records in one transaction: others write in between, and readers are never kept waiting
BATCH = 2_000
_LAST = 2**62


class Ages(NamedTuple):
    """How long payloads are kept after the last change, in seconds; None for ever."""

    changed: float | None = None
    #: of deleted records, where it is shorter
    deleted: float | None = None


class Pruned(NamedTuple):
    """What one batch did."""

    records: int = 0
    #: whether another one has something to do
    more: bool = False


class Pruning:
    """Prunes the records of one stream, batch by batch."""

    def __init__(self, database: Database, stream: Stream) -> None:
        self._database = database
        self._stream = stream
        self._sql = load_queries("pruning")

    def by_age(self, ages: Ages, now: float, limit: int = BATCH) -> Pruned:
        """A batch of what is older than ``ages``.

        Args:
            now: in seconds since 1970.
            limit: records that are looked at.
        """
        found = Pruned()
        if ages.changed is not None:
            found = self._batch(limit, now, before=now - ages.changed)
        if ages.deleted is not None and not found.more:
            deleted = self._batch(limit, now, before=now - ages.deleted, deleted=True)
            found = Pruned(found.records + deleted.records, deleted.more)
        return found

    def until(self, cursor: int, now: float, limit: int = BATCH) -> Pruned:
        """A batch of what a reader has, whose cursor that is."""
        return self._batch(limit, now, until=cursor)

    def _batch(
        self,
        limit: int,
        now: float,
        *,
        until: int = _LAST,
        before: float | None = None,
        deleted: bool = False,
    ) -> Pruned:
        """Prunes the next records in the order of their last change, up to the first that is too new."""
        name = "_deleted" if deleted else ""
        with self._database.atomic():
            stream = self._stream.number()
            reached = self._database.row(self._sql["reached"], {"stream": stream})
            if reached is None:
                return Pruned()
            given = {"stream": stream, "after": reached[f"pruned{name}"], "until": until, "limit": limit}
            rows = self._database.rows(self._sql["behind"], given)
            old = [*takewhile(lambda row: before is None or row["changed_at"] < before, rows)]
            if not old:
                return Pruned()
            given["until"] = old[-1]["cursor"]
            count = self._database.run(self._sql[f"prune{name}"], {**given, "now": now})
            self._database.run(self._sql[f"reach{name}"], given)
        return Pruned(count, len(old) == limit)
