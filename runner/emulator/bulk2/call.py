"""A call of Bulk API 2.0, as its handlers see it."""

from __future__ import annotations

import msgspec
import orjson
from starlette.requests import Request

from runner.emulator.bulk.job import Batch, BatchState, Job, JobState
from runner.emulator.errors import ApiError, not_found
from runner.emulator.org import Org


class Call(msgspec.Struct, frozen=True, kw_only=True):
    org: Org
    request: Request
    #: such as 62.0
    version: str
    user_id: str
    #: the parts of the path that the route leaves open, by their names
    path: dict[str, str]

    @property
    def base_url(self) -> str:
        return f"/services/data/v{self.version}/jobs"

    @property
    def query(self) -> dict[str, str]:
        return dict(self.request.query_params)

    async def said(self, known: frozenset[str]) -> dict[str, object]:
        """The JSON object of the body, which has no names but the ``known`` ones. Raises ApiError."""
        return checked(await self.request.body(), known)


def checked(body: bytes, known: frozenset[str]) -> dict[str, object]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        place = f"[line:{exc.lineno}, column:{exc.colno}]"
        raise ApiError("JSON_PARSER_ERROR", f"{exc.msg} at {place}") from exc
    if not isinstance(said, dict):
        raise ApiError("JSON_PARSER_ERROR", "The request body must be one JSON object at [line:1, column:1]")
    for name in said:
        if name not in known:
            raise ApiError("JSON_PARSER_ERROR", f'Unrecognized field "{name}"')
    return said


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A job and its one batch, which it has from the moment that its data are complete."""

    job: Job
    batch: Batch | None

    @property
    def state(self) -> str:
        if self.job.type == "Classic" or self.job.state is JobState.ABORTED:
            return self.job.state.value
        return _STATES[self.batch.state] if self.batch is not None else "Open"


_STATES = {
    BatchState.QUEUED: "UploadComplete",
    BatchState.RUNNING: "InProgress",
    BatchState.DONE: "JobComplete",
    BatchState.FAILED: "Failed",
    BatchState.UNPROCESSED: "Aborted",
}


async def settled(call: Call, kind: str, *, polled: bool = False) -> Shown:
    """The job that the path names, after what is due of its work. Raises ApiError NOT_FOUND."""
    job = call.org.bulk.jobs.find(call.path["job"])
    if job is None or job.type != kind:
        raise not_found()
    await (call.org.bulk.polled(job) if polled else call.org.bulk.settle(job))
    return shown(call.org, job.id)


def shown(org: Org, job_id: str) -> Shown:
    job = org.bulk.jobs.find(job_id)
    if job is None:
        raise not_found()
    return Shown(job=job, batch=next(iter(org.bulk.jobs.batches(job)), None))
