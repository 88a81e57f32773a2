"""The door of every endpoint that the key opens (RFC 6750 §2.1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from runner.server.errors import ApiError
from runner.server.http import parts_of

Endpoint = Callable[[Request], Awaitable[Response]]


def guarded(endpoint: Endpoint) -> Endpoint:
    """The endpoint, for those who carry the key."""

    async def behind(request: Request) -> Response:
        check(request)
        return await endpoint(request)

    return behind


def check(request: Request) -> None:
    """Lets a request pass that carries the key.

    Raises:
        ApiError: 401.
    """
    given = request.headers.get("authorization")
    if given is None:
        raise _refusal("missing_auth_header", "the request has no Authorization header")
    scheme, _, secret = given.partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise _refusal("malformed_auth_header", "expected Authorization: Bearer KEY")
    if not parts_of(request).key.fits(secret.strip()):
        raise _refusal(
            "unknown_account", "this is not the server's key; `terapi serve` says where it can be read"
        )


def _refusal(code: str, message: str) -> ApiError:
    return ApiError(401, code, message, more={"payload": {}}, headers={"WWW-Authenticate": "Bearer"})
