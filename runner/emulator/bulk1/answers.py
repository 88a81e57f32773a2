"""Answers of Bulk API 1.0: the same facts in XML or in JSON."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
from starlette.requests import Request
from starlette.responses import Response

from runner.emulator import clock
from runner.emulator.bulk.job import Batch, BatchState, Job
from runner.emulator.bulk.xml_rows import DATALOAD
from runner.emulator.errors import EmulatorError
from runner.emulator.xml import DECLARATION, leaf

XML, JSON = "application/xml", "application/json"

Facts = dict[str, object]


class AsyncError(EmulatorError):
    """An answer of Bulk API 1.0 that is no success."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def wants_json(request: Request) -> bool:
    """Whether the client speaks JSON; where it sends nothing, what it would like to hear tells."""
    said = request.headers.get("content-type") or request.headers.get("accept", "")
    return said.lower().startswith(JSON)


def refused(exc: AsyncError, *, as_json: bool) -> Response:
    return one("error", {"exceptionCode": exc.code, "exceptionMessage": exc.message}, as_json, exc.status)


def one(name: str, facts: Facts, as_json: bool, status: int = 200) -> Response:
    if as_json:
        return Response(orjson.dumps(facts), status, media_type=JSON)
    return _xml(f'<{name} xmlns="{DATALOAD}">{_leaves(facts)}</{name}>', status)


def batch_list(batches: list[Facts], as_json: bool) -> Response:
    if as_json:
        return Response(orjson.dumps({"batchInfo": batches}), media_type=JSON)
    listed = "".join(f"<batchInfo>{_leaves(facts)}</batchInfo>" for facts in batches)
    return _xml(f'<batchInfoList xmlns="{DATALOAD}">{listed}</batchInfoList>')


def result_list(result_ids: list[str], as_json: bool) -> Response:
    if as_json:
        return Response(orjson.dumps(result_ids), media_type=JSON)
    listed = "".join(leaf("result", result_id) for result_id in result_ids)
    return _xml(f'<result-list xmlns="{DATALOAD}">{listed}</result-list>')


def job_facts(job: Job, batches: list[Batch], *, as_json: bool) -> Facts:
    def states(state: BatchState) -> int:
        return sum(batch.state is state for batch in batches)

    took = sum(batch.took for batch in batches)
    return {
        "id": job.id,
        "operation": job.operation,
        "object": job.object,
        "createdById": job.user_id,
        "createdDate": _stamp(job.created_at, as_json),
        "systemModstamp": _stamp(job.changed_at, as_json),
        "state": job.state.value,
        **({"externalIdFieldName": job.external_id} if job.external_id else {}),
        "concurrencyMode": job.concurrency,
        "contentType": job.content_type,
        "numberBatchesQueued": states(BatchState.QUEUED),
        "numberBatchesInProgress": states(BatchState.RUNNING),
        "numberBatchesCompleted": states(BatchState.DONE),
        "numberBatchesFailed": states(BatchState.FAILED),
        "numberBatchesTotal": len(batches),
        "numberRecordsProcessed": sum(batch.processed for batch in batches),
        "numberRetries": 0,
        "apiVersion": float(job.version),
        "numberRecordsFailed": sum(batch.failed for batch in batches),
        "totalProcessingTime": took,
        "apiActiveProcessingTime": took,
        "apexProcessingTime": 0,
    }


def batch_facts(batch: Batch, *, as_json: bool) -> Facts:
    """JSON has a stateMessage always, XML where there is one."""
    message = {"stateMessage": batch.message or None} if as_json or batch.message else {}
    return {
        "id": batch.id,
        "jobId": batch.job_id,
        "state": batch.state.value,
        **message,
        "createdDate": _stamp(batch.created_at, as_json),
        "systemModstamp": _stamp(batch.changed_at, as_json),
        "numberRecordsProcessed": batch.processed,
        "numberRecordsFailed": batch.failed,
        "totalProcessingTime": batch.took,
        "apiActiveProcessingTime": batch.took,
        "apexProcessingTime": 0,
    }


def _xml(text: str, status: int = 200) -> Response:
    return Response(f"{DECLARATION}\n{text}", status, media_type=XML)


def _leaves(facts: Facts) -> str:
    return "".join(leaf(name, value) for name, value in facts.items())


def _stamp(seconds: float, as_json: bool) -> str:
    text = clock.write(datetime.fromtimestamp(seconds, UTC))
    return text if as_json else text.replace("+0000", "Z")
