"""`GET /connections` and `GET /connections/{id}`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from runner.auth.tokens import Held
from runner.errors import CallError, NotConnected, TerapiError
from runner.server.api.credentials import shown
from runner.server.api.find import find_connection, known_integration
from runner.server.errors import ApiError, of_ours
from runner.server.http import json, parts_of
from runner.server.parts import Parts
from runner.server.reading import read_query
from runner.store import Connection, Store, Wanted

_TAG = re.compile(r"tags\[([^\]]+)\]")
#: how many are listed where nobody says how many
_MANY = 10_000


class ListQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which connections are wanted."""

    connection_id: str | None = msgspec.field(name="connectionId", default=None)
    search: str | None = None
    end_user_id: str | None = msgspec.field(name="endUserId", default=None)
    organization_id: str | None = msgspec.field(name="endUserOrganizationId", default=None)
    #: several with commas
    integration_id: str | None = msgspec.field(name="integrationId", default=None)
    limit: Annotated[int, msgspec.Meta(ge=1, le=2000)] | None = None
    page: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0


class OneQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose connection it is, and what is wanted of it."""

    provider_config_key: str
    force_refresh: bool = False
    refresh_token: bool = False
    #: asked with every call by existing clients; it concerns no auth mode that is here
    refresh_github_app_jwt_token: bool = False


async def many(request: Request) -> Response:
    """The connections, without their credentials."""
    query = read_query(request, ListQuery, besides=_TAG)
    wanted = Wanted(
        id=query.connection_id,
        text=query.search,
        user=query.end_user_id,
        organization=query.organization_id,
        integrations=query.integration_id.split(",") if query.integration_id else None,
        tags=_tags(request),
    )
    return await asyncio.to_thread(_page, parts_of(request).access.store, wanted, query)


def _tags(request: Request) -> dict[str, str]:
    """The query's `tags[name]=value`; names count in any case."""
    given = request.query_params.items()
    return {found[1].lower(): value for name, value in given if (found := _TAG.fullmatch(name))}


def _page(store: Store, wanted: Wanted, query: ListQuery) -> Response:
    limit = query.limit or _MANY
    found = store.connections.search(wanted, limit=limit, offset=query.page * limit)
    failing = _by_place(store.runs.failing_syncs())
    return json(
        {"connections": [{**_listed(each, failing), "created": _time(each.created_at)} for each in found]}
    )


async def one(request: Request) -> Response:
    """A connection with credentials that work now."""
    parts = parts_of(request)
    query = read_query(request, OneQuery)
    known_integration(parts, query.provider_config_key, 400, "unknown_provider_config")
    id = request.path_params["id"]
    found = find_connection(parts, query.provider_config_key, id, 404, "not_found")
    held = await _working(parts, found, force=query.force_refresh)
    await asyncio.to_thread(parts.access.store.connections.touch, held.connection)
    credentials = shown(held.credentials, refresh_token=query.refresh_token)
    return json({**_full(parts, held.connection), "credentials": credentials})


async def _working(parts: Parts, connection: Connection, *, force: bool) -> Held:
    """The connection with its credentials, renewed where they are due or it is wished."""
    tokens = parts.access.tokens
    provider = parts.access.project.provider(connection.integration)
    try:
        held = tokens.open(connection)
        wished = force and held.credentials.renewable
        return await (tokens.renew(provider, held) if wished else tokens.fresh(provider, held))
    except (NotConnected, CallError) as exc:
        raise _unusable(parts, connection, exc) from exc


def _unusable(parts: Parts, connection: Connection, error: TerapiError) -> ApiError:
    """424 where a person must connect it again; where the API failed, the status that it failed with."""
    status = getattr(error, "status", None)
    current = parts.access.store.connections.get(connection.integration, connection.id) or connection
    payload = {"connection": _full(parts, current)}
    failed = status if isinstance(status, int) and status >= 500 else 424
    return ApiError(failed, "invalid_credentials", of_ours(error).message, more={"payload": payload})


def _full(parts: Parts, connection: Connection) -> dict[str, object]:
    failing = _by_place(parts.access.store.runs.failing_syncs(connection.integration, connection.id))
    fetched = connection.last_fetched_at
    return {
        **_listed(connection, failing),
        "created_at": _time(connection.created_at),
        "updated_at": _time(connection.updated_at),
        "last_fetched_at": None if fetched is None else _time(fetched),
        "connection_config": connection.config,
        "webhook_url_override": None,
    }


def _by_place(failing: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str], list[str]]:
    """The runs that failed, by integration and connection."""
    found: dict[tuple[str, str], list[str]] = {}
    for integration, connection, run in failing:
        found.setdefault((integration, connection), []).append(run)
    return found


def _listed(connection: Connection, failing: Mapping[tuple[str, str], list[str]]) -> dict[str, object]:
    errors = [{"type": "auth", "log_id": f"connection-{connection.number}"}] if connection.error else []
    runs = failing.get((connection.integration, connection.id), [])
    errors += [{"type": "sync", "log_id": run} for run in runs]
    return {
        "id": connection.number,
        "connection_id": connection.id,
        "provider_config_key": connection.integration,
        "provider": connection.provider,
        "metadata": connection.metadata,
        "tags": connection.tags,
        "errors": errors,
        "end_user": connection.end_user,
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
