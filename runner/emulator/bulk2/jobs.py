"""What query and ingest jobs have in common: how they are told, listed, aborted and deleted."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.responses import Response

from runner.emulator import clock
from runner.emulator.bulk.job import DELIMITERS, LINE_ENDINGS, Job
from runner.emulator.bulk2.call import Call, Shown, settled, shown
from runner.emulator.errors import ApiError
from runner.emulator.http import json

#: jobs in one answer
PAGE = 1_000
QUERY, INGEST = "V2Query", "V2Ingest"


def told(found: Shown) -> dict[str, object]:
    """A job as every answer has it."""
    job = found.job
    content = (
        {} if job.is_query else {"contentUrl": f"services/data/v{job.version}/jobs/ingest/{job.id}/batches"}
    )
    key = {"externalIdFieldName": job.external_id} if job.external_id else {}
    return {
        "id": job.id,
        "operation": job.operation,
        "object": job.object,
        "createdById": job.user_id,
        "createdDate": _stamp(job.created_at),
        "systemModstamp": _stamp(max(job.changed_at, found.batch.changed_at if found.batch else 0.0)),
        "state": found.state,
        **key,
        "concurrencyMode": job.concurrency,
        "contentType": job.content_type,
        "apiVersion": float(job.version),
        **content,
        "lineEnding": job.line_ending,
        "columnDelimiter": job.delimiter,
    }


def told_in_full(found: Shown) -> dict[str, object]:
    """A job with how far it is."""
    batch = found.batch
    counted: dict[str, object] = {
        "jobType": found.job.type,
        "numberRecordsProcessed": batch.processed if batch else 0,
        "retries": 0,
        "totalProcessingTime": batch.took if batch else 0,
    }
    if not found.job.is_query:
        counted |= {
            "numberRecordsFailed": batch.failed if batch else 0,
            "apiActiveProcessingTime": batch.took if batch else 0,
            "apexProcessingTime": 0,
        }
    if batch is not None and batch.message:
        counted["errorMessage"] = batch.message
    return {**told(found), **counted, "isPkChunkingSupported": found.job.is_query}


async def info(call: Call, kind: str) -> Response:
    return json(told_in_full(await settled(call, kind, polled=True)))


async def abort(call: Call, found: Shown) -> Response:
    """Raises ApiError INVALIDJOBSTATE for one that is over."""
    if found.batch is not None and found.batch.is_over:
        raise ApiError("INVALIDJOBSTATE", f"Aborting already {over(found)} Job not allowed")
    call.org.bulk.abort(found.job)
    return json(told(shown(call.org, found.job.id)))


async def delete(call: Call, kind: str) -> Response:
    found = await settled(call, kind)
    if found.state in ("Open", "InProgress"):
        raise ApiError("INVALIDJOBSTATE", f"Deleting a Job that is {found.state} not allowed")
    call.org.bulk.remove(found.job)
    return Response(status_code=204)


def listed(call: Call, kind: str) -> Response:
    """The latest first; a locator names the job with which the next page begins."""
    jobs = [job for job in call.org.bulk.jobs.listed() if _wanted(job, kind, call.query)]
    locator = call.query.get("queryLocator", "")
    first = next((place for place, job in enumerate(jobs) if job.id == locator), 0)
    page, rest = jobs[first : first + PAGE], jobs[first + PAGE :]
    name = "query" if kind == QUERY else "ingest"
    return json(
        {
            "done": not rest,
            "records": [told(shown(call.org, job.id)) | {"jobType": job.type} for job in page],
            "nextRecordsUrl": f"{call.base_url}/{name}?queryLocator={rest[0].id}" if rest else None,
        }
    )


def _wanted(job: Job, kind: str, query: dict[str, str]) -> bool:
    if job.type not in (kind, "Classic") or (job.type == "Classic" and job.is_query != (kind == QUERY)):
        return False
    chunked = query.get("isPkChunkingEnabled", "").lower() == "true"
    concurrency = query.get("concurrencyMode", "").lower()
    return (
        query.get("jobType", job.type) == job.type
        and (not chunked or job.chunk_size > 0)
        and concurrency in ("", job.concurrency.lower())
    )


def form(said: dict[str, object]) -> tuple[str, str]:
    """The delimiter and the ends of lines that a new job asks for. Raises ApiError."""
    if said.get("contentType", "CSV") != "CSV":
        raise ApiError("INVALIDVALUE", f"Unsupported content type: {said['contentType']}")
    delimiter, ending = str(said.get("columnDelimiter") or "COMMA"), str(said.get("lineEnding") or "LF")
    if delimiter not in DELIMITERS:
        raise ApiError("INVALIDVALUE", f"columnDelimiter must be one of {', '.join(DELIMITERS)}: {delimiter}")
    if ending not in LINE_ENDINGS:
        raise ApiError("INVALIDVALUE", f"lineEnding must be one of {', '.join(LINE_ENDINGS)}: {ending}")
    return delimiter, ending


def over(found: Shown) -> str:
    return {"JobComplete": "Completed"}.get(found.state, found.state)


def _stamp(seconds: float) -> str:
    return clock.write(datetime.fromtimestamp(seconds, UTC))
