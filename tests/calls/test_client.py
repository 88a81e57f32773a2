"""Calls: what is sent, what is tried again, what each failure is called, and where credentials never go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from runner.calls.access import Access
from runner.calls.client import Client
from runner.errors import CallError, NotConnected, TerapiError, UsageError
from runner.store import Connection
from tests.api import Api, Reply, Seen
from tests.conftest import Waits

T = TypeVar("T")


def run(access: Access, connection: Connection, work: Callable[[Client], Awaitable[T]]) -> T:
    async def inside() -> T:
        async with access:
            return await work(access.client(connection))

    return asyncio.run(inside())


def call(access: Access, connection: Connection, operation_name: str, /, **arguments: object) -> object:
    operation = access.project.provider("shop").operations[operation_name]
    return run(access, connection, lambda client: client.call(operation, arguments))


def test_a_call_carries_its_token_and_leaves_out_what_is_absent(
    access: Access, connection: Connection, api: Api
) -> None:
    api.on("/orders", Reply({"id": 7}))
    assert call(access, connection, "create_order", name="x") == {"id": 7}
    assert api.seen[0].body == b'{"name": "x"}'
    assert api.seen[0].headers["authorization"] == "Bearer access-token-1"


def test_all_pages_are_read(access: Access, connection: Connection, api: Api) -> None:
    api.on("/orders", Reply({"orders": [{"id": "1"}], "next": "/orders/2"}))
    api.on("/orders/2", Reply({"orders": [{"id": "2"}], "next": None}))
    assert call(access, connection, "list_orders") == [{"id": "1"}, {"id": "2"}]


def test_a_page_that_repeats_is_an_error(access: Access, connection: Connection, api: Api) -> None:
    api.on("/orders", Reply({"orders": [{"id": "1"}], "next": "/orders"}))
    with pytest.raises(CallError) as caught:
        call(access, connection, "list_orders")
    assert caught.value.kind == "repeated_page"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "`create_order` needs `name`"),
        ({"name": 5}, "`name` of `create_order` must be text, found 5"),
        ({"name": "x", "nmae": "y"}, "`create_order` takes no `nmae`"),
    ],
)
def test_arguments_are_checked(
    access: Access, connection: Connection, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        call(access, connection, "create_order", **arguments)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("reply", "kind", "message"),
    [
        (
            Reply({"code": "DUP", "message": "two of them"}, 400),
            "duplicate",
            "answered 400: DUP: two of them",
        ),
        (Reply({"error": "no"}, 403), "forbidden", "answered 403: no"),
        (Reply({"error": {"message": "gone"}}, 404), "not_found", "answered 404: gone"),
        (
            Reply(b"<html>Login</html>", 200, {"Content-Type": "text/html"}),
            "not_json",
            "with an HTML page instead of JSON",
        ),
        (Reply(b"plain", 200), "not_json", "with something else than JSON"),
        (Reply(b'{"a": ', 200), "truncated", "ends too early or is broken"),
        (Reply({"a": "b" * 100}, 200, cut=20), "truncated", "was cut short"),
        (Reply({}, 429, {"Retry-After": "7"}), "rate_limited", "answered 429"),
        (Reply({}, 500), "server_error", "answered 500"),
        (Reply({}, 503), "unavailable", "answered 503"),
        (Reply({}, 302, {"Location": "https://evil.test/x"}), "forbidden_host", "are not sent to evil.test"),
    ],
)
def test_each_failure_has_its_kind(
    access: Access, connection: Connection, api: Api, reply: Reply, kind: str, message: str
) -> None:
    api.on("/orders/1", reply)
    with pytest.raises(CallError) as caught:
        call(access, connection, "get_order", id="1")
    assert caught.value.kind == kind
    assert message in caught.value.message
    assert caught.value.where is not None or kind == "not_json" or kind == "truncated"


@pytest.mark.parametrize(
    ("replies", "waited"),
    [
        ([Reply({}, 503), Reply({"ok": 1})], 1),
        ([Reply({}, 429, {"Retry-After": "7"}), Reply({"ok": 1})], 1),
        ([Reply(b"{", 200), Reply({"ok": 1})], 1),
        ([Reply({"a": "b" * 99}, cut=9), Reply({}, 500), Reply({"ok": 1})], 2),
    ],
)
def test_what_may_pass_is_tried_again(
    access: Access, connection: Connection, api: Api, waits: Waits, replies: list[Reply], waited: int
) -> None:
    api.on("/orders/1", replies)
    assert call(access, connection, "get_order", id="1") == {"ok": 1}
    assert len(waits.seconds) == waited


def test_the_api_says_how_long_to_wait(
    access: Access, connection: Connection, api: Api, waits: Waits
) -> None:
    api.on("/orders/1", [Reply({}, 429, {"Retry-After": "7"}), Reply({})])
    call(access, connection, "get_order", id="1")
    assert 7.0 <= waits.seconds[0] <= 7.7


def test_tries_end(access: Access, connection: Connection, api: Api) -> None:
    api.on("/orders/1", Reply({}, 503))
    with pytest.raises(CallError):
        call(access, connection, "get_order", id="1")
    assert len(api.seen) == 3


def test_a_write_that_may_have_happened_is_not_sent_twice(
    access: Access, connection: Connection, api: Api
) -> None:
    api.on("/orders", Reply({}, 500))
    with pytest.raises(CallError):
        call(access, connection, "create_order", name="x")
    assert len(api.seen) == 1


def test_a_refused_token_is_renewed_once_and_stored(access: Access, connection: Connection, api: Api) -> None:
    def orders(seen: Seen) -> Reply:
        return (
            Reply({"ok": 1}) if seen.headers["authorization"] == "Bearer access-token-2" else Reply({}, 401)
        )

    api.on("/orders/1", orders)
    api.on(
        "/token",
        Reply({"access_token": "access-token-2", "refresh_token": "refresh-token-2", "region": "eu"}),
    )
    assert call(access, connection, "get_order", id="1") == {"ok": 1}
    form = next(seen for seen in api.seen if seen.path == "/token").form()
    assert (form["grant_type"], form["refresh_token"], form["client_id"]) == (
        "refresh_token",
        "refresh-token-1",
        "our-client",
    )
    kept = access.store.connections.get("shop", "demo")
    assert kept is not None
    assert access.tokens.open(kept).credentials.refresh_token == "refresh-token-2"
    assert kept.config["region"] == "eu"


def test_a_token_that_stays_refused_is_an_error(access: Access, connection: Connection, api: Api) -> None:
    api.on("/orders/1", Reply({}, 401))
    api.on("/token", Reply({"access_token": "access-token-2"}))
    with pytest.raises(CallError) as caught:
        call(access, connection, "get_order", id="1")
    assert caught.value.kind == "token_expired"
    assert api.paths() == ["GET /orders/1", "POST /token", "GET /orders/1"]


def test_a_revoked_connection_says_how_to_mend_it(access: Access, connection: Connection, api: Api) -> None:
    api.on("/orders/1", Reply({}, 401))
    api.on("/token", Reply({"error": "invalid_grant"}, 400))
    with pytest.raises(NotConnected) as caught:
        call(access, connection, "get_order", id="1")
    assert caught.value.hint == "Access was revoked. Connect again: terapi connect shop --connection demo"
    kept = access.store.connections.get("shop", "demo")
    assert kept is not None
    assert str(kept.error).startswith("needs reconnect: ")


def test_of_many_callers_one_renews(access: Access, connection: Connection, api: Api) -> None:
    def orders(seen: Seen) -> Reply:
        return (
            Reply({"ok": 1}) if seen.headers["authorization"] == "Bearer access-token-2" else Reply({}, 401)
        )

    api.on("/orders/1", orders)
    api.on("/token", Reply({"access_token": "access-token-2"}))
    operation = access.project.provider("shop").operations["get_order"]

    async def many() -> list[object]:
        async with access:
            clients = [access.client(connection) for _ in range(8)]
            return await asyncio.gather(*(client.call(operation, {"id": "1"}) for client in clients))

    assert asyncio.run(many()) == [{"ok": 1}] * 8
    assert api.paths().count("POST /token") == 1


@pytest.mark.parametrize(
    "next_url",
    [
        "https://evil.test/orders",
        "http://127.0.0.1:9/orders",
        "//evil.test/x",
        "http://169.254.169.254/latest",
    ],
)
def test_credentials_go_nowhere_else(access: Access, connection: Connection, api: Api, next_url: str) -> None:
    api.on("/orders", Reply({"orders": [], "next": next_url}))
    with pytest.raises(CallError) as caught:
        call(access, connection, "list_orders")
    assert caught.value.kind == "forbidden_host"


def test_no_error_shows_a_secret(access: Access, connection: Connection, api: Api) -> None:
    api.on("/orders/1", lambda seen: Reply({"error": f"bad header {seen.headers['authorization']}"}, 400))
    with pytest.raises(TerapiError) as caught:
        call(access, connection, "get_order", id="1")
    assert "access-token-1" not in str(caught.value) + str(caught.value.hint)
    assert "•••" in caught.value.message


def test_an_error_shows_the_address_though_the_token_answer_holds_it(
    access: Access, connection: Connection, api: Api
) -> None:
    api.on("/orders/1", [Reply({}, 401), Reply({"error": "no"}, 400)])
    api.on("/token", Reply({"access_token": "access-token-2", "instance_url": api.url}))
    with pytest.raises(CallError) as caught:
        call(access, connection, "get_order", id="1")
    assert caught.value.message == f"{api.url}/orders/1 answered 400: no"


def test_an_api_that_is_not_there_is_told(access: Access, connection: Connection, api: Api) -> None:
    api.close()
    with pytest.raises(CallError) as caught:
        call(access, connection, "get_order", id="1")
    assert caught.value.kind == "network"
    assert caught.value.message == f"{api.url.removeprefix('http://')} cannot be reached: Connection refused"
