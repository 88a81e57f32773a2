"""Carries batches out when their time has come, each in a thread, so that the org answers meanwhile.

A batch is due at once, unless the org was told to take its time: so many seconds by its own clock, or so many
questions after its state. A fault may have it fail, abort, stay for ever where it is, or vanish with its job.
"""

from __future__ import annotations

import asyncio
import time

from runner.emulator.bulk import reading, writing
from runner.emulator.bulk.files import Files
from runner.emulator.bulk.job import Batch, BatchState, Job, JobState
from runner.emulator.bulk.jobs import Jobs
from runner.emulator.bulk.task import BatchFailed, Stopped, Task
from runner.emulator.clock import Clock
from runner.emulator.database import Database
from runner.emulator.records import Records

#: seconds that a request waits for the work it has started or asks after
PATIENCE = 5.0


class Work:
    """The bulk jobs of an org."""

    def __init__(self, database: Database, clock: Clock, records: Records, files: Files) -> None:
        self.jobs = Jobs(database, clock)
        self.files = files
        self._database = database
        self._clock = clock
        self._records = records
        self._waiting = {batch.id: batch for batch in self.jobs.unfinished() if not self._given_up(batch)}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._stopped: set[str] = set()
        self._closing = False

    def _given_up(self, batch: Batch) -> bool:
        """Whether an upload was in the midst of its work when the org was ended: it may not be done twice."""
        job = self.jobs.find(batch.job_id)
        half_done = batch.begun and job is not None and not job.is_query
        if half_done:
            self.jobs.change_batch(batch, state=BatchState.FAILED, message=INTERRUPTED)
        return half_done

    def queue(self, job: Job, **said: object) -> Batch:
        """A new batch of a job, whose work waits until it is due."""
        batch = self.jobs.add_batch(job, **said)
        self._waiting[batch.id] = batch
        return batch

    def start_due(self) -> None:
        """Starts all work that is due; costs next to nothing where there is none."""
        if not self._waiting or self._closing:
            return
        now = self._clock.time()
        for batch in list(self._waiting.values()):
            if batch.due_at <= now and batch.polls <= 0 and batch.fate != "stuck":
                del self._waiting[batch.id]
                self._running[batch.id] = asyncio.create_task(self._carry_out(batch))

    async def settle(self, job: Job) -> None:
        """Starts what is due, and waits a while for the work on this job."""
        self.start_due()
        batches = {batch.id for batch in self.jobs.batches(job)}
        running = [work for batch_id, work in self._running.items() if batch_id in batches]
        if running:
            await asyncio.wait(running, timeout=PATIENCE)

    async def polled(self, job: Job) -> None:
        """Somebody asks after a job: what waits for questions has had one more."""
        await self.settle(job)
        for batch in self.jobs.batches(job):
            waiting = self._waiting.get(batch.id)
            if waiting is not None and (waiting.polls > 0 or waiting.state is BatchState.QUEUED):
                polls, state = max(0, waiting.polls - 1), BatchState.RUNNING
                self._waiting[batch.id] = self.jobs.change_batch(waiting, polls=polls, state=state)

    def abort(self, job: Job) -> Job:
        """Ends the work on a job: what was not begun is not done, what is done stays."""
        for batch in self.jobs.batches(job):
            self._stopped.add(batch.id)
            if self._waiting.pop(batch.id, None) is not None:
                self.jobs.change_batch(batch, state=BatchState.UNPROCESSED)
        return self.jobs.change(job, state=JobState.ABORTED)

    def remove(self, job: Job) -> None:
        for batch in self.jobs.batches(job):
            self._stopped.add(batch.id)
            self._waiting.pop(batch.id, None)
            self.files.remove(batch.id)
        self.files.remove(job.id)
        self.jobs.remove(job)

    def stop(self) -> None:
        self._closing = True

    def close(self) -> None:
        self.stop()
        self.files.close()

    async def _carry_out(self, batch: Batch) -> None:
        try:
            job = self.jobs.find(batch.job_id)
            if job is not None:
                await asyncio.to_thread(self._do, job, self.jobs.change_batch(batch, begun=True))
        finally:
            del self._running[batch.id]

    def _do(self, job: Job, batch: Batch) -> None:
        match batch.fate:
            case "vanished":
                self.remove(job)
            case "aborted":
                self.abort(job)
            case "failed":
                self.jobs.change_batch(batch, state=BatchState.FAILED, message=batch.fault or FAULT)
            case _:
                self._work(job, batch)

    def _work(self, job: Job, batch: Batch) -> None:
        began = time.perf_counter()
        progress = _Progress(self.jobs, batch)
        state, message = BatchState.FAILED, UNEXPECTED
        try:
            (reading.answer if job.is_query else writing.apply)(self._task(job, progress))
            state, message = BatchState.DONE, ""
        except BatchFailed as exc:
            message = str(exc)
        except Stopped:
            state, message = BatchState.UNPROCESSED, ""
        finally:
            if not self._closing:
                progress.change(state=state, message=message, took=int((time.perf_counter() - began) * 1000))

    def _task(self, job: Job, progress: _Progress) -> Task:
        batch = progress.batch
        return Task(
            database=self._database,
            clock=self._clock,
            records=self._records,
            files=self.files,
            job=job,
            batch=batch,
            is_stopped=lambda: self._closing or batch.id in self._stopped,
            progress=lambda done, failed: progress.change(processed=done, failed=failed),
        )


class _Progress:
    """A batch at work, kept anew at each step."""

    def __init__(self, jobs: Jobs, batch: Batch) -> None:
        self._jobs = jobs
        self.batch = jobs.change_batch(batch, state=BatchState.RUNNING)

    def change(self, **changed: object) -> None:
        self.batch = self._jobs.change_batch(self.batch, **changed)


FAULT = "InternalServerError : This fault was asked for."
UNEXPECTED = "InternalServerError : An unexpected error occurred."
INTERRUPTED = "InternalServerError : The org was ended while it worked on the batch."
