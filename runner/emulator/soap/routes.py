"""Finds the handler of a SOAP call, and sees to what all of them share."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.emulator.errors import ApiError
from runner.emulator.http import address_of, org_of
from runner.emulator.org import Org
from runner.emulator.rest.web import version_of
from runner.emulator.sessions import user_of
from runner.emulator.soap import envelope, reading, sessions, writing
from runner.emulator.soap.call import Call

Handler = Callable[[Call], list[str]]

CALLS: dict[str, Handler] = {
    "logout": sessions.logout,
    "getUserInfo": sessions.user_info,
    "getServerTimestamp": sessions.server_timestamp,
    "query": reading.query,
    "queryAll": reading.query_all,
    "queryMore": reading.query_more,
    "retrieve": reading.retrieve,
    "describeGlobal": reading.describe_global,
    "describeSObject": reading.describe_objects,
    "describeSObjects": reading.describe_objects,
    "create": writing.create,
    "update": writing.update,
    "upsert": writing.upsert,
    "delete": writing.delete,
    "undelete": writing.undelete,
    "emptyRecycleBin": writing.empty_recycle_bin,
}


def routes() -> list[Route]:
    path = "/services/Soap/u/{version}"
    return [Route(path, _soap, methods=["POST"]), Route(f"{path}/{{org_id}}", _soap, methods=["POST"])]


async def _soap(request: Request) -> Response:
    try:
        header, body = envelope.read(await request.body())
        version = _version(request.path_params["version"])
        call = Call(
            org=org_of(request), version=version, header=header, body=body, address=address_of(request)
        )
        return envelope.answer(body.name, _results(call))
    except ApiError as exc:
        return envelope.fault(exc)


def _version(text: str) -> str:
    try:
        return version_of(f"v{text}")
    except ApiError as exc:
        raise ApiError("UNSUPPORTED_API_VERSION", f"Invalid Api version specified on URL: {text}") from exc


def _results(call: Call) -> list[str]:
    if call.body.name == "login":
        return sessions.login(call)
    handler = CALLS.get(call.body.name)
    if handler is None:
        raise ApiError("UNKNOWN_EXCEPTION", f"No operation available for request {call.body.name}")
    return handler(msgspec.structs.replace(call, user_id=_user(call.org, call.token)))


def _user(org: Org, token: str) -> str:
    try:
        user_id = user_of(org, token)
    except ApiError as exc:
        message = "Invalid Session ID found in SessionHeader: Illegal Session"
        raise ApiError("INVALID_SESSION_ID", message) from exc
    org.usage.count()
    return user_id
