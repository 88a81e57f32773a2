"""`POST /sync/trigger`: syncs that are to run, kept until they have."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from runner.server.api.find import find_connection, known_integration
from runner.server.errors import ApiError
from runner.server.http import json, parts_of
from runner.server.parts import Parts
from runner.server.reading import flaws_of, no_query, read_body
from runner.store import SyncRequest, Wanted

_Name = Annotated[str, msgspec.Meta(pattern="^[a-zA-Z0-9_-]+(::[a-zA-Z0-9_-]+)?$", max_length=255)]
_MODES = {"incremental": "changed", "full_refresh": "full", "full_refresh_and_clear_cache": "empty"}


class Variant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sync by its name and its variant's."""

    name: _Name
    variant: str = "base"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much is read again."""

    reset: bool = False
    empty_cache: bool = msgspec.field(name="emptyCache", default=False)


class Trigger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which syncs are to run, for whom, and how."""

    provider_config_key: str
    #: none for all
    syncs: list[_Name | Variant] = []
    #: none for all
    connection_id: str | None = None
    opts: Options | None = None
    sync_mode: Literal["incremental", "full_refresh", "full_refresh_and_clear_cache"] | None = None


async def trigger(request: Request) -> Response:
    """Keeps what is to run, and says so at once; the runs tell how it went."""
    no_query(request)
    parts, asked = parts_of(request), await read_body(request, Trigger)
    if asked.opts is not None and asked.sync_mode is not None:
        raise flaws_of("body", {"sync_mode": "it cannot be given beside `opts`"})
    known_integration(parts, asked.provider_config_key, 400, "unknown_provider_config")
    names, connections = _syncs(parts, asked), _connections(parts, asked)
    requests = [
        SyncRequest(integration=asked.provider_config_key, connection=id, sync=name, mode=_mode(asked))
        for id in connections
        for name in names
    ]
    await asyncio.to_thread(parts.access.store.sync_requests.ask, requests)
    parts.engine.wake()
    return json({"success": True})


def _mode(asked: Trigger) -> str:
    if asked.opts is not None:
        return "empty" if asked.opts.empty_cache else "full" if asked.opts.reset else "changed"
    return _MODES[asked.sync_mode or "incremental"]


def _syncs(parts: Parts, asked: Trigger) -> list[str]:
    """The names of the syncs, each of which runs on the integration."""
    project, integration = parts.access.project, asked.provider_config_key
    there = [name for name in project.syncs if integration in project.sync(name).integrations]
    wanted = [_name(one) for one in asked.syncs] or there
    unknown = sorted(set(wanted) - set(there))
    if unknown or not wanted:
        told = f"no sync `{unknown[0]}` runs" if unknown else "no sync runs"
        message = f"{told} on `{integration}`; there are: {', '.join(there) or 'none'}"
        raise ApiError(400, "no_syncs_found", message)
    return wanted


def _name(sync: str | Variant) -> str:
    """The sync's name; a variant that is not the base is none of its syncs."""
    name, _, variant = sync.partition("::") if isinstance(sync, str) else (sync.name, "", sync.variant)
    return name if variant in ("", "base") else f"{name}::{variant}"


def _connections(parts: Parts, asked: Trigger) -> list[str]:
    integration, id = asked.provider_config_key, asked.connection_id
    if id is not None:
        return [find_connection(parts, integration, id, 404, "unknown_connection").id]
    found = parts.access.store.connections.search(Wanted(integrations=[integration]))
    return [connection.id for connection in found]
