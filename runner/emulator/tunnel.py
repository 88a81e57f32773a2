"""A proxy that takes clients who know the real service's hosts only to the org (RFC 9110 §9.3.6, CONNECT).

With HTTPS_PROXY set to it, and the org's authority trusted, a client that calls `login.salesforce.com` by
itself reaches the org. It reaches nothing else: other hosts are refused, and nothing is looked up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

HOST = "127.0.0.1"
OWN = (HOST, "localhost")
#: what the hosts of the real service end with
REAL = ".salesforce.com"
BLOCK = 64 * 1024
MAX_HEAD = 16 * 1024
_ESTABLISHED = b"HTTP/1.1 200 Connection Established\r\n\r\n"
_REFUSED = "HTTP/1.1 {} {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Tunnel:
    """``ports`` are those of the orgs, ``hosts`` the same by the hosts that the real service would give them;
    what is meant for another of its hosts comes to the first.
    """

    def __init__(self, ports: Sequence[int], hosts: Mapping[str, int]) -> None:
        self._ports = ports
        self._hosts = hosts

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection."""
        try:
            port = await self._asked(reader, writer)
            if port is not None:
                await _join(reader, writer, port)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _asked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int | None:
        """The port that the client is taken to; None where it was refused."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, _, rest = head.partition(" ")
        host, _, asked = rest.partition(" ")[0].rpartition(":")
        port = self._port(host.lower(), asked)
        if method != "CONNECT" or port is None:
            status = (405, "Method Not Allowed") if method != "CONNECT" else (403, "Forbidden")
            writer.write(_REFUSED.format(*status).encode())
            await writer.drain()
            return None
        return port

    def _port(self, host: str, asked: str) -> int | None:
        """The port of this machine that stands for a host and a port."""
        if host.endswith(REAL):
            return self._hosts.get(host, self._ports[0])
        return next((port for port in self._ports if host in OWN and asked == str(port)), None)


async def _join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    there, back = await asyncio.open_connection(HOST, port)
    writer.write(_ESTABLISHED)
    try:
        await asyncio.gather(_pour(reader, back), _pour(there, writer))
    finally:
        back.close()


async def _pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while block := await source.read(BLOCK):
            target.write(block)
            await target.drain()
    finally:
        if target.can_write_eof():
            target.write_eof()
