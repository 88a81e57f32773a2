"""The journals of durable runs: what each of their steps gave, and what came for the steps that wait."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from runner.store.database import Database, load_queries


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a run; times are in seconds since 1970."""

    path: str
    kind: str
    #: of the definition
    line: int
    #: running, waiting, done, caught, failed or skipped
    status: str
    #: its turn among the steps that ended, from 1
    number: int = 0
    tries: int = 0
    started_at: float = 0.0
    finished_at: float | None = None
    writes: bool = False
    repeated: bool = False
    note: Mapping[str, object] = {}
    error: Mapping[str, object] | None = None
    answer: Mapping[str, object] | None = None
    #: what went in, for people
    shown: str | None = None
    #: what it gave, as JSON
    output: bytes | None = None


class Line(msgspec.Struct, frozen=True):
    """A line of a run's log; its time is in seconds since 1970."""

    at: float
    #: info, warning or error
    level: str
    message: str


class NewSignal(msgspec.Struct, frozen=True, kw_only=True):
    """An event that comes for a run."""

    #: the same whenever the same event comes
    key: str
    integration: str
    connection: str
    event: str
    #: what the step that waits knows of it: event, body, headers
    scope: Mapping[str, object]


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """An event that came for a run."""

    number: int
    connection: str
    scope: Mapping[str, object]


class RunSteps:
    """The journal of one run."""

    def __init__(
        self, database: Database, sql: Mapping[str, str], run: str, clock: Callable[[], float]
    ) -> None:
        self._database = database
        self._sql = sql
        self._run = run
        self._clock = clock

    def find(self, path: str) -> StepRow | None:
        row = self._database.row(self._sql["get"], {"run": self._run, "path": path})
        return _step(row) if row else None

    def all(self) -> list[StepRow]:
        """In the order in which they began."""
        return [_step(row) for row in self._database.rows(self._sql["all"], {"run": self._run})]

    def rejected(self) -> Iterator[tuple[str, list[Mapping[str, object]]]]:
        """The steps in which an API refused rows: their paths, and of each row `number`, `row` and `why`."""
        for row in self._database.rows(self._sql["rejected"], {"run": self._run}):
            yield row["path"], json.loads(row["rejected"])

    def ended(self) -> int:
        """How many steps have ended."""
        return int(self._database.rows(self._sql["ended"], {"run": self._run})[0]["number"])

    def write(self, rows: Sequence[StepRow], lines: Sequence[Line] = (), *, durable: bool = False) -> None:
        """Keeps rows, and lines of the run's log, all or none; a row that is there already keeps its answer.

        Args:
            durable: whether they must outlive a power cut from here on.
        """
        with self._database.atomic(durable=durable):
            self._database.run_many(self._sql["put"], [self._values(row) for row in rows])
            for line in lines:
                given = {"run": self._run, "now": line.at, "level": line.level, "message": line.message}
                self._database.run(self._sql["add_event"], {**given, "data": "null"})

    def _values(self, row: StepRow) -> tuple[object, ...]:
        return (
            self._run, row.path, row.kind, row.line, row.status, row.number, row.tries, row.started_at,
            row.finished_at, row.writes, row.repeated, json.dumps(dict(row.note)) if row.note else None,
            json.dumps(dict(row.error)) if row.error is not None else None, row.shown, row.output,
        )  # fmt: skip

    def forget(self, paths: Sequence[str]) -> None:
        """Removes steps, so that they are done when the run goes on."""
        with self._database.atomic():
            for path in paths:
                self._database.run(self._sql["forget"], {"run": self._run, "path": path})

    def answer(self, path: str, answer: Mapping[str, object]) -> bool:
        """Answers a step that waits; False where it does not, or has its answer. On the disk on return."""
        given = {"run": self._run, "path": path, "answer": json.dumps(dict(answer))}
        with self._database.atomic(durable=True):
            return self._database.run(self._sql["answer"], given) > 0

    def signal(self, signal: NewSignal) -> None:
        """Keeps an event that came for the run, unless it is kept already; it is on the disk on return."""
        row = {**msgspec.structs.asdict(signal), "scope": json.dumps(dict(signal.scope))}
        with self._database.atomic(durable=True):
            self._database.run(self._sql["add_signal"], {**row, "run": self._run, "now": self._clock()})

    def signals(self, integration: str, event: str, path: str) -> list[Signal]:
        """The events of a name that no other step has taken, the one that this step took first."""
        given = {"run": self._run, "integration": integration, "event": event, "path": path}
        return [
            Signal(number=row["number"], connection=row["connection"], scope=json.loads(row["scope"]))
            for row in self._database.rows(self._sql["signals"], given)
        ]

    def take(self, signal: Signal, path: str) -> None:
        given = {"run": self._run, "number": signal.number, "path": path}
        self._database.run(self._sql["take_signal"], given)


class Steps:
    """The journals of a store."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._sql = {**load_queries("steps"), "add_event": load_queries("runs")["add_event"]}
        self._clock = clock

    def of(self, run: str) -> RunSteps:
        return RunSteps(self._database, self._sql, run, self._clock)


def _step(row: sqlite3.Row) -> StepRow:
    values = dict(row)
    values.pop("run")
    for key in ("note", "error", "answer"):
        values[key] = json.loads(values[key]) if values[key] else None
    values["note"] = values["note"] or {}
    return StepRow(**{**values, "writes": bool(values["writes"]), "repeated": bool(values["repeated"])})
