"""Runs of syncs and workflows, with their logs; each ends as what it was, also when its process is killed."""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

import msgspec

from runner.errors import StoreError, TerapiError
from runner.store.database import Database, load_queries
from runner.store.locks import Lock

_LOST = {
    "kind": "lost",
    "message": "its process was killed, or could not write how it ended",
    "where": None,
    "hint": "run it again; a sync goes on at the page where it was",
}
_INTERRUPTED = {"kind": "cancelled", "message": "it was interrupted", "where": None, "hint": None}


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a sync or a workflow; times are in seconds since 1970."""

    id: str
    #: sync or workflow
    kind: str
    name: str
    integration: str
    connection: str
    #: running, success, failed, cancelled (somebody interrupted it) or lost (its process was killed)
    status: str
    started_at: float
    finished_at: float | None = None
    input: object = None
    output: object = None
    error: Mapping[str, object] | None = None
    steps: Sequence[Mapping[str, object]] | None = None
    #: the definition's text, as the run began with it
    definition: str = ""


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

    def begin(
        self, kind: str, name: str, *, integration: str, connection: str, input: object, definition: str
    ) -> Underway:
        """A run that lasts as long as the `with` block of what this gives."""
        run = Run(
            id=uuid.uuid4().hex, kind=kind, name=name, integration=integration, connection=connection,
            status="running", started_at=self._clock(), input=input, definition=definition,
        )  # fmt: skip
        lock = self._lock(_lock_of(run.id))
        lock.acquire()  # before anybody can know of the run
        row = {**msgspec.structs.asdict(run), "input": json.dumps(input), "now": run.started_at}
        wanted = ("id", "kind", "name", "integration", "connection", "input", "definition", "now")
        self._database.run(self._sql["start"], {key: row[key] for key in wanted})
        return Underway(self, run, lock)

    def finish(
        self, run: Run, status: str, *, output: object = None, error: object = None, steps: object = None
    ) -> None:
        """Writes how a run ended, unless that is written already."""
        given = {"output": output, "error": error, "steps": steps}
        row = {key: json.dumps(value, default=str) for key, value in given.items()}
        self._database.run(self._sql["finish"], {**row, "id": run.id, "status": status, "now": self._clock()})

    def get(self, id: str) -> Run | None:
        self._settle()
        row = self._database.row(self._sql["get"], {"id": id})
        return _run(row) if row else None

    def beginning_with(self, prefix: str) -> list[Run]:
        """The runs whose id begins so, the newest first; ten of them at most."""
        self._settle()
        return [_run(row) for row in self._database.rows(self._sql["beginning_with"], {"prefix": prefix})]

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
        return [_run(row) for row in self._database.rows(self._sql["list"], {**given, **page})]

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
            lock = self._lock(_lock_of(row["id"]))
            if lock.acquire():
                lost = {"id": row["id"], "error": json.dumps(_LOST), "now": self._clock()}
                self._database.run(self._sql["lose"], lost)
                lock.remove()


class Underway:
    """A run that is under way until its `with` block ends.

    Left without `finish` it is a success; by an error it is failed, by an interruption cancelled.
    """

    def __init__(self, runs: Runs, run: Run, lock: Lock) -> None:
        self.run = run
        #: what is known of the result and of the steps so far; kept however the run ends
        self.output: object = None
        self.steps: Sequence[Mapping[str, object]] | None = None
        self._runs = runs
        self._lock = lock

    def log(self, level: str, message: str, data: object = None) -> None:
        """Adds to the run's log; level is info, warning or error."""
        self._runs.log(self.run, level, message, data)

    def finish(self, status: str, error: Mapping[str, object] | None = None) -> None:
        """Writes how it ended, with `output` and `steps` as they are now."""
        self._runs.finish(self.run, status, output=self.output, error=error, steps=self.steps)

    def __enter__(self) -> Underway:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._end(error)
        except StoreError:
            # Where the state cannot be written any more, the first error says it better.
            if error is None:
                raise
        finally:
            self._lock.remove()

    def _end(self, error: BaseException | None) -> None:
        if error is None:
            self.finish("success")
        elif isinstance(error, TerapiError):
            self.log("error", error.message)
            self.finish("failed", error.as_data())
        elif isinstance(error, Exception):
            message = f"a fault in terapi itself: {type(error).__name__}"
            self.finish("failed", {"kind": "internal", "message": message, "where": None, "hint": None})
        else:
            self.log("warning", "interrupted")
            self.finish("cancelled", _INTERRUPTED)


def _lock_of(id: str) -> str:
    return f"run:{id}"


def _run(row: sqlite3.Row) -> Run:
    values = dict(row)
    for key in ("input", "output", "error", "steps"):
        values[key] = json.loads(values[key]) if values[key] else None
    return Run(**values)
