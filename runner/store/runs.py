"""Runs of syncs and workflows, with their logs."""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Callable, Mapping, Sequence

import msgspec

from runner.store.database import Database, load_queries


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a sync or a workflow; times are in seconds since 1970."""

    id: str
    #: sync or workflow
    kind: str
    name: str
    integration: str
    connection: str
    #: running, success, failed or cancelled
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
    """The runs of a store."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._sql = load_queries("runs")
        self._clock = clock

    def start(
        self, kind: str, name: str, *, integration: str, connection: str, input: object, definition: str
    ) -> Run:
        run = Run(
            id=uuid.uuid4().hex, kind=kind, name=name, integration=integration, connection=connection,
            status="running", started_at=self._clock(), input=input, definition=definition,
        )  # fmt: skip
        row = {**msgspec.structs.asdict(run), "input": json.dumps(input), "now": run.started_at}
        wanted = ("id", "kind", "name", "integration", "connection", "input", "definition", "now")
        self._database.run(self._sql["start"], {key: row[key] for key in wanted})
        return run

    def finish(
        self, run: Run, status: str, *, output: object = None, error: object = None, steps: object = None
    ) -> None:
        given = {"output": output, "error": error, "steps": steps}
        row = {key: json.dumps(value, default=str) for key, value in given.items()}
        self._database.run(self._sql["finish"], {**row, "id": run.id, "status": status, "now": self._clock()})

    def get(self, id: str) -> Run | None:
        row = self._database.row(self._sql["get"], {"id": id})
        return _run(row) if row else None

    def newest(self, *, kind: str | None = None, name: str | None = None, limit: int = 50) -> list[Run]:
        """The newest runs first."""
        rows = self._database.rows(self._sql["list"], {"kind": kind, "name": name, "limit": limit})
        return [_run(row) for row in rows]

    def log(self, run: Run, level: str, message: str, data: object = None) -> None:
        given = {"run": run.id, "level": level, "message": message, "now": self._clock()}
        self._database.run(self._sql["add_event"], {**given, "data": json.dumps(data, default=str)})

    def events(self, id: str) -> list[dict[str, object]]:
        rows = self._database.rows(self._sql["events"], {"run": id})
        return [{**dict(row), "data": json.loads(row["data"])} for row in rows]


def _run(row: sqlite3.Row) -> Run:
    values = dict(row)
    for key in ("input", "output", "error", "steps"):
        values[key] = json.loads(values[key]) if values[key] else None
    return Run(**values)
