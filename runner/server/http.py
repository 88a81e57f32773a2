"""What every endpoint needs of a request and for an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

if TYPE_CHECKING:
    from runner.server.parts import Parts

#: bytes of a JSON body or a webhook
MAX_BODY = 5 * 1024 * 1024
#: seconds between two pieces of a body
PATIENCE = 30.0


class BodyTooLarge(Exception):
    """The body has more bytes than it may have."""


class BodyTooSlow(Exception):
    """The body did not come within the time that it may take."""


def parts_of(request: Request) -> Parts:
    """What the server was given."""
    found: Parts = request.app.parts
    return found


def json(content: object, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


async def body(request: Request, limit: int = MAX_BODY) -> bytes:
    """The body, read whole.

    Raises:
        BodyTooLarge, BodyTooSlow: it is not taken.
        ClientDisconnect: its sender left.
    """
    pieces: list[bytes] = []
    size = 0
    async for piece in streamed(request):
        size += len(piece)
        if size > limit:
            raise BodyTooLarge
        pieces.append(piece)
    return b"".join(pieces)


async def streamed(request: Request) -> AsyncIterator[bytes]:
    """The body piece by piece; raises as `body` does."""
    more = True
    while more:
        try:
            async with asyncio.timeout(PATIENCE):
                message = await request.receive()
        except TimeoutError as exc:
            raise BodyTooSlow from exc
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        more = message.get("more_body", False)
        if piece := message.get("body", b""):
            yield piece
