"""Jobs: created, told, closed, aborted."""

from __future__ import annotations

import re

from starlette.responses import Response

from runner.emulator.bulk.job import QUERIES, WRITES, Job, JobState
from runner.emulator.bulk1.answers import AsyncError, job_facts, one
from runner.emulator.bulk1.call import Call
from runner.emulator.schema import ObjectType

DEFAULT_CHUNK, MAX_CHUNK = 100_000, 250_000
CONTENT_TYPES = ("CSV", "XML", "JSON")
_CHUNK_SIZE = re.compile(r"chunkSize\s*=\s*(\d{1,9})", re.IGNORECASE)


async def create(call: Call) -> Response:
    said = await call.said()
    operation, content_type = said.get("operation", ""), said.get("contentType", "XML")
    if operation not in QUERIES | WRITES:
        raise AsyncError("InvalidJob", f"Unable to parse Job: no operation {operation!r}")
    if content_type not in CONTENT_TYPES:
        raise AsyncError("InvalidJob", f"Unsupported content type: {content_type}")
    item = call.org.visible.get(said.get("object", ""))
    if item is None:
        raise AsyncError("InvalidJob", f"Unable to find object: {said.get('object', '')}")
    key = _external_id(item, said) if operation == "upsert" else ""
    job = call.org.bulk.jobs.add(
        lambda job_id, now: Job(
            id=job_id,
            type="Classic",
            operation=operation,
            object=item.name,
            user_id=call.user_id,
            version=call.version,
            created_at=now,
            changed_at=now,
            external_id=key,
            content_type=content_type,  # type: ignore[arg-type]
            concurrency="Serial" if said.get("concurrencyMode") in ("Serial", "1") else "Parallel",
            chunk_size=_chunk_size(call) if operation in QUERIES else 0,
        )
    )
    return one("jobInfo", job_facts(job, [], as_json=call.as_json), call.as_json, 201)


def _external_id(item: ObjectType, said: dict[str, str]) -> str:
    name = said.get("externalIdFieldName", "")
    field = item.field(name)
    if field is None or not (field.external_id or field.name == "Id"):
        raise AsyncError("InvalidJob", f"Invalid external id field: {name}")
    return field.name


def _chunk_size(call: Call) -> int:
    """What `Sforce-Enable-PKChunking` asks for, such as `true` or `chunkSize=50000; parent=Account`."""
    said = call.request.headers.get("sforce-enable-pkchunking", "").strip()
    if not said or said.lower().startswith("false"):
        return 0
    size = _CHUNK_SIZE.search(said)
    return max(1, min(MAX_CHUNK, int(size[1]))) if size else DEFAULT_CHUNK


async def info(call: Call) -> Response:
    job = call.job()
    await call.org.bulk.polled(job)
    return _told(call)


async def change(call: Call) -> Response:
    """Closes the job, or aborts it."""
    state = (await call.said()).get("state", "")
    job = call.job()
    if state not in ("Closed", "Aborted"):
        raise AsyncError("InvalidJob", f"Unable to parse Job: no state {state!r}")
    if job.state is JobState.ABORTED or (job.state is JobState.CLOSED and state == "Closed"):
        verb = "Closing" if state == "Closed" else "Aborting"
        raise AsyncError("InvalidJobState", f"{verb} already {job.state} Job not allowed")
    if state == "Closed":
        call.org.bulk.jobs.change(job, state=JobState.CLOSED)
    else:
        call.org.bulk.abort(job)
    return _told(call)


def _told(call: Call) -> Response:
    job = call.job()
    batches = call.org.bulk.jobs.batches(job)
    return one("jobInfo", job_facts(job, batches, as_json=call.as_json), call.as_json)
