"""Syncs that somebody asked for: kept until they have run, whatever becomes of the process."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable

import msgspec

from runner.store.database import Database, load_queries

#: what is read: what changed, everything, or everything after the stored records are forgotten
MODES = ("changed", "full", "empty")


class SyncRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One sync of one connection that is to run."""

    integration: str
    connection: str
    sync: str
    #: one of MODES
    mode: str = "changed"
    #: in seconds since 1970
    asked_at: float = 0.0

    @property
    def group(self) -> str:
        """What runs one after the other: everything of one connection."""
        return f"{self.integration}/{self.connection}"


class SyncRequests:
    """The syncs that are to run."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._sql = load_queries("sync_requests")
        self._clock = clock

    def ask(self, requests: Iterable[SyncRequest]) -> None:
        """Keeps requests, all or none; they are on the disk when this returns.

        Of several for one sync that waits, the one that reads most counts. Where it is under way another run
        follows, since it may have passed the place of what changed meanwhile.
        """
        with self._database.atomic(durable=True):
            for request in requests:
                given = {**_key(request), "mode": MODES.index(request.mode), "now": self._clock()}
                self._database.run(self._sql["ask"], given)

    def begin(self, busy: Iterable[str] = ()) -> SyncRequest | None:
        """The oldest of a group that is not ``busy``, noted as begun; None where there is none.

        One that was begun and never finished, since its process was killed, comes again.
        """
        with self._database.atomic():
            row = self._database.row(self._sql["due"], {"busy": json.dumps(list(busy))})
            if row is None:
                return None
            request = _request(row)
            if not row["begun"]:
                self._database.run(self._sql["begin"], _key(request))
        return request

    def finish(self, request: SyncRequest) -> None:
        self._database.run(self._sql["finish"], _key(request))

    def all(self) -> list[SyncRequest]:
        """The oldest first."""
        return [_request(row) for row in self._database.rows(self._sql["list"])]


def _key(request: SyncRequest) -> dict[str, object]:
    return {name: getattr(request, name) for name in ("integration", "connection", "sync")}


def _request(row: sqlite3.Row) -> SyncRequest:
    place = {name: row[name] for name in ("integration", "connection", "sync", "asked_at")}
    return SyncRequest(**place, mode=MODES[row["mode"]])
