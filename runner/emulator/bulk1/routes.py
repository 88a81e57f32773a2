"""Finds the handler of a call of Bulk API 1.0, and sees to what all of them share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from runner.emulator.bulk1 import batches, jobs, results
from runner.emulator.bulk1.answers import AsyncError, refused, wants_json
from runner.emulator.bulk1.call import Call
from runner.emulator.errors import ApiError
from runner.emulator.http import org_of
from runner.emulator.org import Org
from runner.emulator.rest.web import compressed, version_of
from runner.emulator.sessions import bearer, user_of

Handler = Callable[[Call], Awaitable[Response]]

ROOT = "/services/async/{version}/job"
_CODES = {"INVALID_SESSION_ID": "InvalidSessionId", "REQUEST_LIMIT_EXCEEDED": "ExceededQuota"}


def routes() -> list[Route]:
    return [
        _route("", POST=jobs.create),
        _route("/{job_id}", GET=jobs.info, POST=jobs.change),
        _route("/{job_id}/batch", GET=batches.listed, POST=batches.add),
        _route("/{job_id}/batch/{batch_id}", GET=batches.info),
        _route("/{job_id}/batch/{batch_id}/request", GET=results.request),
        _route("/{job_id}/batch/{batch_id}/result", GET=results.results),
        _route("/{job_id}/batch/{batch_id}/result/{result_id}", GET=results.result),
        Route("/services/async/{rest:path}", _nowhere, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ]


def _route(path: str, **handlers: Handler) -> Route:
    async def endpoint(request: Request) -> Response:
        org = org_of(request)
        try:
            answer = await handlers[request.method](_call(org, request))
        except AsyncError as exc:
            return refused(exc, as_json=wants_json(request))
        if isinstance(answer, StreamingResponse):
            return answer
        return compressed(answer, request, org.options.compress_below)

    return Route(ROOT + path, endpoint, methods=sorted(handlers))


def _call(org: Org, request: Request) -> Call:
    opened = dict(request.path_params)
    token = request.headers.get("x-sfdc-session", "").strip() or bearer(request)
    try:
        version = version_of("v" + opened.pop("version").removeprefix("v"))
        user_id = user_of(org, token)
        org.usage.count()
    except ApiError as exc:
        code = _CODES.get(exc.code, "InvalidUrl")
        raise AsyncError(code, "Invalid session id" if code == "InvalidSessionId" else exc.message) from exc
    return Call(org=org, request=request, version=version, user_id=user_id, **opened)


async def _nowhere(request: Request) -> Response:
    gone = AsyncError("InvalidUrl", f"Destination URL not reachable: {request.url.path}", status=404)
    return refused(gone, as_json=wants_json(request))
