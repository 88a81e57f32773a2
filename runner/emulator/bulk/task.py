"""A batch to be carried out, and what may go wrong with all of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from runner.emulator.bulk.files import Files, Name
from runner.emulator.bulk.job import Batch, Job
from runner.emulator.clock import Clock
from runner.emulator.database import Database
from runner.emulator.errors import EmulatorError
from runner.emulator.records import Records


class BatchFailed(EmulatorError):
    """Nothing more of a batch can be done; the message is what its state tells."""


class Stopped(EmulatorError):
    """The job was aborted, or the org is being ended."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    database: Database
    clock: Clock
    records: Records
    files: Files
    job: Job
    batch: Batch
    is_stopped: Callable[[], bool]
    #: told how many records are done, and how many of these failed
    progress: Callable[[int, int], None]

    def check(self) -> None:
        """Raises Stopped where it is time to stop."""
        if self.is_stopped():
            raise Stopped

    def file(self, name: Name) -> Path:
        return self.files.path(owner(self.job, self.batch), name)


def owner(job: Job, batch: Batch) -> str:
    """Whose the files are: in Bulk API 2.0 the job's, in 1.0 the batch's."""
    return batch.id if job.type == "Classic" else job.id
