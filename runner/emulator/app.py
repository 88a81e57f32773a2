"""The org as an ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from runner.emulator import control
from runner.emulator.bulk1 import routes as bulk1
from runner.emulator.bulk2 import routes as bulk2
from runner.emulator.door import Door
from runner.emulator.errors import ApiError, OAuthError
from runner.emulator.http import json
from runner.emulator.oauth import routes as oauth
from runner.emulator.org import Org
from runner.emulator.rest.routes import rest
from runner.emulator.soap import routes as soap

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def application(org: Org) -> ASGIApp:
    app = Starlette(
        routes=[
            *bulk2.routes(),
            *bulk1.routes(),
            *soap.routes(),
            Route("/services/data", rest, methods=_METHODS),
            Route("/services/data/{rest:path}", rest, methods=_METHODS),
            *oauth.routes(),
            *control.routes(),
        ],
        exception_handlers={
            ApiError: _refused,
            OAuthError: _refused,
            ClientDisconnect: _left,
            Exception: _failed,
        },
    )
    app.state.org = org
    return Door(app, org)


async def _refused(_request: Request, exc: Exception) -> Response:
    if isinstance(exc, ApiError | OAuthError):
        return json(exc.body(), exc.status)
    raise exc


async def _left(_request: Request, _exc: Exception) -> Response:
    """The client has gone before it had said everything: nobody reads this."""
    return Response(status_code=400)


async def _failed(_request: Request, _exc: Exception) -> Response:
    """A fault of the emulator's own, in the shape that the real org gives to its own."""
    return json(ApiError("UNKNOWN_EXCEPTION", "An unexpected error occurred.").body(), 500)
