"""The org's levers for tests, below /emulator/, for those who know the control token."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext

import msgspec
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.emulator import ids
from runner.emulator.errors import ApiError, OptionError
from runner.emulator.http import json, org_of
from runner.emulator.options import POLICIES, changed
from runner.emulator.org import Org
from runner.emulator.writer import Writer

HEADER = "X-Emulator-Token"

Endpoint = Callable[[Request], Awaitable[Response]]


def routes() -> list[Route]:
    return [
        Route("/emulator/faults", _guarded(faults), methods=["GET", "POST"]),
        Route("/emulator/tokens/expire", _guarded(expire), methods=["POST"]),
        Route("/emulator/log", _guarded(log), methods=["GET", "DELETE"]),
        Route("/emulator/records", _guarded(write), methods=["POST"]),
        Route("/emulator/commit", _guarded(commit), methods=["POST"]),
        Route("/emulator/clock", _guarded(advance), methods=["POST"]),
        Route("/emulator/locks", _guarded(locks), methods=["POST", "DELETE"]),
        Route("/emulator/policies", _guarded(policies), methods=["GET", "POST"]),
    ]


def _guarded(endpoint: Endpoint) -> Endpoint:
    async def guarded(request: Request) -> Response:
        given = request.headers.get(HEADER, "")
        if not secrets.compare_digest(given.encode(), org_of(request).control_token.encode()):
            raise ApiError(
                "INSUFFICIENT_ACCESS", f"The header {HEADER} must carry the control token", status=403
            )
        return await endpoint(request)

    return guarded


async def faults(request: Request) -> Response:
    """Takes `{"clear": true, "add": ["status:code=503,count=1"]}`; tells which are on and how often each
    struck.
    """
    org = org_of(request)
    said = await _object(request)
    if said.get("clear"):
        org.faults.clear()
    added = said.get("add", [])
    for spec in added if isinstance(added, list) else [added]:
        try:
            org.faults.add(str(spec))
        except OptionError as exc:
            raise ApiError("INVALID_FAULT", str(exc)) from exc
    return json({"faults": org.faults.listed()})


async def expire(request: Request) -> Response:
    """Ends every access token; with `{"refresh": true}` every refresh token too."""
    tokens, said = org_of(request).tokens, await _object(request)
    return json({"expired": tokens.expire_all() if said.get("refresh") else tokens.expire_access()})


async def log(request: Request) -> Response:
    """The latest requests, the oldest first; DELETE forgets them."""
    seen = org_of(request).log
    if request.method == "DELETE":
        seen.clear()
    return json({"requests": msgspec.to_builtins(list(seen))})


async def write(request: Request) -> Response:
    """Takes `{"object": "Contact", "create": [{…}], "update": [{"Id": …}], "delete": [id], "undelete": [id],
    "late_seconds": n}`, all in one transaction; gives the ids of the new records.
    """
    org, said = org_of(request), await _object(request)
    item = org.schema.get(str(said.get("object") or ""))
    if item is None:
        raise ApiError("INVALID_TYPE", f"There is no object {said.get('object')}")
    writer, late = Writer(org.records, item, org.user_id), said.get("late_seconds")
    if late is not None and not isinstance(late, int | float):
        raise ApiError("INVALID_ARGUMENT", "late_seconds is a number")
    with org.database.atomic(), _transaction(org, late):
        created = [writer.insert(values).id for values in _records(said, "create")]
        for values in _records(said, "update"):
            writer.update(values)
        for record_id in _ids(said, "delete"):
            writer.delete({"Id": record_id})
        for record_id in _ids(said, "undelete"):
            org.records.undelete(item, record_id, org.user_id)
    return json({"created": created})


def _transaction(org: Org, late: float | None) -> AbstractContextManager[None]:
    return nullcontext() if late is None else org.records.late.transaction(late)


def _records(said: dict[str, object], name: str) -> list[dict[str, object]]:
    return [record for record in _list(said, name, dict) if isinstance(record, dict)]


def _ids(said: dict[str, object], name: str) -> list[str]:
    return [str(record_id) for record_id in _list(said, name, str)]


def _list(said: dict[str, object], name: str, kind: type) -> list[object]:
    found = said.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, kind) for each in found):
        raise ApiError("INVALID_ARGUMENT", f"{name} is a list of {'objects' if kind is dict else 'ids'}")
    return found


async def commit(request: Request) -> Response:
    """Lets everything be seen that was to commit late."""
    return json({"committed": org_of(request).records.late.commit()})


async def advance(request: Request) -> Response:
    """Puts the org's clock forward by `{"advance_seconds": n}`."""
    clock, said = org_of(request).clock, await _object(request)
    seconds = said.get("advance_seconds", 0)
    if not isinstance(seconds, int | float) or not 0 <= seconds < 10**9:
        raise ApiError("INVALID_ARGUMENT", "advance_seconds is a number of seconds from 0")
    clock.advance(seconds)
    return json({"now": clock.stamp()})


async def policies(request: Request) -> Response:
    """Changes policies, `{"require_pkce": true}`, and tells them all."""
    org, said = org_of(request), await _object(request)
    try:
        org.options = changed(org.options, said)
    except OptionError as exc:
        raise ApiError("INVALID_ARGUMENT", str(exc)) from exc
    return json({name: getattr(org.options, name) for name in sorted(POLICIES)})


async def locks(request: Request) -> Response:
    """Holds a record, `{"id": "001…", "seconds": 60}`, so that writers meet UNABLE_TO_LOCK_ROW; DELETE lets
    go of all.
    """
    held = org_of(request).locks
    if request.method == "DELETE":
        held.release()
        return json({"held": None})
    said = await _object(request)
    record_id, seconds = ids.normalise(str(said.get("id", ""))), said.get("seconds", 3_600)
    if record_id is None or not isinstance(seconds, int | float) or not 0 < seconds < 10**9:
        raise ApiError("INVALID_ARGUMENT", "id is a record's id, seconds a number of seconds")
    held.hold(record_id, seconds)
    return json({"held": record_id})


async def _object(request: Request) -> dict[str, object]:
    body = await request.body()
    try:
        said = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError as exc:
        raise ApiError("JSON_PARSER_ERROR", str(exc)) from exc
    if not isinstance(said, dict):
        raise ApiError("JSON_PARSER_ERROR", "The body must be one JSON object")
    return said
