"""Conditional requests (RFC 9110 §13): by the time of the last change, and by entity tags."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import Response

from runner.emulator import clock
from runner.emulator.errors import ApiError
from runner.emulator.http import json
from runner.emulator.rest.call import Call


def tag(row: object) -> str:
    """The entity tag of a record, by all that its columns keep."""
    return f'"{hashlib.blake2b(repr(row).encode("utf-8", "replace"), digest_size=12).hexdigest()}"'


def dated(answer: Response, modified: str, etag: str | None = None) -> Response:
    """The answer with the time of its last change, written as records have it, and its entity tag."""
    moment = clock.read(modified).replace(microsecond=0)
    answer.headers["Last-Modified"] = format_datetime(moment.astimezone(UTC), usegmt=True)
    if etag is not None:
        answer.headers["ETag"] = etag
    return answer


def conditional(request: Request, answer: Response) -> Response:
    """304 for what the client has already, 412 for what it wants only as it was."""
    modified, etag = answer.headers.get("last-modified"), answer.headers.get("etag")
    if request.method not in ("GET", "HEAD") or answer.status_code != 200 or modified is None:
        return answer
    if _fails(request.headers.get("if-match"), request.headers.get("if-unmodified-since"), etag, modified):
        return json(_failed().body(), 412)
    if _fresh(request, etag, modified):
        kept = {name: value for name, value in answer.headers.items() if name in ("etag", "last-modified")}
        return Response(status_code=304, headers=kept)
    return answer


def check(call: Call, etag: str, modified: str) -> None:
    """Before a write. Raises ApiError PRECONDITION_FAILED."""
    when = format_datetime(clock.read(modified).astimezone(UTC), usegmt=True)
    if _fails(call.headers.get("if-match"), call.headers.get("if-unmodified-since"), etag, when):
        raise _failed()


def _failed() -> ApiError:
    message = "The record has been changed since the time, or from the state, that the request names"
    return ApiError("PRECONDITION_FAILED", message, status=412)


def _fails(match: str | None, since: str | None, etag: str | None, modified: str) -> bool:
    """If-Match comes before If-Unmodified-Since (RFC 9110 §13.2.2)."""
    if match is not None and etag is not None:
        return not _matches(match, etag)
    before = _moment(since)
    return before is not None and _later(modified, before)


def _fresh(request: Request, etag: str | None, modified: str) -> bool:
    """If-None-Match comes before If-Modified-Since."""
    unless = request.headers.get("if-none-match")
    if unless is not None and etag is not None:
        return _matches(unless, etag)
    since = _moment(request.headers.get("if-modified-since"))
    return since is not None and not _later(modified, since)


def _matches(wished: str, etag: str) -> bool:
    names = {
        name.strip().removeprefix("W/").removesuffix('--gzip"').rstrip('"') for name in wished.split(",")
    }
    return "*" in names or etag.rstrip('"') in names


def _moment(text: str | None) -> datetime | None:
    """An HTTP date; one that is none counts as not given (RFC 9110 §13.1.3)."""
    try:
        moment = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _later(modified: str, moment: datetime) -> bool:
    return parsedate_to_datetime(modified) > moment
