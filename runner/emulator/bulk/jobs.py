"""Jobs and batches as the database keeps them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from runner.emulator import ids
from runner.emulator.bulk.job import Batch, Job
from runner.emulator.clock import Clock
from runner.emulator.database import Database

JOB_PREFIX, BATCH_PREFIX = "750", "751"


class Jobs:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(self, make: Callable[[str, float], Job]) -> Job:
        """Keeps a new job, which ``make`` makes of its id and the time."""
        with self._database.atomic():
            job = make(ids.make(JOB_PREFIX, self._next("_bulk_jobs")), self._clock.time())
            self._database.run("INSERT INTO _bulk_jobs (id, body) VALUES (?, ?)", (job.id, _written(job)))
        return job

    def find(self, job_id: str) -> Job | None:
        """The job of an id of 15 or 18 characters."""
        row = self._database.row("SELECT body FROM _bulk_jobs WHERE id = ?", (ids.normalise(job_id),))
        return None if row is None else msgspec.json.decode(str(row[0]), type=Job)

    def change(self, job: Job, **changed: object) -> Job:
        """Keeps a job anew, with what has changed."""
        job = msgspec.structs.replace(job, changed_at=self._clock.time(), **changed)
        self._database.run("UPDATE _bulk_jobs SET body = ? WHERE id = ?", (_written(job), job.id))
        return job

    def remove(self, job: Job) -> None:
        with self._database.atomic():
            self._database.run("DELETE FROM _bulk_jobs WHERE id = ?", (job.id,))
            self._database.run("DELETE FROM _bulk_batches WHERE job_id = ?", (job.id,))

    def listed(self) -> list[Job]:
        """All jobs, the latest first."""
        rows = self._database.rows("SELECT body FROM _bulk_jobs ORDER BY n DESC")
        return [msgspec.json.decode(str(row[0]), type=Job) for row in rows]

    def add_batch(self, job: Job, **said: object) -> Batch:
        with self._database.atomic():
            batch_id, now = ids.make(BATCH_PREFIX, self._next("_bulk_batches")), self._clock.time()
            batch = Batch(id=batch_id, job_id=job.id, created_at=now, changed_at=now)
            batch = msgspec.structs.replace(batch, **said)
            self._database.run(
                "INSERT INTO _bulk_batches (id, job_id, body) VALUES (?, ?, ?)",
                (batch.id, job.id, _written(batch)),
            )
        return batch

    def change_batch(self, batch: Batch, **changed: object) -> Batch:
        batch = msgspec.structs.replace(batch, changed_at=self._clock.time(), **changed)
        self._database.run("UPDATE _bulk_batches SET body = ? WHERE id = ?", (_written(batch), batch.id))
        return batch

    def batch(self, batch_id: str) -> Batch | None:
        row = self._database.row("SELECT body FROM _bulk_batches WHERE id = ?", (ids.normalise(batch_id),))
        return None if row is None else msgspec.json.decode(str(row[0]), type=Batch)

    def batches(self, job: Job) -> list[Batch]:
        """The batches of a job in their order."""
        rows = self._database.rows("SELECT body FROM _bulk_batches WHERE job_id = ? ORDER BY n", (job.id,))
        return [msgspec.json.decode(str(row[0]), type=Batch) for row in rows]

    def unfinished(self) -> list[Batch]:
        """The batches of all jobs that wait, or were at work when the org was ended."""
        rows = self._database.rows("SELECT body FROM _bulk_batches ORDER BY n")
        batches = [msgspec.json.decode(str(row[0]), type=Batch) for row in rows]
        return [batch for batch in batches if not batch.is_over]

    def _next(self, table: str) -> int:
        row = self._database.row("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
        return 1 + int(row[0] or 0) if row else 1


def _written(kept: Job | Batch) -> str:
    return msgspec.json.encode(kept).decode()
