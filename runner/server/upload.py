"""The body of a proxied request: held where it is short, passed on as it comes where it is long."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from runner.server.http import BodyTooLarge, BodyTooSlow, streamed

#: bytes that are held, so that they can be sent again
HELD = 1024 * 1024
#: bytes that a body may have
MOST = 2 * 1024**3


class Upload:
    """A request's body.

    Args:
        request: its body must not have been read yet.
    """

    def __init__(self, request: Request) -> None:
        self._pieces = streamed(request)
        self._held: list[bytes] = []
        #: why it broke off, if it did
        self.fault: BodyTooLarge | BodyTooSlow | ClientDisconnect | None = None

    async def held(self) -> bytes | None:
        """The whole body; None where it is longer than what is held, so that `rest` must be sent.

        Raises:
            BodyTooSlow, ClientDisconnect: it broke off.
        """
        size = 0
        async for piece in self._pieces:
            self._held.append(piece)
            size += len(piece)
            if size > HELD:
                return None
        return b"".join(self._held)

    async def rest(self) -> AsyncIterator[bytes]:
        """All of it, from its beginning, once."""
        size = 0
        try:
            async for piece in self._all():
                size += len(piece)
                if size > MOST:
                    raise BodyTooLarge
                yield piece
        except (BodyTooLarge, BodyTooSlow, ClientDisconnect) as exc:
            self.fault = exc
            raise

    async def _all(self) -> AsyncIterator[bytes]:
        while self._held:
            yield self._held.pop(0)
        async for piece in self._pieces:
            yield piece
