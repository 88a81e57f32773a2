"""The server as an ASGI application. It decides nothing: every part of it is given."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import Route, Router

from runner.errors import TerapiError
from runner.server.api import actions, connections, health, records, syncs, variants, webhooks
from runner.server.door import Door
from runner.server.errors import ApiError, failed, not_served, refused
from runner.server.guard import Endpoint, guarded
from runner.server.parts import Parts
from runner.server.proxy import proxy


def application(parts: Parts) -> Door:
    router = Router(routes=routes(), redirect_slashes=False)
    handlers = {ApiError: refused, TerapiError: failed, HTTPException: not_served}
    return Door(ExceptionMiddleware(router, handlers=handlers), parts)


def routes() -> list[Route]:
    """Every path that is served."""
    return [*_guarded(), *_open()]


def _open() -> Iterable[Route]:
    """What needs no key."""
    yield Route("/health", health.health, methods=["GET"])
    yield Route("/webhooks/{integration}", webhooks.webhook, methods=["GET", "POST"])


def _guarded() -> Iterable[Route]:
    """What the key opens; what is called most comes first."""
    yield _route("/proxy/{path:path}", proxy)
    yield _route("/connections", connections.many, "GET")
    yield _route("/connections/{id:path}", connections.one, "GET")
    yield _route("/records", records.records, "GET")
    yield _route("/records/", records.records, "GET")
    yield _route("/records/prune", records.prune, "PATCH")
    yield _route("/sync/trigger", syncs.trigger, "POST")
    yield _route("/sync/{name}/variant/{variant}", variants.variant, "POST", "DELETE")
    yield _route("/action/trigger", actions.trigger, "POST")


def _route(path: str, endpoint: Endpoint, *methods: str) -> Route:
    """Without methods any is taken."""
    return Route(path, guarded(endpoint), methods=methods)
