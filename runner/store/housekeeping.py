"""Housekeeping: deliveries that are worked through and runs that have ended are forgotten after a time.

What waits, has failed or goes on is kept, and so is the newest run of each sync and workflow.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping

import msgspec

from runner.definitions.conversions import duration
from runner.errors import UsageError
from runner.store.database import Database, load_queries

DAY = 86_400.0
#: seconds between two turns, whoever takes them
_EVERY = 3_600.0
#: rows in one transaction: a webhook may be large, and a run has many lines in its log
_DELIVERIES = 100
_RUNS = 50
_FOREVER = "forever"


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """How long things are kept after their end, in seconds; None for ever."""

    deliveries: float | None = 30 * DAY
    runs: float | None = 90 * DAY


def keep_of(environ: Mapping[str, str]) -> Keep:
    """What `TERAPI_KEEP_DELIVERIES` and `TERAPI_KEEP_RUNS` say: `30d`, or `forever`.

    Raises:
        UsageError: one is no duration.
    """
    given = {name: environ.get(f"TERAPI_KEEP_{name.upper()}", "").strip() for name in Keep.__struct_fields__}
    return Keep(**{name: _seconds(name, text) for name, text in given.items() if text})


def _seconds(name: str, text: str) -> float | None:
    if text.lower() == _FOREVER:
        return None
    try:
        return duration(text)
    except ValueError as exc:
        message = f"TERAPI_KEEP_{name.upper()}: {exc}"
        raise UsageError(message, hint=f"write a duration such as 30d, or {_FOREVER}") from exc


class Housekeeping:
    """Forgets what is old, a few rows a transaction."""

    def __init__(self, database: Database, keep: Keep, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._sql = load_queries("housekeeping")
        self._keep = keep
        self._clock = clock
        self._asked: float | None = None

    def run(self) -> None:
        """Forgets all that is old, where nobody did so within the hour."""
        if self.take_turn():
            while self.step():
                pass

    def take_turn(self) -> bool:
        """Whether it is time: once an hour, whichever process asks first."""
        now = self._clock()
        if self._asked is not None and now - _EVERY < self._asked <= now:
            return False
        self._asked = now
        given = {"now": now, "every": _EVERY}
        return self._database.run(self._sql["take_turn"], given) > 0

    def step(self) -> bool:
        """Forgets some of what is old; whether there may be more."""
        return self._drop_deliveries() or self._drop_runs()

    def _drop_deliveries(self) -> bool:
        if self._keep.deliveries is None:
            return False
        given = {"before": self._clock() - self._keep.deliveries, "limit": _DELIVERIES}
        return self._database.run(self._sql["drop_deliveries"], given) == _DELIVERIES

    def _drop_runs(self) -> bool:
        if self._keep.runs is None:
            return False
        with self._database.atomic():
            given = {"before": self._clock() - self._keep.runs, "limit": _RUNS}
            old = [row["id"] for row in self._database.rows(self._sql["old_runs"], given)]
            rows = self._database.rows(self._sql["with_children"], {"ids": json.dumps(old)})
            ids = json.dumps([row["id"] for row in rows])
            for what in ("events", "steps", "signals", "runs"):
                self._database.run(self._sql[f"drop_{what}"], {"ids": ids})
        return len(old) == _RUNS
