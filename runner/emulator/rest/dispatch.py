"""From a path to the function that answers it; for requests, and for the calls inside a composite one."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote

import msgspec
import orjson
from starlette.responses import Response

from runner.emulator.errors import ApiError, not_found
from runner.emulator.http import json
from runner.emulator.records import Several
from runner.emulator.rest import web
from runner.emulator.rest.call import Call, Resource


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One call inside another one."""

    method: str
    url: str
    #: names in lower case
    headers: Mapping[str, str] = {}
    #: as JSON has it; None for none
    body: object = None


def find(resources: tuple[Resource, ...], parts: list[str]) -> tuple[Resource, dict[str, str]]:
    """Raises ApiError NOT_FOUND."""
    for resource in resources:
        opened = resource.match(parts)
        if opened is not None:
            return resource, opened
    raise not_found()


def answer(resource: Resource, call: Call) -> Response:
    """Raises ApiError."""
    handler = resource.handlers.get(call.method)
    if handler is None:
        allowed = ",".join(sorted({*resource.handlers, *(("HEAD",) if "GET" in resource.handlers else ())}))
        message = f"HTTP Method '{call.method}' not allowed. Allowed are {allowed}"
        raise ApiError("METHOD_NOT_ALLOWED", message, status=405)
    try:
        return handler(call)
    except Several as exc:
        name = call.item().name
        return json([f"{call.base_url}/sobjects/{name}/{record_id}" for record_id in exc.ids], 300)


def perform(call: Call, part: Part) -> Response:
    """The answer to a call inside ``call``; also where it is a refusal."""
    path, _, query = part.url.partition("?")
    try:
        version, *parts = _parts(path)
        resource, opened = find(call.resources, parts)
        inner = msgspec.structs.replace(
            call,
            method=part.method.upper(),
            version=web.version_of(version),
            path=opened,
            query=dict(parse_qsl(query, keep_blank_values=True)),
            headers={**part.headers, "content-type": "application/json"},
            body=b"" if part.body is None else orjson.dumps(part.body),
        )
        return answer(resource, inner)
    except ApiError as exc:
        return json(exc.body(), exc.status)


def _parts(path: str) -> list[str]:
    """The parts of a path from the version on; `/services/data` before it may be left out."""
    parts = [unquote(part) for part in path.split("/") if part]
    if parts[:2] == ["services", "data"]:
        parts = parts[2:]
    if not parts:
        raise not_found()
    return parts
