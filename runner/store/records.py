"""Records: what was synced, each change numbered: a reader with a cursor misses and repeats nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import xxhash

from runner.store.database import Database, load_queries

STATES: Final = ("added", "updated", "deleted")
_DELETED = 2
_BATCH = 5_000


class Changes(NamedTuple):
    """How many records a write added, updated and left as they were."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0


class Record(NamedTuple):
    """A stored record; times are in seconds since 1970."""

    id: str
    payload: bytes
    state: str
    cursor: int
    first_seen_at: float
    changed_at: float
    deleted_at: float | None
    pruned_at: float | None


class Records:
    """The records of a store, by stream: one model of one connection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries("records")

    def stream(self, integration: str, connection: str, model: str) -> Stream:
        key = {"integration": integration, "connection": connection, "model": model}
        row = self._database.row(self._sql["get_stream"], key)
        if row is None:
            self._database.run(self._sql["make_stream"], key)
            row = self._database.rows(self._sql["get_stream"], key)[0]
        return Stream(self._database, self._sql, row["number"])

    def streams(
        self, integration: str | None = None, connection: str | None = None
    ) -> list[tuple[str, str, str]]:
        """Integration, connection and model of every stream."""
        rows = self._database.rows(
            self._sql["list_streams"], {"integration": integration, "connection": connection}
        )
        return [(row["integration"], row["connection"], row["model"]) for row in rows]


class Stream:
    """One model of one connection."""

    def __init__(self, database: Database, sql: Mapping[str, str], number: int) -> None:
        self._database = database
        self._sql = sql
        self.number = number

    def write(self, rows: Iterable[tuple[str, bytes]], now: float, *, seen: bool = False) -> Changes:
        """Stores a page.

        Args:
            rows: primary key and payload (canonical JSON); of two with one key the last counts.
            now: the time of the change, in seconds since 1970.
            seen: whether a full read is under way that must know what it saw.
        """
        page = dict(rows)
        with self._database.atomic():
            known = self._known(page)
            cursor = first = self._cursor()
            fresh: list[tuple[object, ...]] = []
            changed: list[tuple[object, ...]] = []
            added = unchanged = 0
            for id, payload in page.items():
                digest = xxhash.xxh3_128_digest(payload)
                before = known.get(id)
                if before is None:
                    cursor += 1
                    fresh.append((self.number, id, digest, payload, cursor, now, now))
                elif before[0] == digest and before[1] != _DELETED:
                    unchanged += 1
                else:
                    cursor += 1
                    back = before[1] == _DELETED
                    added += back
                    changed.append((digest, payload, 0 if back else 1, cursor, now, self.number, id))
            self._put(fresh, changed, cursor if cursor != first else None)
            if seen:
                self._database.run(self._sql["see"], (self.number, json.dumps(list(page))))
        return Changes(len(fresh) + added, len(changed) - added, unchanged)

    def _known(self, page: Mapping[str, bytes]) -> dict[str, tuple[bytes, int]]:
        rows = self._database.rows(self._sql["known"], (self.number, json.dumps(list(page))))
        return {row[0]: (row[1], row[2]) for row in rows}

    def _put(
        self, fresh: list[tuple[object, ...]], changed: list[tuple[object, ...]], cursor: int | None
    ) -> None:
        if fresh:
            self._database.run_many(self._sql["insert"], fresh)
        if changed:
            self._database.run_many(self._sql["update"], changed)
        if cursor is not None:
            self._database.run(self._sql["set_cursor"], {"stream": self.number, "cursor": cursor})

    def _cursor(self) -> int:
        found = self._database.rows(self._sql["get_cursor"], {"stream": self.number})[0]["cursor"]
        return int(found)

    def delete(self, ids: Iterable[str], now: float) -> int:
        """Marks records as deleted; those that are not there, or are deleted already, do not count."""
        wanted = dict.fromkeys(ids, b"")
        with self._database.atomic():
            there = [id for id, (_, state) in self._known(wanted).items() if state != _DELETED]
            cursor = self._cursor()
            rows = [(cursor + n, now, now, self.number, id) for n, id in enumerate(there, 1)]
            self._database.run_many(self._sql["delete"], rows)
            if rows:
                self._put([], [], cursor + len(rows))
        return len(there)

    def begin_full(self) -> None:
        """Begins a full read: from here on `write(…, seen=True)` notes what is there."""
        self._database.run(self._sql["forget_seen"], (self.number,))

    def delete_unseen(self, now: float) -> int:
        """Ends a full read: what it did not see is deleted."""
        total = 0
        with self._database.atomic():
            while rows := self._database.rows(self._sql["unseen"], (self.number, _BATCH)):
                total += self.delete((row["id"] for row in rows), now)
            self._database.run(self._sql["forget_seen"], (self.number,))
        return total

    def read(
        self,
        *,
        after: int = 0,
        limit: int = 100,
        states: Iterable[str] | None = None,
        ids: Sequence[str] | None = None,
        since: float | None = None,
    ) -> list[Record]:
        """Records in the order of their last change.

        Args:
            after: the cursor of the last record that the reader has; 0 for none.
            limit: how many at most.
            states: only these, of `added`, `updated`, `deleted`.
            ids: only these.
            since: only what changed at or after that time, in seconds since 1970.
        """
        wanted = None if states is None else json.dumps([STATES.index(state) for state in states])
        given = {"stream": self.number, "after": after, "limit": limit, "states": wanted, "since": since}
        if ids is None:
            return [_record(row) for row in self._database.rows(self._sql["read"], given)]
        given["ids"] = json.dumps(list(ids))
        return [_record(row) for row in self._database.rows(self._sql["read_ids"], given)]

    def all(self, *, after: int = 0, states: Iterable[str] | None = None) -> Iterator[Record]:
        """Every record, read in pages, in the order of their last change."""
        wanted = None if states is None else list(states)
        while page := self.read(after=after, limit=_BATCH, states=wanted):
            yield from page
            after = page[-1].cursor

    def count(self) -> dict[str, int]:
        """How many records there are in each state."""
        rows = self._database.rows(self._sql["count"], {"stream": self.number})
        return {
            name: sum(row["number"] for row in rows if row["state"] == n) for n, name in enumerate(STATES)
        }


def _record(row: sqlite3.Row) -> Record:
    return Record(row[0], row[1], STATES[row[2]], *row[3:])
