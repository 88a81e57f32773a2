"""`/sync/NAME/variant/VARIANT`: variants of a sync, made and removed."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from runner.definitions.model import Sync
from runner.definitions.model.matrix import BASE, VARIANT, cell_name, misnamed
from runner.errors import StoreLocked
from runner.server.api.find import find_connection, known_integration
from runner.server.errors import ApiError
from runner.server.http import json, parts_of
from runner.server.parts import Parts
from runner.server.reading import no_query, read_body
from runner.store import Connection, Store
from runner.sync.run import lock_of

#: seconds that a sync which is running is waited for
_PATIENCE: Final = 5.0


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose variant it is."""

    provider_config_key: str
    connection_id: str


class _Variant(msgspec.Struct, frozen=True):
    """A variant of a sync, of one connection."""

    sync: Sync
    name: str
    connection: Connection

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.connection.integration, self.connection.id, self.sync.name, self.name


async def variant(request: Request) -> Response:
    """Makes a variant, or removes one with all that it stored."""
    no_query(request)
    parts, place = parts_of(request), await read_body(request, Place)
    found = _found(parts, place, request.path_params["name"], request.path_params["variant"])
    store = parts.access.store
    if request.method == "DELETE":
        await asyncio.to_thread(_remove, found, store)
        return json({"success": True})
    number = None
    if found.name not in _written(found.sync):
        number = await asyncio.to_thread(store.variants.make, *found.key)
    if number is None:
        message = f"`{found.sync.name}` has a variant `{found.name}` already"
        raise ApiError(400, "sync_variant_already_exists", message)
    return json({"id": str(number), "name": found.sync.name, "variant": found.name})


def _found(parts: Parts, place: Place, name: str, variant: str) -> _Variant:
    integration, project = place.provider_config_key, parts.access.project
    known_integration(parts, integration, 400, "unknown_provider_config")
    if name not in project.syncs or integration not in project.sync(name).integrations:
        raise ApiError(400, "unknown_sync", f"no sync `{name}` runs on `{integration}`")
    wrong = "is what a sync has that is no variant" if variant == BASE else misnamed(variant)
    if wrong is not None:
        raise ApiError(400, "invalid_variant", f"a variant cannot be called `{variant}`: it {wrong}")
    connection = find_connection(parts, integration, place.connection_id, 400, "unknown_connection")
    return _Variant(project.sync(name, integration), variant, connection)


def _written(sync: Sync) -> set[str]:
    """The variants that the definition itself names."""
    axes = sync.matrix.axes if sync.matrix is not None else ()
    return {str(value) for axis in axes if axis.axis == VARIANT for value in axis.written_out or ()}


def _remove(found: _Variant, store: Store) -> None:
    """Removes a variant, once none of its syncs is running."""
    integration, id, sync, name = found.key
    ending = cell_name("", {VARIANT: name})
    names = {cell_name(sync, {VARIANT: name}), *store.states.names(integration, id, sync)}
    with ExitStack() as held:
        try:
            for one in sorted(one for one in names if one.endswith(ending)):
                held.enter_context(lock_of(one, found.connection, store, patience=_PATIENCE))
        except StoreLocked as exc:
            raise ApiError(409, "sync_running", f"`{one}` is running; wait for it to end") from exc
        if not store.variants.remove(*found.key):
            raise ApiError(404, "not_found", f"nobody has made a variant `{name}` of `{sync}`")
