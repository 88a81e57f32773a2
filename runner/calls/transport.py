"""The one place that speaks HTTP: httpx's interface over aiohttp's transport (see docs/decisions/0002)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from runner import __version__
from runner.calls.guard import guarded_resolver
from runner.definitions.exchange import Answer, Headers, Outgoing
from runner.errors import CallError

_POOL = 100


class Transport:
    """HTTP connections, kept open between calls.

    Args:
        allow_local: whether names may lead to private addresses.
    """

    def __init__(self, *, allow_local: bool) -> None:
        self._allow_local = allow_local
        self._client: httpx.AsyncClient | None = None

    def _open(self) -> httpx.AsyncClient:
        # aiohttp wants a running loop when a session is made.
        if self._client is None:
            connector = aiohttp.TCPConnector(limit=_POOL, resolver=guarded_resolver(self._allow_local))
            session = aiohttp.ClientSession(connector=connector, auto_decompress=False)
            self._client = httpx.AsyncClient(
                transport=AiohttpTransport(client=session),
                headers={"User-Agent": f"terapi/{__version__}", "Accept-Encoding": "gzip, deflate"},
                follow_redirects=False,
            )
        return self._client

    async def send(self, request: Outgoing) -> Answer:
        """One request, its answer read whole.

        Raises:
            CallError: no whole answer came; kinds `network`, `timeout`, `truncated`.
        """
        async with self.stream(request) as response:
            content = await response.aread()
            return Answer(
                status=response.status_code,
                headers=Headers(dict(response.headers)),
                url=str(response.url),
                content=content,
            )

    @asynccontextmanager
    async def stream(self, request: Outgoing) -> AsyncIterator[httpx.Response]:
        """One request, its answer still to be read; faults while reading are translated as well."""
        client = self._open()
        timeout = httpx.Timeout(request.timeout, connect=min(request.timeout, 20.0))
        try:
            async with client.stream(
                request.method,
                request.url,
                headers=dict(request.headers),
                content=request.content,
                timeout=timeout,
            ) as response:
                yield response
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError) as exc:
            raise _translated(request, exc) from exc

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None


def _translated(request: Outgoing, exc: BaseException) -> CallError:
    host = httpx.URL(request.url).host if "://" in request.url else request.url
    where = request.where
    # The transport calls every failed connection a timeout; its cause knows better.
    refused = isinstance(exc, httpx.ConnectTimeout) and not isinstance(exc.__cause__, asyncio.TimeoutError)
    if isinstance(exc, (httpx.TimeoutException, asyncio.TimeoutError)) and not refused:
        message = f"{host} did not answer within {request.timeout:g} s"
        return CallError(message, kind="timeout", transient=True, where=where)
    if isinstance(exc, (httpx.ReadError, httpx.RemoteProtocolError, aiohttp.ClientPayloadError)):
        message = f"the answer of {host} was cut short"
        return CallError(message, kind="truncated", transient=True, where=where)
    if isinstance(exc, (httpx.InvalidURL, httpx.UnsupportedProtocol)):
        return CallError(f"{request.url!r} is no address", kind="bad_url", where=where)
    said = str(exc).splitlines()[0] if str(exc) else type(exc).__name__
    hint = "check the address and the network; behind a proxy set HTTPS_PROXY"
    return CallError(
        f"{host} cannot be reached: {said}", kind="network", transient=True, where=where, hint=hint
    )
