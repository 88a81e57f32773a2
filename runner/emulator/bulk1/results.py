"""What was sent as a batch, and what came of it."""

from __future__ import annotations

import zlib

from starlette.responses import Response

from runner.emulator import ids
from runner.emulator.bulk.files import RowFile
from runner.emulator.bulk.job import Batch, BatchState, Job
from runner.emulator.bulk.transfer import send, send_blocks
from runner.emulator.bulk1.answers import AsyncError, result_list
from runner.emulator.bulk1.batches import MEDIA
from runner.emulator.bulk1.call import Call

RESULT_PREFIX = "752"
#: one batch has fewer results
MAX_RESULTS = 1_000


async def request(call: Call) -> Response:
    """The data of a batch as they were sent."""
    job = call.job()
    path = call.org.bulk.files.path(call.batch(job).id, "request")
    if not path.exists():
        raise AsyncError("InvalidBatch", f"The batch has no data: {call.batch_id}")
    return send(path, MEDIA[job.content_type])


async def results(call: Call) -> Response:
    """Of a query the ids of its results; of an upload the outcome of each record."""
    job, batch = await _over(call)
    if job.is_query:
        return result_list(_result_ids(call, job, batch), job.content_type == "JSON")
    return send(call.org.bulk.files.path(batch.id, "result"), MEDIA[job.content_type])


async def result(call: Call) -> Response:
    """The records of one result of a query."""
    job, batch = await _over(call)
    known = _result_ids(call, job, batch) if job.is_query else []
    wanted = ids.normalise(call.result_id)
    if wanted not in known:
        raise AsyncError("InvalidBatch", f"Unable to find result for id: {call.result_id}")
    path = call.org.bulk.files.path(batch.id, "result")
    if job.content_type != "CSV":
        return send(path, MEDIA[job.content_type])
    rows, size = RowFile(path), call.org.options.result_rows
    first = known.index(wanted) * size
    length, body = rows.page(first, min(rows.count, first + size))
    return send_blocks(body, length, MEDIA["CSV"])


async def _over(call: Call) -> tuple[Job, Batch]:
    job = call.job()
    await call.org.bulk.settle(job)
    batch = call.batch(call.job())
    if batch.state is not BatchState.DONE:
        message = f"Batch {batch.state}" if batch.is_over else "Batch not completed"
        raise AsyncError("InvalidBatch", message)
    return job, batch


def _result_ids(call: Call, job: Job, batch: Batch) -> list[str]:
    """CSV is given in parts of no more rows than one answer of the org has."""
    parts = -(-batch.processed // call.org.options.result_rows) if job.content_type == "CSV" else 1
    number = zlib.crc32(batch.id.encode()) * MAX_RESULTS
    return [ids.make(RESULT_PREFIX, number + part) for part in range(max(1, parts))]
