"""Batches: added to a job, told, and listed."""

from __future__ import annotations

import io

from starlette.responses import Response

from runner.emulator.bulk.job import Batch, BatchState, Job, JobState
from runner.emulator.bulk.reading import explained
from runner.emulator.bulk.selection import table
from runner.emulator.bulk.start import start
from runner.emulator.bulk.transfer import BadEncoding, TooLarge, receive
from runner.emulator.bulk1.answers import AsyncError, batch_facts, batch_list, one
from runner.emulator.bulk1.call import Call
from runner.emulator.database import quote
from runner.emulator.errors import ApiError
from runner.emulator.soql.compile import Asked

MAX_BATCH = 10 * 1024 * 1024
MEDIA = {"CSV": "text/csv", "XML": "application/xml", "JSON": "application/json"}


async def add(call: Call) -> Response:
    """Takes the data of a batch, or its query, and begins its work."""
    job = call.job()
    if job.state is not JobState.OPEN:
        raise AsyncError("InvalidJobState", f"Batches cannot be added to a job that is {job.state}")
    said = call.request.headers.get("content-type", "").lower()
    if not said.startswith(MEDIA[job.content_type]):
        raise AsyncError("InvalidBatch", f"Content-Type must be {MEDIA[job.content_type]}, as the job says")
    body = await _body(call)
    batch = _chunked(call, job, body) if job.chunk_size else _started(call, job, body)
    await call.org.bulk.settle(job)
    as_json = job.content_type == "JSON"
    return one("batchInfo", batch_facts(batch, as_json=as_json), as_json, 201)


async def _body(call: Call) -> bytes:
    body = io.BytesIO()
    try:
        await receive(call.request, body, MAX_BATCH)
    except TooLarge as exc:
        raise AsyncError("ExceededQuota", str(exc)) from exc
    except BadEncoding as exc:
        raise AsyncError("ClientInputError", str(exc)) from exc
    return body.getvalue()


def _started(call: Call, job: Job, body: bytes, first: int = 0, end: int = 0) -> Batch:
    batch = start(call.org, call.request, job, first=first, end=end)
    call.org.bulk.files.path(batch.id, "request").write_bytes(body)
    return batch


def _chunked(call: Call, job: Job, body: bytes) -> Batch:
    """PK chunking: the batch itself is not processed, but others take its place, each for a span of ids."""
    org = call.org
    try:
        first, end = _span(call, body.decode("utf-8", "replace"))
    except ApiError as exc:
        return org.bulk.jobs.add_batch(job, state=BatchState.FAILED, message=explained(exc))
    batch = org.bulk.jobs.add_batch(job, state=BatchState.UNPROCESSED)
    org.bulk.files.path(batch.id, "request").write_bytes(body)
    for start_at in range(first, end, job.chunk_size):
        _started(call, job, body, start_at, min(end, start_at + job.chunk_size))
    return batch


def _span(call: Call, soql: str) -> tuple[int, int]:
    """The numbers of the first record of the query's object, and the one after the last. Raises ApiError."""
    asked = Asked(text=soql, now=call.org.clock.now(), base_url="")
    found = table(asked, call.org.visible, call.version)
    if not found.can_be_chunked:
        message = "PK chunking is not supported for a query with ORDER BY or LIMIT"
        raise ApiError("FEATURENOTENABLED", message)
    sql = f"SELECT min(n), max(n) + 1 FROM {quote(found.records.item.name)}"  # noqa: S608
    first, end = call.org.database.row(sql) or (None, None)
    return (int(first), int(end)) if first is not None and end is not None else (0, 0)


async def info(call: Call) -> Response:
    job = call.job()
    call.batch(job)
    await call.org.bulk.polled(job)
    as_json = job.content_type == "JSON"
    return one("batchInfo", batch_facts(call.batch(call.job()), as_json=as_json), as_json)


async def listed(call: Call) -> Response:
    job = call.job()
    await call.org.bulk.polled(job)
    as_json = job.content_type == "JSON"
    batches = call.org.bulk.jobs.batches(call.job())
    return batch_list([batch_facts(batch, as_json=as_json) for batch in batches], as_json)
