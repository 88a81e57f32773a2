"""The one place that speaks HTTP, by aiohttp (see docs/decisions/0002)."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from runner import __version__
from runner.calls.guard import PrivateAddress, guarded_resolver
from runner.definitions.exchange import Answer, Headers, Outgoing
from runner.definitions.formats.encoding import BadBody, UnknownPacking, Unpacking
from runner.errors import CallError

#: connections at once
_POOL = 100
#: seconds that a connection may take to be made
_CONNECT = 20.0
_HEADERS = {"User-Agent": f"terapi/{__version__}", "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}


class Body(Protocol):
    """A body on its way."""

    async def readany(self) -> bytes:
        """The next piece of it; empty behind the last."""
        ...


class Streamed:
    """An answer whose body is still on the wire: read it once, by one of `sent`, `unpacked` and `read`.

    Each raises a CallError where the body breaks off: kinds `truncated`, `timeout`, `bad_encoding`.
    """

    def __init__(self, request: Outgoing, status: int, pairs: Iterable[tuple[str, str]], body: Body) -> None:
        self.status = status
        #: every header as it came, in order; a name may come twice, as Set-Cookie does
        self.pairs: list[tuple[str, str]] = list(pairs)
        self.headers = Headers.joined(self.pairs)
        self.url = request.url
        self._request = request
        self._body = body
        self._peeked: list[bytes] = []

    @property
    def address(self) -> str:
        """The URL without its query, which may hold what nobody should see."""
        return self.url.partition("?")[0]

    async def sent(self) -> AsyncIterator[bytes]:
        """The body as it was sent, packed where Content-Encoding says so."""
        for chunk in self._peeked:
            yield chunk
        while chunk := await self._next():
            yield chunk

    async def unpacked(self) -> AsyncIterator[bytes]:
        """The body, unpacked."""
        try:
            unpacking = Unpacking(self.headers.get("content-encoding", ""))
            async for chunk in self.sent():
                for piece in unpacking.feed(chunk):
                    yield piece
            unpacking.finish()
        except BadBody as exc:
            raise _translated(self._request, exc) from None

    async def read(self, limit: int) -> Answer:
        """The answer with its body read whole and unpacked.

        Args:
            limit: bytes that the body may have.

        Raises:
            CallError: kind `too_large`: it has more; `timeout`: it took longer than the request may.
        """
        pieces: list[bytes] = []
        size = 0
        with _told(self._request):
            async with asyncio.timeout(self._request.timeout):
                async for piece in self.unpacked():
                    size += len(piece)
                    if size > limit:
                        raise _too_large(self._request, limit)
                    pieces.append(piece)
        return Answer(status=self.status, headers=self.headers, url=self.url, content=b"".join(pieces))

    async def beginning(self, size: int) -> bytes:
        """At least ``size`` bytes of what was sent, or all where it is less, unpacked as far as they go.

        Whoever reads the body afterwards gets it from its start.
        """
        while sum(map(len, self._peeked)) < size and (chunk := await self._next()):
            self._peeked.append(chunk)
        try:
            unpacking = Unpacking(self.headers.get("content-encoding", ""))
            return b"".join(piece for chunk in self._peeked for piece in unpacking.feed(chunk))
        except BadBody:
            return b""

    async def _next(self) -> bytes:
        with _told(self._request):
            return await self._body.readany()


class Transport:
    """HTTP connections, kept open between calls.

    Cookies are neither kept nor sent: one customer's session must not be carried into another's call.
    `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are heeded.

    Args:
        allow_local: whether names may lead to private addresses.
    """

    #: the servers' clock, in seconds since 1970, where it is known before any of them has answered
    time: float | None = None

    def __init__(self, *, allow_local: bool) -> None:
        self._allow_local = allow_local
        self._session: aiohttp.ClientSession | None = None
        self._proxies = getproxies()

    def _open(self) -> aiohttp.ClientSession:
        # aiohttp wants a running loop when a session is made.
        if self._session is None:
            through = {URL(address).host or "" for address in self._proxies.values() if "://" in address}
            resolver = guarded_resolver(self._allow_local, through)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_POOL, resolver=resolver),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=_HEADERS,
                skip_auto_headers=["Content-Type"],
                auto_decompress=False,
            )
        return self._session

    async def send(self, request: Outgoing, limit: int) -> Answer:
        """One request, its answer read whole.

        Args:
            limit: bytes that the answer may have.

        Raises:
            CallError: no whole answer came; kinds `network`, `disconnected`, `timeout`, `truncated`,
                `too_large`, `bad_encoding`, `bad_url`, `tls`, `forbidden_host`.
        """
        async with self.stream(request) as answer:
            return await answer.read(limit)

    @asynccontextmanager
    async def stream(
        self, request: Outgoing, upload: AsyncIterable[bytes] | None = None
    ) -> AsyncIterator[Streamed]:
        """One request, its answer still to be read.

        Args:
            upload: the body, where it is not `request.content`.

        Raises:
            CallError: no answer came; the kinds of `send`.
        """
        with _told(request):
            url = URL(request.url)
            response = await self._open().request(
                request.method,
                url,
                headers=dict(request.headers),
                data=request.content if upload is None else upload,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=min(request.timeout, _CONNECT), sock_read=request.timeout
                ),
                proxy=self._proxy(url),
            )
        try:
            yield Streamed(request, response.status, response.headers.items(), response.content)
        finally:
            # Closes the connection where the body was not read to its end, else keeps it for the next call.
            response.release() if response.content.at_eof() else response.close()

    def _proxy(self, url: URL) -> str | None:
        if not self._proxies or proxy_bypass(url.host or ""):
            return None
        return self._proxies.get(url.scheme)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


@contextmanager
def _told(request: Outgoing) -> Iterator[None]:
    """Tells what went wrong on the wire in terapi's own errors."""
    try:
        yield
    except (TimeoutError, aiohttp.ClientError, BadBody, OSError, ValueError) as exc:
        # Not `from exc`: some of these errors show the whole address, which may hold a key.
        raise _translated(request, exc) from None


def _translated(request: Outgoing, exc: Exception) -> CallError:
    where, host = request.where, host_of(request.url)
    if isinstance(exc, TimeoutError):
        message = f"{host} did not answer within {request.timeout:g} s"
        return CallError(message, kind="timeout", transient=True, where=where)
    if isinstance(exc, UnknownPacking):
        return CallError(f"the answer of {host} {exc}", kind="bad_encoding", where=where)
    if isinstance(exc, BadBody):
        return CallError(f"the answer of {host} {exc}", kind="truncated", transient=True, where=where)
    if isinstance(exc, aiohttp.ClientPayloadError):
        message = f"the answer of {host} was cut short"
        return CallError(message, kind="truncated", transient=True, where=where)
    if isinstance(exc, aiohttp.ClientConnectorError):
        return _unreached(request, exc)
    if isinstance(exc, (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError)):
        return CallError(f"{request.url.partition('?')[0]!r} is no address", kind="bad_url", where=where)
    if isinstance(exc, aiohttp.ClientResponseError):
        message = f"{host} answered with something that is no HTTP"
        return CallError(message, kind="bad_answer", where=where)
    message = f"{host} ended the connection before it answered"
    return CallError(message, kind="disconnected", transient=True, where=where)


def _unreached(request: Outgoing, exc: aiohttp.ClientConnectorError) -> CallError:
    """No connection could be made, so that nothing was sent."""
    host, where = host_of(request.url), request.where
    if isinstance(exc.os_error, PrivateAddress):
        hint = "only a connection that was made with --allow-local may call this machine and private networks"
        return CallError(str(exc.os_error), kind="forbidden_host", where=where, hint=hint)
    if isinstance(exc, (ssl.SSLError, aiohttp.ClientSSLError)):
        hint = "check the address; a certificate authority of your own is named with SSL_CERT_FILE"
        return CallError(f"{host} cannot prove who it is: {_reason(exc)}", kind="tls", where=where, hint=hint)
    hint = "check the address and the network; behind a proxy set HTTPS_PROXY"
    message = f"{host} cannot be reached: {_reason(exc)}"
    return CallError(message, kind="network", transient=True, where=where, hint=hint)


def _reason(exc: aiohttp.ClientConnectorError) -> str:
    error = exc.os_error
    if isinstance(exc, aiohttp.ClientConnectorDNSError):
        return "its name is not known"
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return os.strerror(error.errno) if error.errno else str(error)


def _too_large(request: Outgoing, limit: int) -> CallError:
    return CallError(
        f"the answer of {host_of(request.url)} is larger than {limit:,} bytes",
        kind="too_large",
        where=request.where,
        hint="ask for less at a time, or raise `limits.answer` of the provider or the operation",
    )


def host_of(url: str) -> str:
    """The host of an address, with its port where one is named."""
    return url.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2] or url
