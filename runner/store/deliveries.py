"""The deliveries of webhooks, each kept once and worked through until it is done or parked."""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Mapping

import msgspec

from runner.store.database import Database, load_queries

#: what a note begins with that tells of a run which was begun, not of a part that is done
BEGUN = "begun "


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook as it arrived; times are in seconds since 1970."""

    id: str
    integration: str
    #: the id that its sender gave it
    external_id: str | None
    #: the connection and the event, where it has one alone
    connection: str | None
    event: str | None
    query: Mapping[str, str] = {}
    #: by their names in small letters
    headers: Mapping[str, str]
    body: bytes
    #: received, done, failed or unmatched
    status: str
    error: str | None
    #: how often it was worked through
    attempts: int
    #: keys of what is done of it, which is not done again, and runs that were begun for it
    progress: tuple[str, ...] = ()
    received_at: float
    #: when it may be tried again; None for at once
    due_at: float | None = None
    finished_at: float | None

    @property
    def group(self) -> str:
        """What is worked through one after the other: the deliveries of one connection."""
        return f"{self.integration}/{self.connection or ''}"


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that is about to be kept; see `Delivery`."""

    integration: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str] = {}
    external_id: str | None = None
    connection: str | None = None
    event: str | None = None


class Deliveries:
    """The webhooks of a store."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._sql = load_queries("deliveries")
        self._clock = clock

    def add(self, arrival: Arrival) -> tuple[Delivery, bool]:
        """Keeps a delivery; gives it, and whether it is new rather than one that came before.

        It is on the disk when this returns, so that it may be acknowledged.
        """
        given = {
            **msgspec.structs.asdict(arrival),
            "headers": json.dumps(dict(arrival.headers)),
            "query": json.dumps(dict(arrival.query)),
            "id": uuid.uuid4().hex,
            "now": self._clock(),
        }
        with self._database.atomic(durable=True):
            fresh = self._database.run(self._sql["add_delivery"], given) > 0
            query = "get_delivery" if fresh else "get_delivery_by_external_id"
            row = self._database.rows(self._sql[query], given)[0]
        return _delivery(row), fresh

    def get(self, id: str) -> Delivery | None:
        row = self._database.row(self._sql["get_delivery"], {"id": id})
        return _delivery(row) if row else None

    def beginning_with(self, prefix: str) -> list[Delivery]:
        """The deliveries whose id begins so; two at most, which is one too many."""
        rows = self._database.rows(self._sql["deliveries_beginning_with"], {"prefix": prefix})
        return [_delivery(row) for row in rows]

    def newest(self, *, status: str | None = None, limit: int = 50, offset: int = 0) -> list[Delivery]:
        """The newest first."""
        given = {"status": status, "limit": limit, "offset": offset}
        return [_delivery(row) for row in self._database.rows(self._sql["list_deliveries"], given)]

    def due(self, busy: Iterable[str] = ()) -> Delivery | None:
        """The oldest that waits and whose time has come, of none of the groups that are ``busy``."""
        given = {"now": self._clock(), "busy": json.dumps(list(busy))}
        row = self._database.row(self._sql["due_delivery"], given)
        return _delivery(row) if row else None

    def next_due(self) -> float | None:
        """When the next one's time comes; None where none waits."""
        found: float | None = self._database.rows(self._sql["next_due"])[0]["due_at"]
        return found

    def note(self, delivery: Delivery, what: str) -> None:
        """Notes a part of it as done or begun; it is on the disk when this returns."""
        with self._database.atomic(durable=True):
            self._database.run(self._sql["note_delivery"], {"id": delivery.id, "what": what})

    def postpone(self, delivery: Delivery, due_at: float, error: str) -> None:
        """Lets it wait for another try, since this one failed."""
        self._database.run(
            self._sql["postpone_delivery"], {"id": delivery.id, "due_at": due_at, "error": error}
        )

    def finish(self, delivery: Delivery, status: str, error: str | None = None) -> None:
        given = {"id": delivery.id, "status": status, "error": error, "now": self._clock()}
        self._database.run(self._sql["finish_delivery"], given)

    def replay(self, delivery: Delivery) -> bool:
        """Lets it wait to be worked through once more; False where it waits already.

        Of one that failed only what is not done; of any other everything.
        """
        given = {"id": delivery.id, "begun": f"{BEGUN}%"}
        return self._database.run(self._sql["replay_delivery"], given) > 0


def _delivery(row: sqlite3.Row) -> Delivery:
    values = dict(row)
    for name in ("headers", "query", "progress"):
        values[name] = json.loads(values[name])
    return Delivery(**{**values, "progress": tuple(values["progress"])})
