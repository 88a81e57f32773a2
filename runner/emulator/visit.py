"""One request and its answer, as the door and the faults see them."""

from __future__ import annotations

import asyncio
import socket
import struct

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runner.emulator.org import Org, Seen

Headers = list[tuple[bytes, bytes]]


class Answer(msgspec.Struct, kw_only=True):
    """A whole answer, caught before it is sent."""

    status: int = 500
    headers: Headers = []
    body: bytes = b""

    async def catch(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")

    def header(self, name: bytes) -> str:
        return dict(self.headers).get(name, b"").decode("latin-1")

    def without_length(self) -> Headers:
        return [pair for pair in self.headers if pair[0] != b"content-length"]


class Visit:
    """``app`` gives the real answer; what is sent carries the org's date."""

    def __init__(self, org: Org, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self.org = org
        self.scope = scope
        self._app = app
        self._receive = receive
        self._send = send
        self.status = 0
        #: seconds that the date is ahead of the org's
        self.skew = 0.0

    @property
    def path(self) -> str:
        return str(self.scope["path"])

    @property
    def target(self) -> str:
        """The path with its query."""
        query = self.scope["query_string"].decode("latin-1")
        return f"{self.path}?{query}" if query else self.path

    def header(self, name: bytes) -> str:
        found: bytes = dict(self.scope["headers"]).get(name, b"")
        return found.decode("latin-1")

    async def proceed(self) -> None:
        """The real answer."""
        await self._app(self.scope, self._receive, self.send)

    async def caught(self) -> Answer:
        """The real answer, without compression, kept back."""
        headers = [pair for pair in self.scope["headers"] if pair[0] != b"accept-encoding"]
        answer = Answer()
        await self._app({**self.scope, "headers": headers}, self._receive, answer.catch)
        return answer

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            date = self.org.clock.http_date(self.skew).encode()
            message["headers"] = [*message["headers"], (b"date", date)]
        await self._send(message)

    async def answer(self, status: int, body: bytes, headers: Headers) -> None:
        length = (b"content-length", str(len(body)).encode())
        await self.send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
        await self.send({"type": "http.response.body", "body": body})

    def hang_up(self, *, at_once: bool) -> None:
        """Ends the connection: with a reset, or behind what was sent. Only uvicorn's own `send` knows it."""
        transport: asyncio.Transport = self._send.__self__.transport  # type: ignore[attr-defined]
        if not at_once:
            transport.close()
            return
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    def log(self) -> None:
        shown = "" if "/oauth2/" in self.path else self.scope["query_string"].decode("latin-1")
        seen = Seen(method=self.scope["method"], path=self.path, query=shown, status=self.status)
        self.org.log.append(seen)
