"""Runs of syncs and workflows, with their logs; each ends as what it was, also when its process is killed."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable

from runner.store.database import Database, load_queries
from runner.store.locks import Lock
from runner.store.run import NewRun, Run, run_of
from runner.store.underway import Underway

_LOST = {
    "kind": "lost",
    "message": "its process was killed, or could not write how it ended",
    "where": None,
    "hint": "run it again; a sync goes on at the page where it was",
}
_LOST_DURABLE = {**_LOST, "hint": "it goes on after the last step that ended: terapi runs resume ID"}
_LEFT = {"kind": "cancelled", "message": "the run that called it has ended", "where": None, "hint": None}
#: statuses of runs that are under way in no process, and may be taken up
REST = ("queued", "waiting", "lost", "failed", "cancelled")


class Runs:
    """The runs of a store.

    Args:
        lock: gives the lock of a name; a run holds one for as long as it lives.
    """

    def __init__(
        self, database: Database, lock: Callable[[str], Lock], clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._sql = load_queries("runs")
        self._lock = lock
        self._clock = clock

    def begin(self, new: NewRun, status: str = "running") -> Underway:
        """A run that lasts as long as the `with` block of what this gives.

        Args:
            status: running, or queued until it is its turn.
        """
        id = new.id or uuid.uuid4().hex
        lock = self.lock(id)
        lock.acquire()  # before anybody can know of the run
        return Underway(self, self.add(new, status, id=id), lock)

    def add(self, new: NewRun, status: str = "queued", *, id: str | None = None) -> Run:
        """Keeps a run without running it; a durable one is on the disk when this returns."""
        run = Run(
            id=id or new.id or uuid.uuid4().hex, kind=new.kind, name=new.name, integration=new.integration,
            connection=new.connection, status=status, started_at=self._clock(), input=new.input,
            definition=new.definition, durable=new.durable, parent=new.parent, started_by=new.started_by,
            turns=new.turns,
        )  # fmt: skip
        wanted = (
            "id", "kind", "name", "integration", "connection", "status", "definition", "durable", "parent",
            "turns",
        )  # fmt: skip
        row: dict[str, object] = {key: getattr(run, key) for key in wanted}
        row |= {"input": json.dumps(new.input), "now": run.started_at, "events": json.dumps(list(new.events))}
        row["turn_limit"] = new.turn_limit
        row["started_by"] = None if new.started_by is None else json.dumps(dict(new.started_by))
        with self._database.atomic(durable=new.durable):
            self._database.run(self._sql["start"], row)
        return run

    def take(self, run: Run) -> Underway | None:
        """Takes up a run that rests, in this process; None where another has it, or it rests no longer."""
        lock = self.lock(run.id)
        if not lock.acquire():
            return None
        if not self._database.run(self._sql["take"], {"id": run.id, "rest": json.dumps(REST)}):
            lock.remove()
            return None
        row = self._database.rows(self._sql["get"], {"id": run.id})[0]
        return Underway(self, run_of(row), lock)

    def start_turn(self, run: Run, *, fair: bool = False) -> bool:
        """Lets a queued run begin, unless as many of those that take turns with it as may be are under way.

        Args:
            fair: whether those that were there before it come first.
        """
        self._settle()
        return self._database.run(self._sql["start_turn"], {"id": run.id, "fair": fair}) > 0

    def taking_turns(self, run: Run) -> list[Run]:
        """The others that take turns with a run and have not ended, the oldest first."""
        self._settle()
        return [run_of(row) for row in self._database.rows(self._sql["taking_turns"], {"id": run.id})]

    def having(self, turns: str) -> list[Run]:
        """The runs that have their turn of these, the oldest first."""
        self._settle()
        return [run_of(row) for row in self._database.rows(self._sql["turns_taken"], {"turns": turns})]

    def park(self, run: Run, due_at: float | None, woken: int) -> bool:
        """Lets a run wait, under way in no process; False where something has come for it meanwhile.

        Args:
            due_at: when it goes on by itself.
            woken: its `woken` when it was last looked at.
        """
        given = {"id": run.id, "due_at": due_at, "woken": woken}
        with self._database.atomic(durable=True):
            return self._database.run(self._sql["park"], given) > 0

    def requeue(self, run: Run) -> None:
        """Lets a run that is under way here be taken up by whoever comes next."""
        self._database.run(self._sql["requeue"], {"id": run.id})

    def wake(self, id: str, asked: str | None = None) -> Run:
        """Tells a run, and those that it is a step of, that something has come for it; gives the outermost.

        What waits is queued.

        Args:
            asked: what is asked of it: cancel, or undo.
        """
        with self._database.atomic(durable=True):
            if asked is not None:
                self._database.run(self._sql["ask"], {"id": id, "asked": asked})
            self._database.run(self._sql["wake"], {"id": id})
            rows = self._database.rows(self._sql["outermost"], {"id": id})
        return run_of(rows[0])

    def unask(self, run: Run) -> None:
        """Forgets what was asked of a run."""
        self._database.run(self._sql["ask"], {"id": run.id, "asked": None})

    def reopen(self, run: Run) -> None:
        """Lets a run that has failed or was cancelled go on when the run does that it is a step of."""
        self._database.run(self._sql["reopen"], {"id": run.id})

    def came_for(self, id: str) -> tuple[str | None, int]:
        """What was asked of a run, and how often something came for it."""
        row = self._database.rows(self._sql["came_for"], {"id": id})[0]
        return row["asked"], row["woken"]

    def due(self, now: float, *, deaths: int, busy: Iterable[str] = ()) -> list[Run]:
        """The workflows' runs that can be taken up, the oldest first: queued ones whose turn it is, ones that
        have waited long enough, and durable ones whose process was killed fewer than ``deaths`` times.

        Args:
            now: in seconds since 1970.
            busy: connections, `INTEGRATION/ID`, whose runs are not wanted.
        """
        self._settle()
        given = {"now": now, "deaths": deaths, "busy": json.dumps(list(busy))}
        return [run_of(row) for row in self._database.rows(self._sql["due"], given)]

    def next_due(self) -> float | None:
        """When the next waiting run goes on by itself, in seconds since 1970."""
        found = self._database.rows(self._sql["next_due"])[0]["due_at"]
        return None if found is None else float(found)

    def awaiting(self, integration: str, event: str, connection: str) -> list[Run]:
        """The runs that may wait for an event of a connection, and have not ended."""
        given = {"event": f"{integration} {event}", "connection": connection}
        return [run_of(row) for row in self._database.rows(self._sql["awaiting"], given)]

    def children(self, id: str) -> list[Run]:
        """The runs that are steps of a run, the oldest first."""
        return [run_of(row) for row in self._database.rows(self._sql["children"], {"id": id})]

    def lock(self, id: str) -> Lock:
        """The lock that a run's process holds."""
        return self._lock(f"run:{id}")

    def finish(
        self, run: Run, status: str, *, output: object = None, error: object = None, steps: object = None
    ) -> None:
        """Writes how a run ended, unless that is written already; what it has called, and rests, ends too."""
        given = {"output": output, "error": error, "steps": steps}
        row = {key: json.dumps(value, default=str) for key, value in given.items()}
        place = {"id": run.id, "now": self._clock()}
        with self._database.atomic():
            self._database.run(self._sql["finish"], {**row, **place, "status": status})
            self._database.run(self._sql["close_below"], {**place, "error": json.dumps(_LEFT)})

    def postpone(self, run: Run, due_at: float) -> bool:
        """Lets a run that has failed wait for another try; False where it is not failed any more."""
        return self._database.run(self._sql["postpone"], {"id": run.id, "due_at": due_at}) > 0

    def get(self, id: str) -> Run | None:
        self._settle()
        row = self._database.row(self._sql["get"], {"id": id})
        return run_of(row) if row else None

    def beginning_with(self, prefix: str) -> list[Run]:
        """The runs whose id begins so, the newest first; ten of them at most."""
        self._settle()
        return [run_of(row) for row in self._database.rows(self._sql["beginning_with"], {"prefix": prefix})]

    def largest(self, integration: str, connection: str, sync: str) -> Run | None:
        """The run of a sync that read the most records, of those that succeeded and are kept."""
        key = {"integration": integration, "connection": connection, "name": sync}
        row = self._database.row(self._sql["largest"], key)
        return run_of(row) if row else None

    def newest(
        self,
        *,
        kind: str | None = None,
        name: str | None = None,
        status: str | None = None,
        connection: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[Run]:
        """The newest runs first."""
        self._settle()
        given = {"kind": kind, "name": name, "status": status, "connection": connection}
        page = {"limit": limit, "offset": offset}
        return [run_of(row) for row in self._database.rows(self._sql["list"], {**given, **page})]

    def failing_syncs(
        self, integration: str | None = None, connection: str | None = None
    ) -> list[tuple[str, str, str]]:
        """Integration, connection and run of each sync whose last run failed, of one connection or all."""
        self._settle()
        given = {"integration": integration, "connection": connection}
        rows = self._database.rows(self._sql["failing_syncs"], given)
        return [(row["integration"], row["connection"], row["id"]) for row in rows]

    def log(self, run: Run, level: str, message: str, data: object = None) -> None:
        given = {"run": run.id, "level": level, "message": message, "now": self._clock()}
        self._database.run(self._sql["add_event"], {**given, "data": json.dumps(data, default=str)})

    def events(self, id: str, *, after: int = 0) -> list[dict[str, object]]:
        """The log of a run: number, at, level, message, data.

        Args:
            after: the number of the last event that the reader has.
        """
        rows = self._database.rows(self._sql["events"], {"run": id, "after": after})
        return [{**dict(row), "data": json.loads(row["data"])} for row in rows]

    def bad_records(self, id: str) -> list[dict[str, object]]:
        """The records that a sync's run found not to fit: those that its log lists."""
        rows = self._database.rows(self._sql["bad_records"], {"run": id})
        return [json.loads(row["record"]) for row in rows]

    def _settle(self) -> None:
        """Marks the runs whose process is gone as lost.

        Their locks tell, which the kernel released: no time-out guesses, and the slowest run is never taken
        for a dead one.
        """
        for row in self._database.rows(self._sql["running"]):
            lock = self.lock(row["id"])
            if lock.acquire():
                error = json.dumps(_LOST_DURABLE if row["durable"] else _LOST)
                lost = {"id": row["id"], "error": error, "now": self._clock()}
                self._database.run(self._sql["lose"], lost)
                lock.remove()
