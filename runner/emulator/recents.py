"""What each user looked at last, and what led there."""

from __future__ import annotations

from collections.abc import Iterable

from runner.emulator import ids
from runner.emulator.clock import Clock
from runner.emulator.database import Database, Row, quote
from runner.emulator.schema import ObjectType

#: what is remembered of each user
REMEMBERED = 200
#: FOR VIEW, FOR REFERENCE → the column that they set
_COLUMNS = {"VIEW": "LastViewedDate", "REFERENCE": "LastReferencedDate"}


class Recents:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def mark(
        self, item: ObjectType, numbers: Iterable[int], user_id: str, purposes: Iterable[str] = ("VIEW",)
    ) -> None:
        """Notes that a user viewed these records, or was led to them."""
        for purpose in _COLUMNS.keys() & set(purposes):
            self._mark(item, list(numbers)[-REMEMBERED:], user_id, _COLUMNS[purpose])

    def listed(self, user_id: str, limit: int, object_name: str | None = None) -> list[Row]:
        """Object and id of each record, the latest first."""
        only = "" if object_name is None else " AND object = :object"
        return self._database.rows(
            f"SELECT object, record_id FROM _recents WHERE user_id = :user{only}"  # noqa: S608
            " ORDER BY seen DESC LIMIT :limit",
            {"user": user_id, "object": object_name, "limit": limit},
        )

    def _mark(self, item: ObjectType, numbers: list[int], user_id: str, column: str) -> None:
        with self._database.atomic():
            if item.field(column):
                self._database.run_many(
                    f"UPDATE {quote(item.name)} SET {column} = ? WHERE n = ?",  # noqa: S608
                    [(self._clock.stamp(), number) for number in numbers],
                )
            self._database.run_many(
                "INSERT OR REPLACE INTO _recents (user_id, object, record_id, seen)"
                " VALUES (?, ?, ?, (SELECT ifnull(max(seen), 0) + 1 FROM _recents))",
                [(user_id, item.name, ids.make(item.prefix, number)) for number in numbers],
            )
            self._database.run(
                "DELETE FROM _recents WHERE user_id = ? AND seen <="
                " (SELECT seen FROM _recents WHERE user_id = ? ORDER BY seen DESC LIMIT 1 OFFSET ?)",
                (user_id, user_id, REMEMBERED),
            )
