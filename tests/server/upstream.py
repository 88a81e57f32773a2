"""An API that speaks HTTP byte by byte, for what a whole answer cannot show: streams, cuts, odd headers."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Talk = Callable[["Line"], None]


class Line:
    """One connection from the server to the API."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._file = connection.makefile("rb")
        #: the head of the request: its first line, then the headers
        self.head: list[str] = []

    def request(self) -> list[str]:
        """Reads a head; gives it, none where nothing came."""
        self.head = []
        while (line := self._file.readline().decode("latin-1").rstrip("\r\n")) or not self.head:
            if not line:
                return []
            self.head.append(line)
        return self.head

    def header(self, name: str) -> str | None:
        found = [line.partition(":")[2].strip() for line in self.head if line.lower().startswith(f"{name}:")]
        return found[0] if found else None

    def body(self) -> bytes:
        """The whole body, chunked or of a known length."""
        if self.header("transfer-encoding") != "chunked":
            return self._file.read(int(self.header("content-length") or 0))
        pieces = []
        while size := int(self._file.readline(), 16):
            pieces.append(self._file.read(size))
            self._file.readline()
        self._file.readline()
        return b"".join(pieces)

    def read(self, size: int) -> bytes:
        return self._file.read(size)

    def send(self, text: str | bytes) -> None:
        self.connection.sendall(text if isinstance(text, bytes) else text.encode("latin-1"))

    def gone(self) -> bool:
        """Waits until the other side leaves."""
        try:
            return self.connection.recv(1) == b""
        except ConnectionResetError:
            return True


@contextlib.contextmanager
def upstream(talk: Talk) -> Iterator[str]:
    """Serves ``talk`` on every connection; gives the address."""
    listener = socket.create_server(("127.0.0.1", 0))
    lines: list[socket.socket] = []

    def one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(ConnectionError, OSError, ValueError):
            talk(Line(connection))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                lines.append(connection)
                threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()
        for connection in lines:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
