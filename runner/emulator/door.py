"""What every request passes on its way in and out: the log, the org's date, the faults."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

import msgspec
import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runner.emulator.errors import ApiError, OAuthError
from runner.emulator.faults import ERROR_CODES, Fault
from runner.emulator.org import Org, Seen

CONTROL = "/emulator/"
OTHER_HOST = b"https://elsewhere.example.com"
_LOGIN_PAGE = (
    b"<!doctype html><html><head><title>Login</title></head><body><h1>Log in to the org</h1></body></html>"
)


class Door:
    """The outermost ASGI application; faults strike here, before or behind the real answer."""

    def __init__(self, app: ASGIApp, org: Org) -> None:
        self._app = app
        self._org = org

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self._app(scope, receive, send)
            return
        self._org.bulk.start_due()
        visit = _Visit(self._org, scope, send)
        seconds, fault = self._org.faults.strike(scope["method"], scope["path"])
        if seconds:
            await asyncio.sleep(seconds)
        try:
            await _HAPPEN[fault.kind if fault else ""](self._app, receive, visit, fault or Fault(kind=""))
        finally:
            visit.log()


class _Visit:
    """One request and its answer."""

    def __init__(self, org: Org, scope: Scope, send: Send) -> None:
        self.org = org
        self.scope = scope
        self.raw_send = send
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], (b"date", self.org.clock.http_date().encode())]
        await self.raw_send(message)

    async def answer(self, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
        length = (b"content-length", str(len(body)).encode())
        await self.send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
        await self.send({"type": "http.response.body", "body": body})

    def hang_up(self, *, at_once: bool) -> None:
        """Ends the connection: with a reset, or behind what was sent. Only uvicorn's own `send` knows it."""
        transport: asyncio.Transport = self.raw_send.__self__.transport  # type: ignore[attr-defined]
        if not at_once:
            transport.close()
            return
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    def log(self) -> None:
        path = self.scope["path"]
        shown = "" if "/oauth2/" in path else self.scope["query_string"].decode("latin-1")
        self.org.log.append(Seen(method=self.scope["method"], path=path, query=shown, status=self.status))


class _Answer(msgspec.Struct, kw_only=True):
    """A whole answer, caught before it is sent."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = []
    body: bytes = b""

    async def catch(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")


async def _caught(app: ASGIApp, receive: Receive, visit: _Visit) -> _Answer:
    """The real answer, without compression."""
    headers = [pair for pair in visit.scope["headers"] if pair[0] != b"accept-encoding"]
    answer = _Answer()
    await app({**visit.scope, "headers": headers}, receive, answer.catch)
    return answer


async def _nothing(app: ASGIApp, receive: Receive, visit: _Visit, _fault: Fault) -> None:
    await app(visit.scope, receive, visit.send)


async def _status(_app: ASGIApp, _receive: Receive, visit: _Visit, fault: Fault) -> None:
    code = fault.error_code or ERROR_CODES.get(fault.code, "UNKNOWN_EXCEPTION")
    said: list[dict[str, object]] | dict[str, object] = ApiError(code, "This fault was asked for.").body()
    if "/oauth2/" in visit.scope["path"]:
        said = OAuthError(fault.error_code or "server_error", "This fault was asked for.").body()
    headers = [(b"content-type", b"application/json;charset=UTF-8")]
    if fault.retry_after is not None:
        headers.append((b"retry-after", fault.retry_after.encode("latin-1", "replace")))
    await visit.answer(fault.code, orjson.dumps(said), *headers)


async def _html(_app: ASGIApp, _receive: Receive, visit: _Visit, _fault: Fault) -> None:
    await visit.answer(200, _LOGIN_PAGE, (b"content-type", b"text/html;charset=UTF-8"))


async def _invalid_json(app: ASGIApp, receive: Receive, visit: _Visit, _fault: Fault) -> None:
    answer = await _caught(app, receive, visit)
    headers = [pair for pair in answer.headers if pair[0] != b"content-length"]
    await visit.answer(answer.status, answer.body[: len(answer.body) // 2] or b"{", *headers)


async def _truncate(app: ASGIApp, receive: Receive, visit: _Visit, _fault: Fault) -> None:
    answer = await _caught(app, receive, visit)
    headers = [pair for pair in answer.headers if pair[0] != b"content-length"]
    length = (b"content-length", str(len(answer.body) + 1).encode())
    await visit.send({"type": "http.response.start", "status": answer.status, "headers": [*headers, length]})
    part = answer.body[: len(answer.body) // 2]
    await visit.send({"type": "http.response.body", "body": part, "more_body": True})
    visit.hang_up(at_once=False)


async def _reset(_app: ASGIApp, _receive: Receive, visit: _Visit, _fault: Fault) -> None:
    visit.hang_up(at_once=True)


async def _expire(app: ASGIApp, receive: Receive, visit: _Visit, _fault: Fault) -> None:
    for name, value in visit.scope["headers"]:
        if name == b"authorization":
            visit.org.tokens.spend(value.decode("latin-1").partition(" ")[2].strip())
    await app(visit.scope, receive, visit.send)


async def _foreign_page(app: ASGIApp, receive: Receive, visit: _Visit, _fault: Fault) -> None:
    answer = await _caught(app, receive, visit)
    body = answer.body.replace(b'"nextRecordsUrl":"/', b'"nextRecordsUrl":"' + OTHER_HOST + b"/", 1)
    headers = [pair for pair in answer.headers if pair[0] != b"content-length"]
    await visit.answer(answer.status, body, *headers)


_Happen = Callable[[ASGIApp, Receive, _Visit, Fault], Awaitable[None]]
_HAPPEN: dict[str, _Happen] = {
    "": _nothing,
    "status": _status,
    "html": _html,
    "invalid_json": _invalid_json,
    "truncate": _truncate,
    "reset": _reset,
    "expire": _expire,
    "foreign_page": _foreign_page,
}
