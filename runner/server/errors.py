"""What went wrong, as the server says it: `{"error": {"code", "message", "errors"?, "payload"?}}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from runner.errors import CallError, NotConnected, StoreError, TerapiError, UsageError
from runner.server.http import PATIENCE, json, parts_of

#: what Starlette itself refuses
_CODES = {404: "not_found", 405: "method_not_allowed"}
_STATE = "the server's state cannot be read or written now; try again"


class Flaw(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a request, and the way to it."""

    code: str
    message: str
    path: list[str]


class ApiError(Exception):
    """A refusal.

    Args:
        more: further members of `error`.
        headers: of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        more: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.more = more or {}
        self.headers = headers or {}

    def response(self) -> Response:
        found = json({"error": {"code": self.code, "message": self.message, **self.more}}, self.status)
        found.headers.update(self.headers)
        return found


def invalid(what: str, flaws: list[Flaw]) -> ApiError:
    """A refused part of a request; ``what`` is `query_params`, `body`, `headers` or `uri_params`."""
    told = [f"{'.'.join(flaw.path)}: {flaw.message}" if flaw.path else flaw.message for flaw in flaws]
    errors = [msgspec.structs.asdict(flaw) for flaw in flaws]
    return ApiError(400, f"invalid_{what}", "; ".join(told), more={"errors": errors})


def said(error: TerapiError) -> str:
    """A message with what to do next."""
    return f"{error.message}; next: {error.hint}" if error.hint else error.message


def of_ours(error: TerapiError) -> ApiError:
    """One of terapi's own errors, where an endpoint has no better answer."""
    if isinstance(error, StoreError):
        return ApiError(503, "server_error", _STATE, headers={"Retry-After": "1"})
    if isinstance(error, NotConnected):
        return ApiError(424, "invalid_credentials", said(error))
    if isinstance(error, CallError):
        return ApiError(424, error.kind, said(error))
    return ApiError(400 if isinstance(error, UsageError) else 500, error.code, said(error))


def too_large(limit: int) -> ApiError:
    return ApiError(
        413, "payload_too_large", f"the body may have {limit:,} bytes", headers={"Connection": "close"}
    )


def too_slow() -> ApiError:
    message = f"nothing of the body came for {PATIENCE:g} seconds"
    return ApiError(408, "request_timeout", message, headers={"Connection": "close"})


async def refused(_request: Request, exc: Exception) -> Response:
    """The answer to an ApiError."""
    return cast(ApiError, exc).response()


async def failed(request: Request, exc: Exception) -> Response:
    """The answer to one of ours; what the state's files are called is for the log alone."""
    error = cast(TerapiError, exc)
    if isinstance(error, StoreError):
        parts_of(request).log(f"error: {said(error)}")
    return of_ours(error).response()


async def not_served(request: Request, exc: Exception) -> Response:
    """The answer to a path or a method that is not there."""
    found = cast(HTTPException, exc)
    code = _CODES.get(found.status_code, "bad_request")
    message = f"{request.method} {request.url.path} is not served here"
    return ApiError(found.status_code, code, message, headers=found.headers).response()
