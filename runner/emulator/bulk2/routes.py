"""Finds the handler of a call of Bulk API 2.0, and sees to what all of them share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from runner.emulator.bulk2 import ingest, query
from runner.emulator.bulk2.call import Call
from runner.emulator.errors import ApiError, not_found
from runner.emulator.http import json, org_of
from runner.emulator.org import Org
from runner.emulator.rest.web import compressed, path_parts, version_of
from runner.emulator.sessions import bearer, user_of

Handler = Callable[[Call], Awaitable[Response]]

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
#: where the parts of a path begin that tell one resource from another: /services/data/vNN.0/jobs/…
BEFORE = 4
RESOURCES: dict[tuple[str, ...], dict[str, Handler]] = {
    ("query",): {"GET": query.listed, "POST": query.create},
    ("query", "{job}"): {"GET": query.info, "PATCH": query.change, "DELETE": query.delete},
    ("query", "{job}", "results"): {"GET": query.results},
    ("query", "{job}", "resultPages"): {"GET": query.result_pages},
    ("ingest",): {"GET": ingest.listed, "POST": ingest.create},
    ("ingest", "{job}"): {"GET": ingest.info, "PATCH": ingest.change, "DELETE": ingest.delete},
    ("ingest", "{job}", "batches"): {"PUT": ingest.upload},
    ("ingest", "{job}", "successfulresults"): {"GET": ingest.succeeded},
    ("ingest", "{job}", "failedresults"): {"GET": ingest.failed},
    ("ingest", "{job}", "unprocessedrecords"): {"GET": ingest.unprocessed},
}


def routes() -> list[Route]:
    return [Route("/services/data/{version}/jobs/{rest:path}", _bulk, methods=METHODS)]


async def _bulk(request: Request) -> Response:
    org = org_of(request)
    try:
        answer = await _answer(org, request)
    except ApiError as exc:
        answer = json(exc.body(), exc.status)
    answer.headers["Sforce-Limit-Info"] = org.usage.header
    if isinstance(answer, StreamingResponse):
        return answer
    return compressed(answer, request, org.options.compress_below)


async def _answer(org: Org, request: Request) -> Response:
    parts = path_parts(request)
    version = version_of(parts[2])
    user_id = user_of(org, bearer(request))
    org.usage.count()
    handlers, opened = _find(parts[BEFORE:])
    handler = handlers.get(request.method)
    if handler is None:
        allowed = ",".join(sorted(handlers))
        message = f"HTTP Method '{request.method}' not allowed. Allowed are {allowed}"
        raise ApiError("METHOD_NOT_ALLOWED", message, status=405)
    return await handler(Call(org=org, request=request, version=version, user_id=user_id, path=opened))


def _find(parts: list[str]) -> tuple[dict[str, Handler], dict[str, str]]:
    """The API does not mind the case of the words; a slash may end the path."""
    job = {"job": parts[1]} if len(parts) > 1 else {}
    words = tuple(part.lower() for part in parts)
    for path, handlers in RESOURCES.items():
        if len(words) == len(path) and all(
            pattern == "{job}" or pattern.lower() == word for pattern, word in zip(path, words, strict=True)
        ):
            return handlers, job
    raise not_found()
