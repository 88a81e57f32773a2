"""Variants of syncs that somebody made: a model once more, with records and a checkpoint of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Final

from runner.store.database import Database, load_queries
from runner.store.state import States

#: what goes with a variant's stream, in this order
_BELONGINGS: Final = ("delete_seen", "delete_full_reads", "delete_records", "delete_stream")


class Variants:
    """The variants of a store, by connection and by the name of the sync's definition."""

    def __init__(self, database: Database, states: States, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._states = states
        self._sql = load_queries("variants")
        self._clock = clock

    def make(self, integration: str, connection: str, sync: str, variant: str) -> int | None:
        """Keeps a variant and gives its number; None where there is one of that name."""
        key = _key(integration, connection, sync) | {"variant": variant}
        with self._database.atomic(durable=True):
            if not self._database.run(self._sql["make"], {**key, "now": self._clock()}):
                return None
            return int(self._database.rows(self._sql["get"], key)[0]["number"])

    def of(self, integration: str, connection: str, sync: str) -> list[str]:
        """The names of a sync's variants, the oldest first."""
        rows = self._database.rows(self._sql["list"], _key(integration, connection, sync))
        return [str(row["variant"]) for row in rows]

    def remove(self, integration: str, connection: str, sync: str, variant: str) -> bool:
        """Forgets a variant, its checkpoints and its records; False where there is none.

        What another sync stores of the same model, in a variant of the same name, stays.
        """
        key, ending = _key(integration, connection, sync), f"::{variant}"
        with self._database.atomic(durable=True):
            if not self._database.run(self._sql["remove"], {**key, "variant": variant}):
                return False
            names = [name for name in self._states.names(**key) if name.endswith(ending)]
            given = {**key, "variant": variant, "ending": ending, "syncs": json.dumps(names)}
            for row in self._database.rows(self._sql["models"], given):
                for query in _BELONGINGS:
                    self._database.run(self._sql[query], {**given, "model": row["model"]})
            for query in ("delete_state", "delete_parents"):
                self._database.run(self._sql[query], given)
        return True


def _key(integration: str, connection: str, sync: str) -> dict[str, str]:
    return {"integration": integration, "connection": connection, "sync": sync}
