"""Bounds on what a connection may cost before its request is known: bytes and seconds of a head.

uvicorn bounds neither with its faster parser; slow or endless heads would fill the server.
"""

from __future__ import annotations

import asyncio
import importlib.util
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol as Protocol
elif importlib.util.find_spec("httptools") is not None:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as Protocol
else:
    from uvicorn.protocols.http.h11_impl import H11Protocol as Protocol

#: bytes of a request's head
MAX_HEAD = 64 * 1024
#: seconds until it must be whole
HEAD_SECONDS = 20.0
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Bounded(Protocol):
    """uvicorn's connection, ended where a head is too long or too slow."""

    _head = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._known()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._between_requests():
            self._wait()
            self._head += len(data)
            if self._head > MAX_HEAD + len(data):
                self.transport.write(_TOO_LARGE)
                self.transport.close()
                return
        super().data_received(data)
        if not self._between_requests():
            self._known()

    def _between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(HEAD_SECONDS, self.transport.close)

    def _known(self) -> None:
        """The request is known: what follows is its body."""
        self._head = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
