"""Records: what was synced, each change numbered: a reader with a cursor misses and repeats nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import xxhash

from runner.errors import RecordError, StoreError
from runner.store.database import Database, load_queries

#: the variant of what has none
BASE: Final = "base"
STATES: Final = ("added", "updated", "deleted")
_DELETED = 2
_BATCH = 5_000

_Row = tuple[object, ...]
#: what is stored of a key: the row's number, the payload's hash, the state
_Known = tuple[int, bytes, int]


class Changes(NamedTuple):
    """How many records a write added, updated and left as they were."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0

    def plus(self, other: Changes) -> Changes:
        """Both together."""
        return Changes(*map(sum, zip(self, other, strict=True)))


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


class StreamKey(NamedTuple):
    """Which records belong together, and are numbered together."""

    integration: str
    connection: str
    model: str
    #: of a sync that is read several times, whose records these are
    variant: str = BASE


class Records:
    """The records of a store, by stream: one model of one connection, in one variant."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries("records")

    def stream(self, integration: str, connection: str, model: str, variant: str = BASE) -> Stream:
        """The stream; asking for one, or reading it, leaves no trace before something is written."""
        key = StreamKey(integration, connection, model, variant)
        return Stream(self._database, self._sql, key._asdict())

    def streams(self, integration: str | None = None, connection: str | None = None) -> list[StreamKey]:
        """Every stream; of a model's variants the base comes first."""
        rows = self._database.rows(
            self._sql["list_streams"], {"integration": integration, "connection": connection}
        )
        return [StreamKey(*row) for row in rows]

    def cursors(self) -> dict[StreamKey, int]:
        """How many changes there were of each stream."""
        rows = self._database.rows(self._sql["cursors"])
        return {StreamKey(*row[:4]): int(row["cursor"]) for row in rows}


