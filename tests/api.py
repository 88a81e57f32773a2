"""A small API of its own, served over real HTTP, for tests that need to say exactly what an API answers."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit


class Seen(NamedTuple):
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


class Reply(NamedTuple):
    """What the API answers."""

    body: object = None
    status: int = 200
    headers: dict[str, str] = {}  # noqa: RUF012 - a NamedTuple's default, never changed
    #: how many bytes of the body are really sent, for an answer that is cut short
    cut: int | None = None
    #: `reset`: the connection ends before any answer; `mute`: none comes; `raw`: the body is all that is sent,
    #: without a head; `stall`: after what is sent of the body, nothing more comes
    broken: str = ""


Handler = Callable[[Seen], Reply]


class Api:
    """Serves what its handlers say; `seen` lists the requests."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        #: what answers where no handler does
        self.anything: Handler = lambda seen: Reply({"error": "nothing here"}, 404)
        self.seen: list[Seen] = []
        self._server = _Server(("127.0.0.1", 0), _request_handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def on(self, path: str, reply: Reply | Handler | list[Reply]) -> None:
        """Answers ``path``: always the same, by a function, or one after the other (the last one stays)."""
        if isinstance(reply, Reply):
            self.handlers[path] = lambda seen: reply
        elif isinstance(reply, list):
            queue = list(reply)
            self.handlers[path] = lambda seen: queue.pop(0) if len(queue) > 1 else queue[0]
        else:
            self.handlers[path] = reply

    def paths(self) -> list[str]:
        return [f"{seen.method} {seen.path}" for seen in self.seen]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Silent: a client that leaves early is part of some tests."""


def _request_handler(api: Api) -> type[BaseHTTPRequestHandler]:
    class RequestHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        #: an answer leaves in one piece: in two, the second waits for the first to be confirmed
        wbufsize = -1

        def log_message(self, *args: object) -> None:
            """Silent."""

        def answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.body()
            query = {
                name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()
            }
            seen = Seen(
                self.command, parts.path, query, {k.lower(): v for k, v in self.headers.items()}, body
            )
            api.seen.append(seen)
            self.reply(api.handlers.get(parts.path, api.anything)(seen))

        def body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found = b""
            while size := int(self.rfile.readline(), 16):
                found += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return found

        def reply(self, reply: Reply) -> None:
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            if reply.broken == "mute":
                self.connection.recv(1)  # until the client leaves
                return
            if reply.broken in ("reset", "raw"):
                self.close_connection = True
                at_once = struct.pack("ii", int(reply.broken == "reset"), 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
                self.wfile.write(body if reply.broken == "raw" else b"")
                return
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body if reply.cut is None else body[: reply.cut])
            if reply.broken == "stall":
                self.connection.recv(1)  # until the client leaves
            if reply.cut is not None:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer

    return RequestHandler
