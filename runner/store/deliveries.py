"""The deliveries of webhooks, each kept once."""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Callable, Mapping
from typing import cast

import msgspec

from runner.store.database import Database, load_queries


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook as it arrived."""

    id: str
    integration: str
    external_id: str | None
    connection: str | None
    event: str | None
    headers: Mapping[str, str]
    body: bytes
    #: received, done, failed or unmatched
    status: str
    error: str | None
    attempts: int
    received_at: float
    finished_at: float | None
    #: until when whoever claimed it has it to himself
    claimed_until: float | None = None


class Deliveries:
    """The webhooks of a store, each kept once."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._sql = load_queries("deliveries")
        self._clock = clock

    def add(
        self, integration: str, *, headers: Mapping[str, str], body: bytes,
        external_id: str | None = None, connection: str | None = None, event: str | None = None,
    ) -> tuple[Delivery, bool]:  # fmt: skip
        """Keeps a delivery; gives it, and whether it is new rather than one that came before.

        It is on the disk when this returns, so that it may be acknowledged.
        """
        given: dict[str, object] = {
            "id": uuid.uuid4().hex, "integration": integration, "external_id": external_id, "event": event,
            "connection": connection, "headers": json.dumps(dict(headers)), "body": body,
        }  # fmt: skip
        given["now"] = self._clock()
        with self._database.atomic(durable=True):
            fresh = self._database.run(self._sql["add_delivery"], given) > 0
            query = "get_delivery" if fresh else "get_delivery_by_external_id"
            row = self._database.rows(self._sql[query], given)[0]
        return _delivery(row), fresh

    def get(self, id: str) -> Delivery | None:
        row = self._database.row(self._sql["get_delivery"], {"id": id})
        return _delivery(row) if row else None

    def newest(self, *, status: str | None = None, limit: int = 50) -> list[Delivery]:
        """The newest first."""
        rows = self._database.rows(self._sql["list_deliveries"], {"status": status, "limit": limit})
        return [_delivery(row) for row in rows]

    def waiting(self, limit: int = 100) -> list[Delivery]:
        """Those that were stored and not yet worked through, the oldest first."""
        return [
            _delivery(row) for row in self._database.rows(self._sql["waiting_deliveries"], {"limit": limit})
        ]

    def claim(self, *, lease: float = 300.0) -> Delivery | None:
        """The oldest that waits, for the caller alone; None where none does.

        Args:
            lease: seconds after which it waits again, should its claimant have died without `finish`.
        """
        now = self._clock()
        with self._database.atomic():
            row = self._database.row(self._sql["claimable_delivery"], {"now": now})
            if row is None:
                return None
            self._database.run(self._sql["claim_delivery"], {"id": row["id"], "until": now + lease})
        return msgspec.structs.replace(_delivery(row), claimed_until=now + lease)

    def replay(self, delivery: Delivery) -> None:
        """Lets it wait to be worked through once more."""
        self._database.run(self._sql["replay_delivery"], {"id": delivery.id})

    def finish(
        self, delivery: Delivery, status: str, *, error: str | None = None, connection: str | None = None
    ) -> None:
        given = {"id": delivery.id, "status": status, "error": error, "connection": connection}
        self._database.run(self._sql["finish_delivery"], {**given, "now": self._clock()})


def _delivery(row: sqlite3.Row) -> Delivery:
    values = dict(row)
    values["headers"] = cast(dict[str, str], json.loads(values["headers"]))
    return Delivery(**values)
