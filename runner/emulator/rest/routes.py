"""Finds the handler of a REST call, and sees to what all of them share: session, count of calls, errors."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from urllib.parse import unquote

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from runner.emulator.errors import ApiError, not_found
from runner.emulator.http import json, org_of
from runner.emulator.org import Org
from runner.emulator.records import Several
from runner.emulator.rest import about, changes, describe, query, records
from runner.emulator.rest.call import Call
from runner.emulator.sessions import bearer, user_of

Handler = Callable[[Call], Response]

ROOT = ["services", "data"]
#: compressing less than this saves nothing
MIN_COMPRESSED = 1_024


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    #: parts of the path behind the version; one in braces is open
    path: tuple[str, ...]
    #: by method
    handlers: dict[str, Handler]

    def match(self, parts: list[str]) -> dict[str, str] | None:
        if len(parts) != len(self.path):
            return None
        opened = {}
        for pattern, part in zip(self.path, parts, strict=True):
            if pattern.startswith("{"):
                opened[pattern[1:-1]] = part
            elif pattern != part:
                return None
        return opened


def _resource(path: str, **handlers: Handler) -> Resource:
    return Resource(path=tuple(part for part in path.split("/") if part), handlers=handlers)


RESOURCES = (
    _resource("/", GET=about.resources),
    _resource("/limits", GET=about.limits),
    _resource("/recent", GET=about.recent),
    _resource("/query", GET=query.query),
    _resource("/queryAll", GET=query.query_all),
    _resource("/query/{locator}", GET=query.more),
    _resource("/queryAll/{locator}", GET=query.more),
    _resource("/sobjects", GET=describe.everything),
    _resource("/sobjects/{object}", GET=describe.basics, POST=records.create),
    _resource("/sobjects/{object}/describe", GET=describe.describe),
    _resource("/sobjects/{object}/updated", GET=changes.updated),
    _resource("/sobjects/{object}/deleted", GET=changes.deleted),
    _resource("/sobjects/{object}/{id}", GET=records.retrieve, PATCH=records.update, DELETE=records.delete),
    _resource(
        "/sobjects/{object}/{field}/{value}",
        GET=records.retrieve_by_key,
        PATCH=records.upsert,
        DELETE=records.delete_by_key,
    ),
)


async def rest(request: Request) -> Response:
    """Everything below /services/data."""
    org = org_of(request)
    try:
        answer = _answer(org, request, await request.body())
    except ApiError as exc:
        answer = json(exc.body(), exc.status)
    answer.headers["Sforce-Limit-Info"] = org.usage.header
    return compressed(answer, request, org.options.compress_below)


def _answer(org: Org, request: Request, body: bytes) -> Response:
    parts = path_parts(request)[len(ROOT) :]
    if not parts:
        return json(about.versions())
    version = version_of(parts[0])
    user_id = user_of(org, bearer(request))
    org.usage.count()
    resource, opened = _find(parts[1:])
    method = _method(request)
    handler = resource.handlers.get(method)
    if handler is None:
        allowed = ",".join(sorted({"HEAD", *resource.handlers}))
        message = f"HTTP Method '{method}' not allowed. Allowed are {allowed}"
        raise ApiError("METHOD_NOT_ALLOWED", message, status=405)
    call = Call(
        org=org,
        method=method,
        version=version,
        user_id=user_id,
        path=opened,
        query=request.query_params,
        headers=request.headers,
        body=body,
    )
    try:
        return handler(call)
    except Several as exc:
        return records.several(call, exc)


def path_parts(request: Request) -> list[str]:
    """The path's parts as they were sent: an encoded slash belongs to a value."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    return [unquote(part) for part in raw.partition(b"?")[0].decode("latin-1").split("/") if part]


def version_of(part: str) -> str:
    """62.0 for v62.0. Raises ApiError NOT_FOUND for a version that there is not."""
    known = {f"v{number}.0" for number in range(about.FIRST_VERSION, about.LAST_VERSION + 1)}
    if part not in known:
        raise not_found()
    return part[1:]


def _find(parts: list[str]) -> tuple[Resource, dict[str, str]]:
    for resource in RESOURCES:
        opened = resource.match(parts)
        if opened is not None:
            return resource, opened
    raise not_found()


def _method(request: Request) -> str:
    """HEAD is answered as GET; a POST may say that it means another method."""
    if request.method == "HEAD":
        return "GET"
    return request.query_params.get("_HttpMethod", "POST") if request.method == "POST" else request.method


def compressed(answer: Response, request: Request, limit: int) -> Response:
    body = bytes(answer.body)
    wished = "gzip" in request.headers.get("accept-encoding", "")
    if wished and MIN_COMPRESSED <= len(body) <= limit:
        answer.body = gzip.compress(body, 1)
        answer.headers["Content-Encoding"] = "gzip"
        answer.headers["Content-Length"] = str(len(answer.body))
        answer.headers["Vary"] = "Accept-Encoding"
    return answer
