"""A job, and the batches in which its work is done.

Bulk API 2.0 shows no batches; there a job has one, which is made when the job has all it needs.
"""

from __future__ import annotations

import enum
from typing import Literal

import msgspec

JobType = Literal["V2Query", "V2Ingest", "Classic"]

QUERIES = frozenset({"query", "queryAll"})
DELETES = frozenset({"delete", "hardDelete"})
WRITES = frozenset({"insert", "update", "upsert"}) | DELETES
DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}


class JobState(enum.StrEnum):
    """What a client has said of a job; how far its work is, its batches know."""

    OPEN = "Open"
    #: nothing is added any more: UploadComplete in Bulk API 2.0, Closed in 1.0
    CLOSED = "Closed"
    ABORTED = "Aborted"


class BatchState(enum.StrEnum):
    QUEUED = "Queued"
    RUNNING = "InProgress"
    DONE = "Completed"
    FAILED = "Failed"
    #: its job was aborted before its turn, or others took its place
    UNPROCESSED = "NotProcessed"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    type: JobType
    operation: str
    #: the name of the object; of a query it is the one after FROM
    object: str
    user_id: str
    #: such as 62.0
    version: str
    #: seconds since 1970
    created_at: float
    changed_at: float
    state: JobState = JobState.OPEN
    #: of a query of Bulk API 2.0
    soql: str = ""
    #: a name of DELIMITERS and one of LINE_ENDINGS
    delimiter: str = "COMMA"
    line_ending: str = "LF"
    #: of an upsert
    external_id: str = ""
    content_type: Literal["CSV", "XML", "JSON"] = "CSV"
    concurrency: Literal["Parallel", "Serial"] = "Parallel"
    #: records in a chunk of PK chunking; 0 without it
    chunk_size: int = 0
    #: whether its data were uploaded
    uploaded: bool = False

    @property
    def is_query(self) -> bool:
        return self.operation in QUERIES


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    job_id: str
    created_at: float
    changed_at: float
    state: BatchState = BatchState.QUEUED
    #: why it failed
    message: str = ""
    processed: int = 0
    failed: int = 0
    #: milliseconds that the work took
    took: int = 0
    #: when its work is due, in seconds since 1970, and how often it is asked after before
    due_at: float = 0.0
    polls: int = 0
    #: what becomes of it because a fault says so: "failed", "aborted", "stuck", "vanished"
    fate: str = ""
    #: and what is said of it
    fault: str = ""
    #: whether the work was started
    begun: bool = False
    #: of PK chunking: the numbers of the first record and the one after the last; 0, 0 without it
    first: int = 0
    end: int = 0

    @property
    def is_over(self) -> bool:
        return self.state not in (BatchState.QUEUED, BatchState.RUNNING)
