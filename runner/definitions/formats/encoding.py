"""Bodies as they come off the wire, unpacked piece by piece. No I/O."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

#: bytes of one piece: what a small body that unpacks to a huge one may take at a time
_PIECE = 256 * 1024
_GZIP = zlib.MAX_WBITS | 16
#: bytes by which the two kinds of `deflate` are told apart
_HEAD = 2


class BadBody(Exception):
    """A body is not what its Content-Encoding says; the text tells how."""


class UnknownPacking(BadBody):
    """A body is packed in a way that nobody asked for."""


class Unpacking:
    """Takes a body's bytes as they come and gives those that they stand for (RFC 9110 §8.4.1).

    Args:
        encoding: the header's value, such as `gzip`; several are undone from the last to the first.

    Raises:
        UnknownPacking: an encoding is not known.
    """

    def __init__(self, encoding: str) -> None:
        names = [name.strip().lower() for name in encoding.split(",")]
        self._layers = [_layer(name) for name in reversed(names) if name not in ("", "identity")]

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Raises BadBody where the data are broken."""
        yield from _through(self._layers, data)

    def finish(self) -> None:
        """Raises BadBody where the body ended too early."""
        if any(layer.begun and not layer.whole for layer in self._layers):
            raise BadBody("ends too early")


def _through(layers: list[_Layer], data: bytes) -> Iterator[bytes]:
    if not layers:
        yield data
        return
    for piece in layers[0].feed(data):
        yield from _through(layers[1:], piece)


def _layer(name: str) -> _Layer:
    if name in ("gzip", "x-gzip"):
        return _Layer(_GZIP)
    if name == "deflate":
        return _Deflate()
    raise UnknownPacking(f"is packed as `{name}`, which was not asked for")


class _Layer:
    """One packing undone; gzip may have several members one after the other (RFC 1952 §2.2)."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._inflate = zlib.decompressobj(bits)
        self.begun = False

    @property
    def whole(self) -> bool:
        return self._inflate.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        self.begun = self.begun or bool(data)
        pending = False
        while data or pending:
            if self._inflate.eof:
                if not data.startswith(b"\x1f"):
                    return  # padding behind the end
                self._inflate = zlib.decompressobj(self._bits)
            piece = self._piece(data)
            yield piece
            data = self._inflate.unconsumed_tail or self._inflate.unused_data
            pending = len(piece) == _PIECE and not self._inflate.eof

    def _piece(self, data: bytes) -> bytes:
        try:
            return self._inflate.decompress(data, _PIECE)
        except zlib.error as exc:
            raise BadBody("is packed in a way that cannot be unpacked") from exc


class _Deflate(_Layer):
    """`deflate` is the zlib format, but some servers send the bare one (RFC 9110 §8.4.1.2)."""

    def __init__(self) -> None:
        super().__init__(zlib.MAX_WBITS)
        self._head = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        if len(self._head) < _HEAD:
            # Which of the two it is can be told from its first bytes.
            self.begun = self.begun or bool(data)
            self._head += data
            if len(self._head) < _HEAD:
                return
            if not _is_zlib(self._head):
                self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            data = self._head
        yield from super().feed(data)


def _is_zlib(head: bytes) -> bool:
    """Whether a body begins as RFC 1950 §2.2 says."""
    return head[0] & 0x0F == 8 and int.from_bytes(head[:_HEAD], "big") % 31 == 0
