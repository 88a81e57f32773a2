"""Which records were changed or deleted in a span of time (`updated`, `deleted`)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from starlette.responses import Response

from runner.emulator import clock
from runner.emulator.database import Row, quote
from runner.emulator.errors import ApiError
from runner.emulator.http import json
from runner.emulator.rest.call import Call

MINUTE = timedelta(minutes=1)
#: how far back each reaches, in days
UPDATED_REACH, DELETED_REACH = 30, 15
#: more are refused
MAX_IDS = 600_000


def updated(call: Call) -> Response:
    start, end = _span(call, UPDATED_REACH)
    rows = _changed(call, start, end, deleted=False)
    return json({"ids": [row[0] for row in rows], "latestDateCovered": clock.write(end)})


def deleted(call: Call) -> Response:
    start, end = _span(call, DELETED_REACH)
    rows = _changed(call, start, end, deleted=True)
    return json(
        {
            "deletedRecords": [{"deletedDate": row[1], "id": row[0]} for row in rows],
            "earliestDateAvailable": clock.write(call.org.clock.now() - timedelta(days=DELETED_REACH)),
            "latestDateCovered": clock.write(end),
        }
    )


def _changed(call: Call, start: datetime, end: datetime, *, deleted: bool) -> list[Row]:
    rows = call.org.database.rows(
        f"SELECT Id, SystemModstamp FROM {quote(call.item().name)}"  # noqa: S608
        " WHERE SystemModstamp >= ? AND SystemModstamp < ? AND IsDeleted = ?"
        " ORDER BY SystemModstamp, n LIMIT ?",
        (clock.write(start), clock.write(end), int(deleted), MAX_IDS + 1),
    )
    if len(rows) > MAX_IDS:
        raise ApiError("EXCEEDED_ID_LIMIT", "the maximum number of ids was exceeded; narrow the time span")
    return rows


def _span(call: Call, reach: int) -> tuple[datetime, datetime]:
    """From `start` to `end`, whose seconds the API ignores."""
    start, end = (_moment(call, name) for name in ("start", "end"))
    now = call.org.clock.now()
    if end - start < MINUTE:
        raise _wrong("endDate must be at least one minute greater than startDate")
    if start < now - timedelta(days=reach) - MINUTE:
        raise _wrong(f"startDate cannot be more than {reach} days ago")
    return start, min(end, now.replace(second=0, microsecond=0))


def _moment(call: Call, name: str) -> datetime:
    text = call.query.get(name, "")
    if not text:
        raise ApiError("MISSING_ARGUMENT", f"Required parameter '{name}' is missing")
    # A plus sign that was not encoded arrives as a space.
    try:
        moment = clock.read(text.strip().replace(" ", "+"))
    except ValueError as exc:
        raise ApiError("INVALID_FIELD", f"'{text}' is not a valid value for the type xsd:dateTime") from exc
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def _wrong(message: str) -> ApiError:
    return ApiError("INVALID_REPLICATION_DATE", message)
