"""An inventory: what a source lists, held against what is stored of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from runner.store.database import Database, load_queries

_BATCH = 5_000


class Listed(NamedTuple):
    """A record as the source lists it."""

    id: str
    #: the stored field that tells how new it is, as it would be stored; None where there is no such field
    stamp: str | None = None
    #: whether it changed after the last run, so that the next one will read it
    pending: bool = False
    deleted: bool = False
    #: the key of its parent, where it is listed parent by parent
    parent: str | None = None


class Counts(NamedTuple):
    """How many records there are: at the source, in the store, and changed since the last run."""

    listed: int
    stored: int
    pending: int


class Inventory:
    """What a source lists of one stream; it is forgotten with the process.

    Args:
        stream: the stream's number; None where nothing is stored of it.
        field: the field that tells how new a record is, where there is one.
    """

    def __init__(self, database: Database, stream: int | None, field: str | None) -> None:
        self._database = database
        self._sql = load_queries("audit")
        self._given: dict[str, object] = {"stream": stream, "path": f'$."{field}"', "limit": _BATCH}
        self._database.run(self._sql["begin"])
        self._database.run(self._sql["clear"])

    def add(self, records: Iterable[Listed]) -> None:
        self._database.run_many(self._sql["add"], records)

    def counts(self) -> Counts:
        return Counts(*self._database.rows(self._sql["counts"], self._given)[0])

    def missing(self) -> Iterator[list[str]]:
        """Keys that the source lists and the store lacks, in order, some at a time."""
        return self._differing("missing")

    def extra(self) -> Iterator[list[str]]:
        """Keys that are stored and that the source does not list."""
        return self._differing("extra")

    def stale(self) -> Iterator[list[str]]:
        """Keys of which another state is stored than the source lists."""
        return self._differing("stale")

    def _differing(self, query: str) -> Iterator[list[str]]:
        after = ""
        while rows := self._database.rows(self._sql[query], {**self._given, "after": after}):
            ids = [str(row["id"]) for row in rows]
            yield ids
            after = ids[-1]

    def why_missing(self, bad: Iterable[str]) -> dict[str, int]:
        """How many of the missing are stored as `deleted`, are ``bad`` ones, or neither: `unread`."""
        return self._why("why_missing", bad=json.dumps(list(bad)))

    def why_extra(self) -> dict[str, int]:
        """How many of what is too much the source tells as `deleted`, and how many it knows not: `gone`."""
        return self._why("why_extra")

    def why_stale(self) -> dict[str, int]:
        """How many of the stale are `older` or `newer` than at the source, or lack the time: `untold`."""
        return self._why("why_stale")

    def _why(self, query: str, **more: object) -> dict[str, int]:
        rows = self._database.rows(self._sql[query], {**self._given, **more})
        return {str(row["why"]): int(row["number"]) for row in rows}

    def by_parent(self, ids: Iterable[str]) -> dict[str, list[str]]:
        """Listed keys by the parent that gave them."""
        found: dict[str, list[str]] = {}
        for row in self._database.rows(self._sql["parents"], {"ids": json.dumps(list(ids))}):
            found.setdefault(str(row["parent"]), []).append(str(row["id"]))
        return found

    def close(self) -> None:
        self._database.run(self._sql["clear"])


def stamp_of(value: object) -> str | None:
    """A stored value as SQLite's `json_extract` gives it, as text."""
    return value if isinstance(value, str) or value is None else json.dumps(value)
