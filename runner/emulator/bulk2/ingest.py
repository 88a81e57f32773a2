"""Ingest jobs: created, filled once, closed, and asked after each record."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Literal

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from runner.emulator.bulk.job import DELIMITERS, WRITES, Job, JobState
from runner.emulator.bulk.start import start
from runner.emulator.bulk.task import BatchFailed
from runner.emulator.bulk.transfer import BadEncoding, TooLarge, receive, send
from runner.emulator.bulk.uploads import open_text, read_table
from runner.emulator.bulk2 import jobs
from runner.emulator.bulk2.call import Call, Shown, checked, settled
from runner.emulator.errors import ApiError
from runner.emulator.http import json

FIELDS = frozenset(
    {
        "object",
        "operation",
        "externalIdFieldName",
        "contentType",
        "columnDelimiter",
        "lineEnding",
        "assignmentRuleId",
    }
)
MAX_UPLOAD = 150 * 1024 * 1024
#: characters of the data that may come with the job itself
MAX_PART = 100_000
CSV = "text/csv; charset=UTF-8"


async def create(call: Call) -> Response:
    """A job, or a job with its data in one multipart body; the latter is closed at once."""
    if call.request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await _create_whole(call)
    return json(jobs.told(Shown(job=_add(call, await call.said(FIELDS)), batch=None)))


async def _create_whole(call: Call) -> Response:
    try:
        form = await call.request.form(max_files=1, max_fields=2)
    except HTTPException as exc:
        raise ApiError("INVALID_MULTIPART_REQUEST", str(exc.detail)) from exc
    said, content = form.get("job"), form.get("content")
    if not isinstance(said, str) or content is None:
        raise ApiError("INVALID_MULTIPART_REQUEST", "The parts job and content are required")
    data = await content.read() if isinstance(content, UploadFile) else content.encode()
    if len(data) > MAX_PART:
        raise ApiError("INVALID_MULTIPART_REQUEST", f"The content may have {MAX_PART} characters")
    job = _add(call, checked(said.encode(), FIELDS))
    call.org.bulk.files.path(job.id, "request").write_bytes(data)
    return await _close(call, call.org.bulk.jobs.change(job, uploaded=True))


def _add(call: Call, said: dict[str, object]) -> Job:
    operation = str(said.get("operation"))
    if operation not in WRITES:
        raise ApiError(
            "INVALIDOPERATION", f"Operation must be one of {', '.join(sorted(WRITES))}: {operation}"
        )
    item = call.org.visible.get(str(said.get("object") or ""))
    if item is None:
        raise ApiError("INVALIDENTITY", f"Unable to find object: {said.get('object')}")
    key = str(said.get("externalIdFieldName") or "")
    if operation == "upsert":
        field = item.field(key)
        if field is None or not (field.external_id or field.name == "Id"):
            raise ApiError("INVALIDJOB", f"InvalidJob : Invalid external id field: {key}")
        key = field.name
    delimiter, ending = jobs.form(said)
    job = call.org.bulk.jobs.add(
        lambda job_id, now: Job(
            id=job_id,
            type="V2Ingest",
            operation=operation,
            object=item.name,
            user_id=call.user_id,
            version=call.version,
            created_at=now,
            changed_at=now,
            delimiter=delimiter,
            line_ending=ending,
            external_id=key,
        )
    )
    call.org.bulk.files.path(job.id, "request").write_bytes(b"")
    return job


async def upload(call: Call) -> Response:
    """Takes the data of an open job, once."""
    job = (await settled(call, jobs.INGEST)).job
    if job.state is not JobState.OPEN:
        raise ApiError("INVALIDJOBSTATE", f"Data cannot be added to a job that is {job.state}")
    if job.uploaded:
        message = (
            f"Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete' the current "
            "Job then create a new Job and make sure you only do 'PUT' once on a given Job."
        )
        raise ApiError("INVALIDJOBSTATE", message)
    if not call.request.headers.get("content-type", "").lower().startswith("text/csv"):
        raise ApiError("UNSUPPORTED_MEDIA_TYPE", "Content-Type must be text/csv", status=415)
    try:
        with call.org.bulk.files.path(job.id, "request").open("wb") as file:
            await receive(call.request, file, MAX_UPLOAD)
    except TooLarge as exc:
        raise ApiError("EXCEEDED_MAX_SIZE_REQUEST", str(exc), status=413) from exc
    except BadEncoding as exc:
        raise ApiError("INVALID_ENCODING", str(exc)) from exc
    call.org.bulk.jobs.change(job, uploaded=True)
    return Response(status_code=201)


async def change(call: Call) -> Response:
    """Closes a job, which starts the work, or aborts it."""
    state = (await call.said(frozenset({"state"}))).get("state")
    found = await settled(call, jobs.INGEST)
    if state == "Aborted":
        return await jobs.abort(call, found)
    if state != "UploadComplete":
        raise ApiError("INVALIDJOBSTATE", f"A job cannot be set to {state}")
    if found.state != "Open":
        raise ApiError("INVALIDJOBSTATE", f"Closing already {jobs.over(found)} Job not allowed")
    return await _close(call, found.job)


async def _close(call: Call, job: Job) -> Response:
    job = call.org.bulk.jobs.change(job, state=JobState.CLOSED)
    batch = start(call.org, call.request, job)
    await call.org.bulk.settle(job)
    return json(jobs.told(Shown(job=job, batch=batch)))


async def info(call: Call) -> Response:
    return await jobs.info(call, jobs.INGEST)


async def delete(call: Call) -> Response:
    return await jobs.delete(call, jobs.INGEST)


async def listed(call: Call) -> Response:
    return jobs.listed(call, jobs.INGEST)


async def succeeded(call: Call) -> Response:
    return await _results(call, "succeeded", "sf__Created")


async def failed(call: Call) -> Response:
    return await _results(call, "failed", "sf__Error")


async def _results(call: Call, name: Literal["succeeded", "failed"], column: str) -> Response:
    found = await _over(call)
    path = call.org.bulk.files.path(found.job.id, name)
    if not path.exists():
        return Response(f'"sf__Id"{DELIMITERS[found.job.delimiter]}"{column}"', media_type=CSV)
    return send(path, CSV)


async def unprocessed(call: Call) -> Response:
    """The rows that were not reached, as they were sent."""
    found = await _over(call)
    done = found.batch.processed if found.batch is not None else 0
    request = call.org.bulk.files.path(found.job.id, "request")
    return StreamingResponse(_rest(request, found.job, done), media_type=CSV)


def _rest(request: Path, job: Job, done: int) -> Iterator[bytes]:
    """The header, and the lines behind so many rows; all lines where these are no table."""
    with open_text(request, errors="surrogateescape") as file:
        try:
            table = read_table(file, job)
            deque(islice(table.rows, done), maxlen=0)
            yield table.line.encode(errors="surrogateescape")
        except BatchFailed:
            file.seek(0)
        for line in file:
            yield line.encode(errors="surrogateescape")


async def _over(call: Call) -> Shown:
    """The job, whose records have their results. Raises ApiError INVALIDJOBSTATE."""
    found = await settled(call, jobs.INGEST)
    if found.state not in ("JobComplete", "Failed", "Aborted"):
        raise ApiError("INVALIDJOBSTATE", f"The job must be over, it is {found.state}")
    return found
