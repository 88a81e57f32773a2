"""Streamed calls: what is passed on as it comes, and what happens before its first byte."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator

import pytest

from runner.calls.access import Access
from runner.calls.client import Client
from runner.definitions.exchange import Outgoing
from runner.errors import CallError
from runner.store import Connection
from tests.api import Api, Reply, Seen
from tests.calls.test_client import run
from tests.conftest import Waits

LARGE = bytes(range(256)) * 20_000


class Got:
    def __init__(self, status: int, pairs: list[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.pairs = pairs
        self.body = body


def stream(access: Access, connection: Connection, request: Outgoing, **how: object) -> Got:
    async def work(client: Client) -> Got:
        async with client.stream(request, **how) as answer:  # type: ignore[arg-type]
            body = b"".join([chunk async for chunk in answer.sent()])
            return Got(answer.status, answer.pairs, body)

    return run(access, connection, work)


def get(path: str, **more: object) -> Outgoing:
    return Outgoing(method="GET", url=path, **more)  # type: ignore[arg-type]


def test_a_large_body_comes_in_pieces(access: Access, connection: Connection, api: Api) -> None:
    api.on("/file", Reply(LARGE, headers={"Content-Type": "application/octet-stream"}))

    async def largest(client: Client) -> tuple[int, int]:
        sizes = []
        async with client.stream(get("/file")) as answer:
            async for chunk in answer.sent():
                sizes.append(len(chunk))
        return sum(sizes), max(sizes)

    whole, piece = run(access, connection, largest)
    assert whole == len(LARGE)
    assert piece < whole / 4


def test_a_packed_body_is_passed_on_as_it_was_sent(access: Access, connection: Connection, api: Api) -> None:
    api.on("/file", Reply(gzip.compress(LARGE), headers={"Content-Encoding": "gzip", "X-Two": "a"}))
    got = stream(access, connection, get("/file", headers={"Accept-Encoding": "gzip"}))
    assert gzip.decompress(got.body) == LARGE
    assert ("Content-Encoding", "gzip") in got.pairs
    assert api.seen[0].headers["accept-encoding"] == "gzip"


def test_every_status_is_passed_on_whole(access: Access, connection: Connection, api: Api) -> None:
    api.on("/file", Reply(b"x" * 200_000, 409))
    got = stream(access, connection, get("/file"))
    assert (got.status, got.body) == (409, b"x" * 200_000)


def test_a_refused_token_is_renewed_before_the_first_byte(
    access: Access, connection: Connection, api: Api
) -> None:
    def file(seen: Seen) -> Reply:
        known = seen.headers["authorization"] == "Bearer access-token-2"
        return Reply(b"the file") if known else Reply({"error": "expired"}, 401)

    api.on("/file", file)
    api.on("/token", Reply({"access_token": "access-token-2"}))
    got = stream(access, connection, Outgoing(method="POST", url="/file", content=b"x"))
    assert (got.status, got.body) == (200, b"the file")
    assert api.paths() == ["POST /file", "POST /token", "POST /file"]


def test_a_token_that_stays_refused_is_told_as_the_api_tells_it(
    access: Access, connection: Connection, api: Api
) -> None:
    api.on("/file", Reply({"error": "expired"}, 401))
    api.on("/token", Reply({"access_token": "access-token-2"}))
    got = stream(access, connection, get("/file"))
    assert (got.status, got.body) == (401, b'{"error": "expired"}')
    assert api.paths() == ["GET /file", "POST /token", "GET /file"]


def test_nothing_is_tried_again_unless_it_is_asked_for(
    access: Access, connection: Connection, api: Api
) -> None:
    api.on("/file", [Reply({}, 503), Reply({"ok": 1})])
    assert stream(access, connection, get("/file")).status == 503
    assert stream(access, connection, get("/file"), attempts=2).status == 200


@pytest.mark.parametrize(
    ("method", "status", "statuses", "sent"),
    [
        ("GET", 500, (), 3),
        ("GET", 409, (), 1),
        ("GET", 409, (409,), 3),
        ("PUT", 500, (), 3),
        ("POST", 500, (), 1),
        ("POST", 504, (), 1),
        ("POST", 503, (), 3),
        ("POST", 429, (), 3),
        ("POST", 500, (500,), 3),
        ("PATCH", 500, (), 1),
    ],
)
def test_only_what_is_safe_is_tried_again(
    access: Access,
    connection: Connection,
    api: Api,
    method: str,
    status: int,
    statuses: tuple[int, ...],
    sent: int,
) -> None:
    api.on("/file", Reply({"n": 1}, status))
    got = stream(access, connection, Outgoing(method=method, url="/file"), attempts=3, statuses=statuses)
    assert (got.status, len(api.seen)) == (status, sent)


def test_an_upload_is_sent_as_it_comes_and_once(
    access: Access, connection: Connection, api: Api, waits: Waits
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"piece "

    api.on("/file", Reply({}, 503))
    got = stream(access, connection, Outgoing(method="PUT", url="/file"), attempts=3, upload=pieces())
    assert (got.status, waits.seconds) == (503, [])
    assert [seen.body for seen in api.seen] == [b"piece piece piece "]


def test_a_refused_upload_renews_the_token_for_the_next_call(
    access: Access, connection: Connection, api: Api
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"piece"

    api.on("/file", [Reply({}, 401), Reply({"ok": 1})])
    api.on("/token", Reply({"access_token": "access-token-2"}))

    async def twice(client: Client) -> list[int]:
        found = []
        for _ in range(2):
            async with client.stream(Outgoing(method="PUT", url="/file"), upload=pieces()) as answer:
                found.append(answer.status)
        return found

    assert run(access, connection, twice) == [401, 200]
    assert api.seen[-1].headers["authorization"] == "Bearer access-token-2"


def test_a_body_that_breaks_off_is_an_error_where_it_is_read(
    access: Access, connection: Connection, api: Api
) -> None:
    api.on("/file", Reply(LARGE, cut=1000))
    with pytest.raises(CallError) as caught:
        stream(access, connection, get("/file"))
    assert caught.value.kind == "truncated"


def test_leaving_early_ends_the_connection_and_the_next_call_works(
    access: Access, connection: Connection, api: Api
) -> None:
    api.on("/file", Reply(LARGE))
    api.on("/next", Reply({"ok": 1}))

    async def work(client: Client) -> int:
        async with client.stream(get("/file")) as answer:
            await anext(answer.sent())
        async with client.stream(get("/next")) as answer:
            return int(answer.status)

    assert run(access, connection, work) == 200


def test_an_error_of_the_reader_stays_the_readers(access: Access, connection: Connection, api: Api) -> None:
    api.on("/file", Reply({}))

    async def work(client: Client) -> None:
        async with client.stream(get("/file")):
            raise ConnectionResetError("the browser went away")

    with pytest.raises(ConnectionResetError):
        run(access, connection, work)


def test_cookies_of_one_customer_are_not_sent_for_another(
    access: Access, connection: Connection, api: Api
) -> None:
    api.on("/file", Reply({}, headers={"Set-Cookie": "session=theirs; Path=/"}))

    async def both() -> None:
        async with access:
            for _ in range(2):
                async with access.client(connection).stream(get("/file")) as answer:
                    await answer.read(1000)

    asyncio.run(both())
    assert [seen.headers.get("cookie") for seen in api.seen] == [None, None]


def test_a_raw_answer_larger_than_its_limit_is_an_error(
    access: Access, connection: Connection, api: Api
) -> None:
    api.on("/file", Reply(gzip.compress(bytes(101_000_000)), headers={"Content-Encoding": "gzip"}))
    with pytest.raises(CallError) as caught:
        run(access, connection, lambda client: client.raw("GET", "/file", {}, None))
    assert caught.value.kind == "too_large"
    assert "is larger than 100,000,000 bytes" in caught.value.message
