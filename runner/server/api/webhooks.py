"""`/webhooks/{integration}`: where an API sends what happened; no key, its signature proves it."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from runner.definitions.exchange import Headers
from runner.errors import NotProved, UsageError
from runner.server.errors import ApiError, said, too_large, too_slow
from runner.server.http import MAX_BODY, BodyTooLarge, BodyTooSlow, body, json, parts_of
from runner.webhooks.incoming import Incoming

#: what a handshake says is the sender's own text: nobody shall take it for a page
_PLAIN = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'"}


async def webhook(request: Request) -> Response:
    """202 once it is on the disk, the same where it came before; 401 where it is not proved."""
    parts = parts_of(request)
    incoming = await _incoming(request)
    integration = request.path_params["integration"]
    try:
        handshake = parts.receiver.handshake(integration, incoming)
        if handshake is not None:
            return _handshake(handshake.body)
        if request.method == "GET":
            raise ApiError(
                405, "method_not_allowed", "a webhook is sent with POST", headers={"Allow": "POST"}
            )
        found = await asyncio.to_thread(parts.receiver.receive, integration, incoming)
    except UsageError as exc:
        raise ApiError(404, "not_found", f"no webhooks are taken for `{integration}`") from exc
    except NotProved as exc:
        parts.log(f"a webhook of {integration} was refused: {said(exc)}")
        raise ApiError(401, "invalid_signature", "the webhook does not prove where it comes from") from exc
    parts.engine.wake()
    return json({"delivery": found.delivery.id, "status": "received" if found.fresh else "duplicate"}, 202)


async def _incoming(request: Request) -> Incoming:
    try:
        raw = await body(request)
    except BodyTooLarge as exc:
        raise too_large(MAX_BODY) from exc
    except BodyTooSlow as exc:
        raise too_slow() from exc
    return Incoming(
        method=request.method,
        query=dict(request.query_params),
        headers=Headers.joined(request.headers.items()),
        raw=raw,
    )


def _handshake(found: object) -> Response:
    if isinstance(found, str):
        return PlainTextResponse(found, headers=_PLAIN)
    answer = json(found)
    answer.headers.update(_PLAIN)
    return answer
