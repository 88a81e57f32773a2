"""Who is calling: the user whose access token came with a request."""

from __future__ import annotations

from starlette.requests import Request

from runner.emulator.errors import ApiError, session_invalid
from runner.emulator.org import Org

#: a token of an app needs one of these to speak to the API
API_SCOPES = frozenset({"api", "full", "web"})


def bearer(request: Request) -> str:
    """The token of the header `Authorization`, or ""."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "oauth") else ""


def user_of(org: Org, token: str) -> str:
    """The user's id. Raises ApiError INVALID_SESSION_ID."""
    found = org.tokens.find(token, "access") if token else None
    if found is None:
        raise session_invalid()
    if not found.grant.scopes & API_SCOPES:
        message = "This session is not valid for use with the REST API"
        raise ApiError("INVALID_SESSION_ID", message, status=401)
    return found.grant.user_id
