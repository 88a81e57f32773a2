"""`ANY /proxy/{path}`: the same call at the API, with the right base URL and token.

What comes and what goes is streamed. The answer is the API's own, whatever its status: its headers and its
body unchanged, but for what concerns a single connection between two hosts (RFC 9110 §7.6.1).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import cast

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runner.calls.transport import Streamed
from runner.definitions.exchange import Outgoing
from runner.errors import CallError, ExpressionError, NotConnected, TerapiError
from runner.server.api.find import find_connection, known_integration
from runner.server.errors import ApiError, said, too_large, too_slow
from runner.server.http import BodyTooLarge, BodyTooSlow, parts_of
from runner.server.reading import flaws_of, read_place
from runner.server.upload import MOST, Upload

_PREFIX = "nango-proxy-"
#: what concerns one connection between two hosts
_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te",
     "trailer", "transfer-encoding", "upgrade"}
)  # fmt: skip
#: what a caller cannot set: where it goes, and how long it is
_OURS = _HOP | {"host", "content-length", "expect"}
#: the caller's own headers that are the API's as well
_SHARED = ("accept", "content-type", "content-encoding")
#: the one would show the token, the other is a tunnel (RFC 9110 §9.3)
_NEVER = ("TRACE", "CONNECT")
_MOST_RETRIES = 20
#: bytes of an answer that come all at once, most likely: whether the caller has left is not worth a watch
_SHORT = 64 * 1024


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """How a proxied call is wanted, as its headers say."""

    base_url: str = ""
    retries: int = 0
    #: statuses after which it is tried again
    retry_on: frozenset[int] = frozenset()
    #: whether the answer is to be unpacked
    decompress: bool = False
    #: whether a redirect is followed with the same headers
    forward: bool = True


async def proxy(request: Request) -> Response:
    """The API's own answer; 400 where none came."""
    if request.method in _NEVER:
        raise ApiError(405, "method_not_allowed", f"{request.method} is not passed on")
    parts, place, wishes = parts_of(request), read_place(request), _wishes(request)
    known_integration(parts, place.integration, 404, "unknown_provider_config")
    connection = find_connection(parts, place.integration, place.connection, 400, "server_error")
    upload = Upload(request)
    opened = AsyncExitStack()
    try:
        content = await upload.held()
        outgoing = Outgoing(
            method=request.method,
            url=_url(request, wishes),
            headers=_headers(request, wishes, streamed=content is None),
            content=content or None,
        )
        answer = await opened.enter_async_context(
            parts.access.client(connection).stream(
                outgoing,
                attempts=wishes.retries + 1,
                statuses=wishes.retry_on,
                upload=upload.rest() if content is None else None,
                follow=wishes.forward,
            )
        )
    except BodyTooSlow as exc:
        raise too_slow() from exc
    except (CallError, NotConnected, ExpressionError) as exc:
        raise _refusal(upload, wishes, exc) from exc
    return Relayed(answer, opened, unpack=wishes.decompress, watch=content is not None)


def _wishes(request: Request) -> Wishes:
    given, problems = request.headers, dict[str, str]()
    retries, listed = given.get("retries", "0").strip(), given.get("retry-on", "")
    statuses = [one.strip() for one in listed.split(",") if one.strip()]
    if not retries.isdecimal() or int(retries) > _MOST_RETRIES:
        problems["retries"] = f"expected a number from 0 to {_MOST_RETRIES}"
    if not all(len(one) == 3 and one.isdecimal() for one in statuses):
        problems["retry-on"] = "expected statuses, such as 409,425"
    if problems:
        raise flaws_of("headers", problems)
    base = given.get("base-url-override", "").strip()
    if base and not base.startswith(("https://", "http://")):
        raise ApiError(
            400, "base_url_override_not_allowed", f"{base!r} is no address; write it with https://"
        )
    usual = {*range(500, 600), 429} if int(retries) else set[int]()
    return Wishes(
        base_url=base,
        retries=int(retries),
        retry_on=frozenset({*usual, *map(int, statuses)}),
        decompress=given.get("decompress", "").lower() == "true",
        forward=given.get("forward-headers-on-redirect", "").lower() != "false",
    )