class Stream:
    """One model of one connection, in one variant."""

    def __init__(self, database: Database, sql: Mapping[str, str], key: Mapping[str, str]) -> None:
        self._database = database
        self._sql = sql
        self._key = key

    def number(self) -> int | None:
        """The stream's number; None where nothing was stored yet.

        Never kept: a transaction that is undone takes a new stream's number with it.
        """
        row = self._database.row(self._sql["get_stream"], self._key)
        return None if row is None else int(row["number"])

    def _made(self) -> int:
        number = self.number()
        if number is None:
            self._database.run(self._sql["make_stream"], self._key)
            return int(self._database.rows(self._sql["get_stream"], self._key)[0]["number"])
        return number

    def write(self, rows: Iterable[tuple[str, bytes]], now: float, *, seen_by: str | None = None) -> Changes:
        """Stores a page.

        Args:
            rows: primary key and payload (canonical JSON); of two with one key the last counts.
            now: the time of the change, in seconds since 1970.
            seen_by: the sync whose full read is under way and must know what it saw.

        Raises:
            RecordError: a key has a NUL in it.
        """
        page = dict(rows)
        if not page:
            return Changes()
        ids = _ids(page)
        with self._database.atomic():
            number = self._made()
            cursor = self._cursor(number)
            fresh, changed, added = self._compared(page, self._known(number, ids), number, cursor, now)
            if fresh:
                self._database.insert_many(self._sql["insert"], fresh)
            if changed:
                self._database.run_many(self._sql["update"], changed)
            self._advance(number, cursor, len(fresh) + len(changed))
            if seen_by is not None:
                self._database.run(self._sql["see"], (self._full_read(number, seen_by), number, ids))
        return Changes(len(fresh) + added, len(changed) - added, len(page) - len(fresh) - len(changed))

    def preview(self, rows: Iterable[tuple[str, bytes]]) -> dict[str, str]:
        """What `write` would make of each key: added, updated or unchanged; writes nothing."""
        page = dict(rows)
        number = self.number()
        known = {} if number is None or not page else self._known(number, _ids(page))
        return {id: _change(known.get(id), payload) for id, payload in page.items()}

    def preview_delete(self, ids: Iterable[str]) -> list[str]:
        """Which keys `delete` would mark; writes nothing."""
        number = self.number()
        known = {} if number is None else self._known(number, _ids(ids))
        return [id for id, (_, _, state) in known.items() if state != _DELETED]

    def _compared(
        self, page: Mapping[str, bytes], known: Mapping[str, _Known],
        number: int, cursor: int, now: float,
    ) -> tuple[list[_Row], list[_Row], int]:  # fmt: skip
        """What to insert, what to change, and how many of the latter come back from deletion."""
        fresh: list[_Row] = []
        changed: list[_Row] = []
        added = 0
        for id, payload in page.items():
            digest = xxhash.xxh3_128_digest(payload)
            before = known.get(id)
            if before is None:
                cursor += 1
                fresh.append((number, id, digest, payload, cursor, now, now))
            elif before[1] != digest or before[2] == _DELETED:
                cursor += 1
                back = before[2] == _DELETED
                added += back
                changed.append((digest, payload, 0 if back else 1, cursor, now, before[0]))
        return fresh, changed, added

    def _known(self, number: int, ids: str) -> dict[str, _Known]:
        rows = self._database.rows(self._sql["known"], (number, ids))
        return {id: (record, digest, state) for id, record, digest, state in rows}

    def _cursor(self, number: int) -> int:
        found = self._database.rows(self._sql["get_cursor"], {"stream": number})[0]["cursor"]
        return int(found)

    def _advance(self, number: int, cursor: int, changes: int) -> None:
        if changes:
            self._database.run(self._sql["set_cursor"], {"stream": number, "cursor": cursor + changes})

    def delete(self, ids: Iterable[str], now: float) -> int:
        """Marks records as deleted; those that are not there, or are deleted already, do not count."""
        wanted = _ids(ids)
        with self._database.atomic():
            number = self.number()
            if number is None or wanted == "[]":
                return 0
            there = [record for record, _, state in self._known(number, wanted).values() if state != _DELETED]
            self._mark(number, there, now)
        return len(there)

    def _mark(self, number: int, records: Sequence[int], now: float) -> None:
        cursor = self._cursor(number)
        rows = [(place, now, now, record) for place, record in enumerate(records, cursor + 1)]
        self._database.run_many(self._sql["delete"], rows)
        self._advance(number, cursor, len(rows))

    def see(self, ids: Iterable[str], sync: str) -> None:
        """Notes for a sync's full read that records are there, without writing them."""
        wanted = _ids(ids)
        with self._database.atomic():
            number = self.number()
            if number is not None and wanted != "[]":
                self._database.run(self._sql["see"], (self._full_read(number, sync), number, wanted))

    def begin_full(self, sync: str) -> None:
        """Begins a sync's full read: from here on `write(…, seen_by=sync)` notes what is there.

        What is noted outlives the process, so that a read that was cut short goes on where it was; and it is
        the sync's own, so that another one's full read takes nothing from it.
        """
        with self._database.atomic():
            number = self._made()
            self._end_full(number, sync)
            self._database.run(self._sql["begin_full"], {"stream": number, "sync": sync})

    def delete_unseen(self, sync: str, now: float) -> int:
        """Ends a sync's full read: what it did not see is deleted; gives how many.

        What somebody else wrote or changed since the read began stays: the read may have passed its place
        before it was there.
        """
        total = after = 0
        with self._database.atomic():
            number = self._made()
            read = self._full_read(number, sync)
            while rows := self._unseen(number, read, after):
                self._mark(number, [row["number"] for row in rows], now)
                total += len(rows)
                after = rows[-1]["cursor"]
            self._end_full(number, sync)
        return total

    def _end_full(self, number: int, sync: str) -> None:
        for query in ("forget_seen", "end_full"):
            self._database.run(self._sql[query], {"stream": number, "sync": sync})

    def _full_read(self, number: int, sync: str) -> int:
        found = self._database.row(self._sql["get_full"], {"stream": number, "sync": sync})
        if found is None:
            raise StoreError(
                f"the full read of `{sync}` is gone: its connection was deleted meanwhile",
                hint="run it again",
            )
        return int(found["number"])

    def _unseen(self, number: int, read: int, after: int) -> list[sqlite3.Row]:
        given = {"stream": number, "read": read, "after": after, "limit": _BATCH}
        return self._database.rows(self._sql["unseen"], given)

    def empty(self) -> None:
        """Forgets every record, for a read from the beginning; cursors go on where they were."""
        with self._database.atomic():
            number = self.number()
            if number is not None:
                for query in ("forget_all_seen", "empty"):
                    self._database.run(self._sql[query], {"stream": number})

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
        given = {"stream": self.number(), "after": after, "limit": limit, "states": wanted, "since": since}
        query = "read" if ids is None else "read_ids"
        if ids is not None:
            given["ids"] = json.dumps([id for id in ids if "\0" not in id])
        return [_record(row) for row in self._database.rows(self._sql[query], given)]

    def all(self, *, after: int = 0, states: Iterable[str] | None = None) -> Iterator[Record]:
        """Every record, read in pages, in the order of their last change."""
        wanted = None if states is None else list(states)
        while page := self.read(after=after, limit=_BATCH, states=wanted):
            yield from page
            after = page[-1].cursor

    def by_key(self, after: str, limit: int) -> list[tuple[str, bytes]]:
        """Keys and payloads of those that are not deleted, behind ``after`` in the order of their keys.

        The payload of one that was pruned is empty.
        """
        given = {"stream": self.number(), "after": after, "limit": limit}
        return [(row["id"], row["payload"]) for row in self._database.rows(self._sql["by_key"], given)]

    def newest(self) -> int:
        """A number that every record has or stays below, and no later one; see `between`."""
        return int(self._database.rows(self._sql["newest"])[0]["number"])

    def between(self, *, after: str, to: str | None, until: int, limit: int) -> list[Record]:
        """Records in the order of their keys.

        Args:
            after: the key behind which they lie; the empty text for the first.
            to: the last key that counts; None for all.
            until: leaves out those that came later, as `newest` told.
            limit: how many at most.
        """
        given = {"stream": self.number(), "after": after, "to": to, "until": until, "limit": limit}
        return [_record(row) for row in self._database.rows(self._sql["between"], given)]

    def count(self) -> dict[str, int]:
        """How many records there are in each state."""
        rows = self._database.rows(self._sql["count"], {"stream": self.number()})
        return {
            name: sum(row["number"] for row in rows if row["state"] == n) for n, name in enumerate(STATES)
        }


def _change(before: _Known | None, payload: bytes) -> str:
    if before is None or before[2] == _DELETED:
        return "added"
    return "unchanged" if before[1] == xxhash.xxh3_128_digest(payload) else "updated"


def _ids(ids: Iterable[str]) -> str:
    """Keys as a JSON list, each once."""
    each = list(dict.fromkeys(ids))
    listed = msgspec.json.encode(each).decode()
    if "\\u0000" in listed:
        for id in each:
            if "\0" in id:
                raise RecordError(f"the key {id!r} has a NUL in it, which no store can look up")
    return listed


def _record(row: sqlite3.Row) -> Record:
    return Record(row[0], row[1], STATES[row[2]], *row[3:])
