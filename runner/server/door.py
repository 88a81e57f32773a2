"""What every request passes on its way in and out: the date, and the last answer to a fault of ours."""

from __future__ import annotations

import traceback
from email.utils import formatdate

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runner.server.errors import ApiError
from runner.server.parts import Parts


class Door:
    """The outermost ASGI application; every request finds the parts here."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self._app = app
        self.parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self
        started = False

        async def dated(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if not any(name == b"date" for name, _ in message["headers"]):
                    # RFC 9110 §6.6.1; a proxied answer has its own.
                    message["headers"] = [*message["headers"], (b"date", formatdate(usegmt=True).encode())]
            await send(message)

        try:
            await self._app(scope, receive, dated)
        except ClientDisconnect:
            return
        except Exception as exc:  # noqa: BLE001 - the outermost door
            self.parts.log(f"error: {scope['method']} {scope['path']}: {told(exc)}")
            if started:
                raise Broken from None  # so that the connection ends, and nobody takes the answer for whole
            refusal = ApiError(500, "server_error", "a fault in terapi itself; its log says more")
            await refusal.response()(scope, receive, dated)


class Broken(Exception):
    """The answer under way cannot be finished."""


def told(fault: BaseException) -> str:
    """A fault in one line: what it is, and where it came from; no values, which may hold secrets."""
    while isinstance(fault, RuntimeError) and fault.__cause__ is not None:
        fault = fault.__cause__
    frames = traceback.extract_tb(fault.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""
    return f"{type(fault).__name__}: {fault}{place}"