def _url(request: Request, wishes: Wishes) -> str:
    """The path as it was sent, to the letter, below the base URL that is wished."""
    raw: bytes = request.scope["raw_path"]
    path = raw.decode("latin-1").partition("/proxy")[2]
    query: bytes = request.scope["query_string"]
    address = f"/{path.lstrip('/')}" if not wishes.base_url else f"{wishes.base_url.rstrip('/')}{path}"
    return f"{address}?{query.decode('latin-1')}" if query else address


def _headers(request: Request, wishes: Wishes, *, streamed: bool) -> dict[str, str]:
    """What the API gets: the caller's prefixed headers, and what describes the body and the answer."""
    given = request.headers
    found = {name: given[name] for name in _SHARED if name in given}
    if streamed and "content-length" in given:
        found["content-length"] = given["content-length"]
    # What the caller cannot unpack shall not come packed.
    found["accept-encoding"] = "identity" if wishes.decompress else given.get("accept-encoding", "identity")
    for name, value in given.items():
        own = name.removeprefix(_PREFIX)
        if name.startswith(_PREFIX) and own not in _OURS:
            found[own] = value
    return found


def _refusal(upload: Upload, wishes: Wishes, error: TerapiError) -> Exception:
    match upload.fault:
        case BodyTooLarge():
            return too_large(MOST)
        case BodyTooSlow():
            return too_slow()
        case ClientDisconnect() as left:
            return left
    if isinstance(error, CallError):
        if error.kind in ("forbidden_host", "bad_url") and wishes.base_url:
            return ApiError(400, "base_url_override_not_allowed", said(error))
        return ApiError(400, error.kind, said(error))
    return ApiError(400, "server_error", said(error))


class Relayed(Response):
    """The API's answer, passed on as it comes.

    Args:
        opened: what ends the call at the API.
        unpack: whether the body is passed on unpacked.
        watch: whether the caller may be listened to, since no body is to come from there any more.
    """

    def __init__(self, answer: Streamed, opened: AsyncExitStack, *, unpack: bool, watch: bool) -> None:
        self._answer = answer
        self._opened = opened
        self._unpack = unpack and "content-encoding" in answer.headers
        self._watch = watch
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._opened:
            await send(
                {"type": "http.response.start", "status": self._answer.status, "headers": self._pairs()}
            )
            left = self._length()
            watcher = _watched(receive) if self._watch and (left is None or left > _SHORT) else None
            try:
                async for piece in self._body():
                    left = None if left is None else left - len(piece)
                    await send({"type": "http.response.body", "body": piece, "more_body": left != 0})
                if left != 0:
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
            except asyncio.CancelledError:
                if watcher is None or not watcher.done():
                    raise
                # The caller has left, and nobody else asked this task to end.
                cast("asyncio.Task[object]", asyncio.current_task()).uncancel()
            finally:
                if watcher is not None:
                    watcher.cancel()

    def _length(self) -> int | None:
        """The bytes that are to come; None where that is not known, or none may come after all."""
        told = None if self._unpack else self._answer.headers.get("content-length")
        return int(told) if told is not None and told.isdecimal() and int(told) else None

    def _body(self) -> AsyncIterator[bytes]:
        return self._answer.unpacked() if self._unpack else self._answer.sent()

    def _pairs(self) -> list[tuple[bytes, bytes]]:
        """The headers as they came, in order, without those that concern one connection alone."""
        named = self._answer.headers.get("connection", "").lower().split(",")
        left_out = {*_HOP, *(name.strip() for name in named)}
        if self._unpack:
            left_out |= {"content-encoding", "content-length"}
        return [
            (name.lower().encode("latin-1"), value.encode("utf-8", "surrogateescape"))
            for name, value in self._answer.pairs
            if name.lower() not in left_out and not name.lower().startswith("access-control-")
        ]


def _watched(receive: Receive) -> asyncio.Task[None]:
    """Cancels the task that calls it as soon as the caller leaves."""
    sending = asyncio.current_task()

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        if sending is not None:
            sending.cancel()

    return asyncio.create_task(watch())
