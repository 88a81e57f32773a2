"""A call of Bulk API 1.0, as its handlers see it."""

from __future__ import annotations

import msgspec
import orjson
from starlette.requests import Request

from runner.emulator.bulk.job import Batch, Job
from runner.emulator.bulk1.answers import AsyncError, wants_json
from runner.emulator.org import Org
from runner.emulator.xml import InvalidXml, parse

#: a longer description of a job is none
MAX_JOB = 1024 * 1024


class Call(msgspec.Struct, frozen=True, kw_only=True):
    org: Org
    request: Request
    #: such as 62.0
    version: str
    user_id: str
    #: the ids of the path: of the job, the batch, the result
    job_id: str = ""
    batch_id: str = ""
    result_id: str = ""

    @property
    def as_json(self) -> bool:
        return wants_json(self.request)

    async def said(self) -> dict[str, str]:
        """What the body, JSON or XML, says of a job. Raises AsyncError."""
        body = await self.request.body()
        if len(body) > MAX_JOB:
            raise AsyncError("InvalidJob", "The description of the job is too long")
        return _from_json(body) if self.as_json else _from_xml(body)

    def job(self) -> Job:
        """The job that the path names. Raises AsyncError InvalidJob."""
        found = self.org.bulk.jobs.find(self.job_id)
        if found is None or found.type != "Classic":
            raise AsyncError("InvalidJob", f"Unable to find job for id: {self.job_id}")
        return found

    def batch(self, job: Job) -> Batch:
        """The batch that the path names. Raises AsyncError InvalidBatch."""
        found = self.org.bulk.jobs.batch(self.batch_id)
        if found is None or found.job_id != job.id:
            raise AsyncError("InvalidBatch", f"Unable to find batch for id: {self.batch_id}")
        return found


def _from_json(body: bytes) -> dict[str, str]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise AsyncError("InvalidJob", f"Unable to parse Job: {exc}") from exc
    if not isinstance(said, dict):
        raise AsyncError("InvalidJob", "Unable to parse Job: it must be one JSON object")
    return {name: str(value) for name, value in said.items() if value is not None}


def _from_xml(body: bytes) -> dict[str, str]:
    try:
        root = parse(body)
    except InvalidXml as exc:
        raise AsyncError("InvalidXML", str(exc)) from exc
    if root.name != "jobInfo":
        raise AsyncError("InvalidJob", f"Unable to parse Job: jobInfo expected, {root.name} found")
    return {child.name: child.text.strip() for child in root.children}
