"""Query jobs."""

from __future__ import annotations

import base64
import binascii
import re

from starlette.responses import Response

from runner.emulator.bulk.files import RowFile
from runner.emulator.bulk.job import QUERIES, Job, JobState
from runner.emulator.bulk.selection import table
from runner.emulator.bulk.start import start
from runner.emulator.bulk.transfer import send_blocks
from runner.emulator.bulk2 import jobs
from runner.emulator.bulk2.call import Call, Shown, settled
from runner.emulator.errors import ApiError
from runner.emulator.http import json
from runner.emulator.soql.compile import Asked

FIELDS = frozenset({"operation", "query", "contentType", "columnDelimiter", "lineEnding"})
#: URLs in one answer of `resultPages`
URLS = 5
_ROW = re.compile(r"[0-9]{1,18}")


async def create(call: Call) -> Response:
    """The query is looked at before there is a job."""
    said = await call.said(FIELDS)
    operation, soql = str(said.get("operation")), said.get("query")
    if operation not in QUERIES:
        raise ApiError("INVALIDOPERATION", f"Operation must be query or queryAll: {operation}")
    if not isinstance(soql, str) or not soql.strip():
        raise ApiError("MALFORMED_QUERY", "A query string has to be specified")
    delimiter, ending = jobs.form(said)
    asked = Asked(text=soql, now=call.org.clock.now(), base_url="")
    found = table(asked, call.org.visible, call.version)
    job = call.org.bulk.jobs.add(
        lambda job_id, now: Job(
            id=job_id,
            type="V2Query",
            operation=operation,
            object=found.records.item.name,
            user_id=call.user_id,
            version=call.version,
            created_at=now,
            changed_at=now,
            state=JobState.CLOSED,
            soql=soql,
            delimiter=delimiter,
            line_ending=ending,
        )
    )
    batch = start(call.org, call.request, job)
    await call.org.bulk.settle(job)
    return json(jobs.told(Shown(job=job, batch=batch)))


async def info(call: Call) -> Response:
    return await jobs.info(call, jobs.QUERY)


async def change(call: Call) -> Response:
    """Aborts it: nothing else can be done to a query job."""
    state = (await call.said(frozenset({"state"}))).get("state")
    if state != "Aborted":
        raise ApiError("INVALIDJOBSTATE", f"A query job cannot be set to {state}")
    return await jobs.abort(call, await settled(call, jobs.QUERY))


async def delete(call: Call) -> Response:
    return await jobs.delete(call, jobs.QUERY)


async def listed(call: Call) -> Response:
    return jobs.listed(call, jobs.QUERY)


async def results(call: Call) -> Response:
    """A page of CSV, with its header; 204 where there is none yet."""
    found = await settled(call, jobs.QUERY)
    if found.state != "JobComplete":
        return Response(status_code=204)
    rows = _rows(call, found)
    first = _place(call.query["locator"], rows) if call.query.get("locator") else 0
    end = min(rows.count, first + _page_size(call))
    size, body = rows.page(first, end)
    answer = send_blocks(body, size, "text/csv; charset=UTF-8")
    answer.headers["Sforce-NumberOfRecords"] = str(end - first)
    answer.headers["Sforce-Locator"] = _locator(end) if end < rows.count else "null"
    return answer


async def result_pages(call: Call) -> Response:
    """URLs of pages that may be read side by side."""
    found = await settled(call, jobs.QUERY)
    if found.state != "JobComplete":
        raise ApiError("INVALIDJOBSTATE", f"The job must be JobComplete, it is {found.state}")
    rows, size = _rows(call, found), call.org.options.result_rows
    first = _place(call.query["locator"], rows) if call.query.get("locator") else 0
    starts = list(range(first, max(rows.count, 1), size))
    url, more = f"{call.base_url}/query/{found.job.id}", starts[URLS:]
    return json(
        {
            "resultPages": [
                {"resultUrl": f"{url}/results?locator={_locator(start)}"} for start in starts[:URLS]
            ],
            "nextRecordsUrl": f"{url}/resultPages?locator={_locator(more[0])}" if more else None,
            "done": not more,
        }
    )


def _rows(call: Call, found: Shown) -> RowFile:
    if found.job.version != call.version:
        message = f"The job was created with API version {found.job.version}; use it to get the results"
        raise ApiError("API_ERROR", message, status=409)
    return RowFile(call.org.bulk.files.path(found.job.id, "result"))


def _page_size(call: Call) -> int:
    most, wished = call.org.options.result_rows, call.query.get("maxRecords", "")
    if not wished:
        return most
    if not _ROW.fullmatch(wished) or int(wished) < 1:
        raise ApiError("INVALIDVALUE", f"maxRecords must be a number from 1: {wished[:40]}")
    return min(most, int(wished))


def _locator(row: int) -> str:
    return base64.urlsafe_b64encode(str(row).encode()).decode().rstrip("=")


def _place(locator: str, rows: RowFile) -> int:
    """The row with which a page begins. Raises ApiError INVALID_QUERY_LOCATOR."""
    try:
        text = base64.b64decode(locator + "=" * (-len(locator) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    if not _ROW.fullmatch(text) or _locator(int(text)) != locator or int(text) > rows.count:
        raise ApiError("INVALID_QUERY_LOCATOR", "invalid query locator")
    return int(text)
