"""How far each sync has come: its checkpoint, and the progress of a run that was cut short."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping

import msgspec

from runner.store.database import Database, load_queries


class SyncKey(msgspec.Struct, frozen=True, kw_only=True):
    """One sync's model on one connection."""

    integration: str
    connection: str
    sync: str
    model: str


class SyncState(msgspec.Struct, frozen=True, kw_only=True):
    """How far it has come."""

    #: the highest cursor that is stored
    checkpoint: str | int | float | None = None
    #: when the last finished run began, by the server's clock, in seconds since 1970
    last_run: float | None = None
    #: where the run under way stands; None between runs
    progress: Mapping[str, object] | None = None
    #: of the definition that stored what is there
    digest: str = ""


class States:
    """The state of the syncs of a store."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._sql = load_queries("state")
        self._clock = clock

    def get(self, key: SyncKey) -> SyncState:
        """The state; a blank one where the sync never ran."""
        row = self._database.row(self._sql["get"], msgspec.structs.asdict(key))
        if row is None:
            return SyncState()
        return SyncState(
            checkpoint=json.loads(row["checkpoint"]) if row["checkpoint"] else None,
            last_run=row["last_run"],
            progress=json.loads(row["progress"]) if row["progress"] else None,
            digest=row["digest"],
        )

    def put(self, key: SyncKey, state: SyncState) -> None:
        """Keeps the state; call it inside `atomic()` together with the records that it speaks of."""
        given = {
            "checkpoint": None if state.checkpoint is None else json.dumps(state.checkpoint),
            "last_run": state.last_run,
            "progress": None if state.progress is None else json.dumps(state.progress),
            "digest": state.digest,
            "now": self._clock(),
        }
        self._database.run(self._sql["put"], {**msgspec.structs.asdict(key), **given})

    def all(self) -> list[SyncKey]:
        """Every sync that has a state, in order; those of one sync as they were kept, the last one last."""
        rows = self._database.rows(self._sql["all"])
        return [SyncKey(**{name: str(row[name]) for name in SyncKey.__struct_fields__}) for row in rows]

    def names(self, integration: str, connection: str, sync: str) -> list[str]:
        """The syncs of a definition that have a state: `contacts`, `contacts.VALUE`, `contacts::VARIANT`."""
        key = {"integration": integration, "connection": connection, "sync": sync}
        return [str(row["sync"]) for row in self._database.rows(self._sql["names"], key)]

    def syncs(self) -> list[str]:
        """The names of all syncs that have a state."""
        return [str(row["sync"]) for row in self._database.rows(self._sql["all_names"])]

    def vanish(self, integration: str, connection: str, syncs: Iterable[str]) -> list[str]:
        """Notes that there is nothing any more that these syncs could read; gives those not noted before.

        What they stored stays, and one that comes back goes on from its checkpoint.
        """
        key = {"integration": integration, "connection": connection, "syncs": json.dumps(list(syncs))}
        rows = self._database.rows(self._sql["vanish"], {**key, "now": self._clock()})
        return sorted({str(row["sync"]) for row in rows})

    def begin_anew(self, key: SyncKey, variant: str) -> None:
        """Has the other syncs that store a model, in the same variant, read everything again."""
        self._database.run(self._sql["begin_anew"], {**msgspec.structs.asdict(key), "variant": variant})

    def clear(self, key: SyncKey) -> None:
        self._database.run(self._sql["clear"], msgspec.structs.asdict(key))

    def setting(self, name: str) -> str | None:
        row = self._database.row(self._sql["get_setting"], {"name": name})
        return None if row is None else str(row["value"])

    def set_setting(self, name: str, value: str) -> None:
        self._database.run(self._sql["set_setting"], {"name": name, "value": value})

    def ensure_setting(self, name: str, value: str) -> str:
        """The setting; where there is none yet, ``value`` becomes it. Of two processes at once one wins."""
        self._database.run(self._sql["ensure_setting"], {"name": name, "value": value})
        return str(self._database.rows(self._sql["get_setting"], {"name": name})[0]["value"])
