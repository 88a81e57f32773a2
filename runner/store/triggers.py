"""Triggers: how far each has come, and whether it is paused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from runner.store.database import Database, load_queries


class TriggerKey(NamedTuple):
    """What starts a sync or a workflow for one connection."""

    #: of the sync or workflow
    name: str
    #: sync (its schedule), schedule or records (a workflow's)
    kind: str
    integration: str
    connection: str


class TriggerState(NamedTuple):
    """How far a trigger has come."""

    #: of a schedule the time that was last due, in seconds since 1970; of records the last change's cursor
    reached: float
    paused: bool


class Triggers:
    """The triggers of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries("triggers")

    def all(self) -> dict[TriggerKey, TriggerState]:
        return {
            TriggerKey(row["name"], row["kind"], row["integration"], row["connection"]): TriggerState(
                row["reached"], bool(row["paused"])
            )
            for row in self._database.rows(self._sql["all"])
        }

    def begin(self, fresh: Iterable[tuple[TriggerKey, float]]) -> None:
        """Notes where triggers begin; those that have begun stay where they are."""
        with self._database.atomic():
            for key, reached in fresh:
                self._database.run(self._sql["ensure"], {**key._asdict(), "reached": reached})

    def move(self, key: TriggerKey, before: float, reached: float) -> bool:
        """Notes how far one has come; False where somebody else was first, or has paused it.

        Call it in the transaction in which what it starts is kept.
        """
        given = {**key._asdict(), "before": before, "reached": reached}
        return self._database.run(self._sql["move"], given) > 0

    def pause(self, key: TriggerKey) -> bool:
        """Keeps it from starting anything; False where it is paused already."""
        return self._database.run(self._sql["pause"], key._asdict()) > 0

    def resume(self, key: TriggerKey, reached: float | None = None) -> bool:
        """Lets it start again, from ``reached`` where that is given; False where it is not paused."""
        return self._database.run(self._sql["resume"], {**key._asdict(), "reached": reached}) > 0

    def batches_under_way(self, *, deaths: int) -> dict[tuple[str, str, str], int]:
        """Name, integration and connection → how many runs of changed records have not ended.

        Args:
            deaths: how often a run may lose its process before nobody takes it up by itself.
        """
        rows = self._database.rows(self._sql["under_way"], {"deaths": deaths})
        return {(row["name"], row["integration"], row["connection"]): int(row["number"]) for row in rows}
