"""`POST /action/trigger`: a workflow, run now; its output is the answer."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from runner.calls.access import Access
from runner.definitions.model import Workflow
from runner.errors import CallError, NotConnected, RunningAlready, TerapiError, UsageError
from runner.server.api.find import find_connection, known_integration
from runner.server.errors import ApiError, of_ours, said
from runner.server.http import json, parts_of
from runner.server.parts import Parts
from runner.server.reading import flaws_of, no_query, read_body, read_place
from runner.store import Connection
from runner.workflow.life import Result
from runner.workflow.repeat import repeatable
from runner.workflow.run import Options, run_workflow

#: seconds that a workflow may wait, also for its turn, before it goes on without the caller
_HOLD = 10.0
#: headers of an upstream answer that are for terapi alone
_KEPT_BACK = frozenset({"set-cookie", "www-authenticate", "authorization"})


class Action(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which workflow, with which input."""

    action_name: Annotated[str, msgspec.Meta(pattern="^[a-zA-Z0-9_-]+$", max_length=255)]
    input: object = None


async def trigger(request: Request) -> Response:
    """200 with the output as it is, 202 with the run where that waits, for its turn too; 424 where the API
    refused a call, 500 where the workflow failed."""
    no_query(request)
    parts, place = parts_of(request), read_place(request)
    tries = _tries(request)
    action = await read_body(request, Action)
    known_integration(parts, place.integration, 400, "unknown_provider")
    connection = find_connection(parts, place.integration, place.connection, 400, "unknown_connection")
    workflow = _workflow(parts, action.action_name, place.integration)
    result = await _run(parts, workflow, connection, _input(action.input), tries)
    if result.cause is not None:
        raise _failure(result.cause, result)
    if result.status in ("waiting", "queued"):
        return json({"run": result.run, "status": result.status}, status=202)
    return json(result.output)


def _tries(request: Request) -> int:
    """How often it may be begun anew (`X-Max-Retries`)."""
    if request.headers.get("x-async", "").lower() == "true":
        raise flaws_of("headers", {"x-async": "workflows are answered when they are done; leave it out"})
    given = request.headers.get("x-max-retries", "0")
    if given not in ("0", "1", "2", "3", "4", "5"):
        raise flaws_of("headers", {"x-max-retries": "expected a number from 0 to 5"})
    return int(given)


def _workflow(parts: Parts, name: str, integration: str) -> Workflow:
    project = parts.access.project
    there = [one for one in project.workflows if integration in project.workflow(one).integrations]
    if name not in there:
        told = f"no workflow `{name}` runs on `{integration}`; there are: {', '.join(there) or 'none'}"
        raise ApiError(404, "not_found", told)
    return project.workflow(name, integration)


def _input(given: object) -> dict[str, object]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise flaws_of("body", {"input": "expected an object"})
    return given


async def _run(
    parts: Parts, workflow: Workflow, connection: Connection, given: dict[str, object], tries: int
) -> Result:
    """The result; begun anew where nothing was done and that may help."""

    options = Options(hold=_HOLD, patience=_HOLD, handed_on=True, started_by={"by": "api"})

    async def work(access: Access) -> Result:
        left = tries
        while True:
            result = await run_workflow(access, workflow, connection, given, options)
            failed = result.cause is not None and result.cause.transient and repeatable(result)
            if not failed or left < 1:
                return result
            left -= 1

    try:
        return await parts.engine.run(work)
    except RunningAlready as exc:
        raise ApiError(409, "running", said(exc)) from exc
    except UsageError as exc:
        raise ApiError(400, "invalid_action_input", said(exc)) from exc


def _failure(error: TerapiError, result: Result) -> ApiError:
    payload = {**error.as_data(), "run": result.run}
    if isinstance(error, CallError) and error.status is not None:
        headers = {name: value for name, value in error.headers.items() if name not in _KEPT_BACK}
        upstream = {"status": error.status, "headers": headers, "body": error.body}
        more = {"payload": payload, "upstream": upstream}
        return ApiError(424, "script_http_error", said(error), more=more)
    if isinstance(error, NotConnected):
        return of_ours(error)
    return ApiError(500, str(error.as_data()["kind"]), said(error), more={"payload": payload})
