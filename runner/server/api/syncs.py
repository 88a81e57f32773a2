"""`POST /sync/trigger`: syncs that are to run, kept until they have."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from runner.definitions.model import Sync
from runner.definitions.model.matrix import BASE, VARIANT, definition_of
from runner.server.api.find import find_connection, known_integration
from runner.server.errors import ApiError
from runner.server.http import json, parts_of
from runner.server.parts import Parts
from runner.server.reading import flaws_of, no_query, read_body
from runner.store import SyncRequest, Wanted
from runner.sync.choice import all_of_integration
from runner.sync.matrix import names_of

_Name = Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z0-9_-]+((\.|::)[^\x00-\x1f\x7f]+)?$", max_length=255)]
_MODES = {"incremental": "changed", "full_refresh": "full", "full_refresh_and_clear_cache": "empty"}


class Variant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sync by its name and its variant's."""

    name: _Name
    variant: str = BASE


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
    requests = _requests(parts, asked)
    await asyncio.to_thread(parts.access.store.sync_requests.ask, requests)
    parts.engine.wake()
    return json({"success": True})


def _mode(asked: Trigger) -> str:
    if asked.opts is not None:
        return "empty" if asked.opts.empty_cache else "full" if asked.opts.reset else "changed"
    return _MODES[asked.sync_mode or "incremental"]


def _requests(parts: Parts, asked: Trigger) -> list[SyncRequest]:
    """What is to run for each connection: at least one sync, and each that is named for one of them."""
    there = _there(parts, asked.provider_config_key)
    wanted = [_name(one) for one in asked.syncs]
    found = [
        SyncRequest(integration=asked.provider_config_key, connection=id, sync=name, mode=_mode(asked))
        for id in _connections(parts, asked)
        for name in _syncs(parts, asked.provider_config_key, id, there, wanted)
    ]
    known = {one.sync for one in found} | set(there)
    unknown = sorted(set(wanted) - known)
    if unknown or not there:
        told = f"no sync `{unknown[0]}` runs" if unknown else "no sync runs"
        message = f"{told} on `{asked.provider_config_key}`; there are: {', '.join(there) or 'none'}"
        raise ApiError(400, "no_syncs_found", message)
    return found


def _there(parts: Parts, integration: str) -> dict[str, Sync]:
    """The definitions that run on an integration, by name."""
    return {sync.name: sync for sync in all_of_integration(parts.access.project, integration)}


def _syncs(
    parts: Parts, integration: str, id: str, there: Mapping[str, Sync], wanted: Sequence[str]
) -> Iterator[str]:
    """The names of a connection's syncs: those that are wanted, else all, with the variants made of them."""
    for name, sync in there.items():
        made = parts.access.store.variants.of(integration, id, name)
        if not wanted:
            yield from names_of(sync, made)
        for one in wanted:
            if one == name or (definition_of(one) == name and _may_be(sync, one, made)):
                yield one


def _may_be(sync: Sync, name: str, made: Sequence[str]) -> bool:
    """Whether a name may mean a sync of a definition; what its matrix has is known when it runs."""
    values, _, variant = name.partition("::")
    axes = {axis.axis for axis in sync.matrix.axes} if sync.matrix is not None else set()
    return (values == sync.name or bool(axes - {VARIANT})) and (
        not variant or variant in made or VARIANT in axes
    )


def _name(sync: str | Variant) -> str:
    """The sync's name, without the variant where that is the base."""
    name, _, variant = sync.partition("::") if isinstance(sync, str) else (sync.name, "", sync.variant)
    return name if variant in ("", BASE) else f"{name}::{variant}"


def _connections(parts: Parts, asked: Trigger) -> list[str]:
    integration, id = asked.provider_config_key, asked.connection_id
    if id is not None:
        return [find_connection(parts, integration, id, 404, "unknown_connection").id]
    found = parts.access.store.connections.search(Wanted(integrations=[integration]))
    return [connection.id for connection in found]
