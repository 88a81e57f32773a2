"""Calls: what one operation costs beside the wire, with everything that terapi does for it: the request made,
the token minded, the host guarded, the budget watched, the answer classified and decoded."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import aiohttp
import orjson

from benchmarks.api import answering
from benchmarks.figures import Figure
from runner.auth.connect import NewConnection
from runner.auth.credentials import Credentials
from runner.calls.access import Access
from runner.calls.client import Client
from runner.definitions.exchange import Outgoing
from runner.definitions.project import Project
from runner.store import open_store

CALLS = 3_000
_ROOT = Path(__file__).parent.parent


def figures() -> Iterator[Figure]:
    with answering() as url:
        bare = asyncio.run(_bare(url))
        called = asyncio.run(_ours(url, _called))
        streamed = asyncio.run(_ours(url, _streamed))
    yield Figure("the wire alone (aiohttp, the JSON decoded)", f"{bare:,.0f} µs a call")
    yield Figure("an operation", f"{called:,.0f} µs a call", f"{called - bare:,.0f} µs more than the wire")
    yield Figure(
        "a streamed call", f"{streamed:,.0f} µs a call", f"{streamed - bare:,.0f} µs more than the wire"
    )


async def _bare(url: str) -> float:
    async with aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def call() -> object:
            async with session.get(f"{url}/services/data/v62.0/limits", allow_redirects=False) as answer:
                return orjson.loads(await answer.read())

        return await _each(call)


async def _ours(url: str, call: Callable[[Client], Awaitable[object]]) -> float:
    with tempfile.TemporaryDirectory() as folder, open_store(f"sqlite:///{folder}/terapi.db") as store:
        async with Access(Project.load(_ROOT).checked(), store, {}) as access:
            new = NewConnection(id="bench", config={"login_url": url, "instance_url": url}, allow_local=True)
            held = Credentials(type="OAUTH2", access_token="a" * 100, checked_at=time.time())
            client = access.client(access.connect.keep(access.project.provider("salesforce"), new, held))
            return await _each(lambda: call(client))


async def _called(client: Client) -> object:
    return await client.call(client.provider.operations["limits"], {})


async def _streamed(client: Client) -> object:
    async with client.stream(Outgoing(method="GET", url="/services/data/v62.0/limits")) as answer:
        return [chunk async for chunk in answer.sent()]


async def _each(call: Callable[[], Awaitable[object]]) -> float:
    """Microseconds a call, one after the other on one connection; the best of three rounds."""
    rounds = []
    for _ in range(4):
        began = time.perf_counter()
        for _ in range(CALLS):
            await call()
        rounds.append((time.perf_counter() - began) / CALLS * 1e6)
    return min(rounds[1:])
