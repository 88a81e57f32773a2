"""Parents: what a sync with `foreach` fetches for, each with how far it was read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from runner.store.database import Database, load_queries
from runner.store.state import SyncKey

#: what is known of a parent: it was begun and is not read whole yet, it was read whole, it is gone
BEGUN: Final = 0
WHOLE: Final = 1
GONE: Final = 2

_BATCH = 5_000


class Parent(msgspec.Struct, frozen=True, kw_only=True):
    """One parent of a sync, as it was read last."""

    #: one of BEGUN, WHOLE and GONE
    state: int
    #: the highest cursor that is stored of it
    checkpoint: str | int | float | None = None


class Parents:
    """The parents of a store's syncs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries("parents")

    def put(self, sync: SyncKey, parents: Mapping[str, Parent]) -> None:
        """Keeps parents by their keys."""
        place = msgspec.structs.astuple(sync)
        rows = [
            (*place, key, None if one.checkpoint is None else json.dumps(one.checkpoint), one.state)
            for key, one in parents.items()
        ]
        self._database.run_many(self._sql["put"], rows)

    def between(self, sync: SyncKey, after: str, upto: str | None) -> dict[str, Parent]:
        """Those with keys behind ``after``, up to and with ``upto``; None for no end."""
        return self._found("between", sync, {"after": after, "upto": upto})

    def named(self, sync: SyncKey, keys: Iterable[str]) -> dict[str, Parent]:
        return self._found("named", sync, {"keys": json.dumps(list(keys))})

    def _found(self, query: str, sync: SyncKey, given: Mapping[str, object]) -> dict[str, Parent]:
        rows = self._database.rows(self._sql[query], {**msgspec.structs.asdict(sync), **given})
        return {row["key"]: _parent(row) for row in rows}

    def reset(self, sync: SyncKey) -> None:
        """Forgets how far each was read, but not that it was there."""
        self._run("reset", sync)

    def clear(self, sync: SyncKey) -> None:
        """Forgets all of them."""
        self._run("clear", sync)

    def children_of_gone(self, sync: SyncKey, stream: int | None, field: str) -> Iterator[list[str]]:
        """Keys of a stream's records whose parent is gone, some at a time.

        Args:
            field: the field of a record that holds its parent's key.
        """
        given = {**msgspec.structs.asdict(sync), "stream": stream, "path": f'$."{field}"', "limit": _BATCH}
        after = ""
        while rows := self._database.rows(self._sql["children_of_gone"], {**given, "after": after}):
            ids = [str(row["id"]) for row in rows]
            yield ids
            after = ids[-1]

    def forget_gone(self, sync: SyncKey) -> None:
        self._run("forget_gone", sync)

    def _run(self, query: str, sync: SyncKey) -> None:
        self._database.run(self._sql[query], msgspec.structs.asdict(sync))


def _parent(row: sqlite3.Row) -> Parent:
    checkpoint = json.loads(row["checkpoint"]) if row["checkpoint"] else None
    return Parent(state=row["state"], checkpoint=checkpoint)
