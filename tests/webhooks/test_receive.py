"""A webhook taken in: kept before it is acknowledged, once, without its secrets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runner.definitions.exchange import Headers
from runner.errors import NotProved, UsageError
from runner.store import Connection, Store
from runner.webhooks.incoming import Incoming
from runner.webhooks.receive import Handshake
from tests.webhooks.conftest import SECRET, SHOP, WEBHOOK, Clock, Load, receiver, webhook

Connect = Callable[..., Connection]


def test_a_webhook_is_kept_once(load: Load, store: Store, clock: Clock, connect: Connect) -> None:
    connect("acme")
    takes = receiver(load(), store, clock)
    body = {"id": "e1", "type": "order.changed", "shop": "acme"}
    first, second = takes.receive("shop", webhook(body)), takes.receive("shop", webhook(body))
    assert (first.fresh, second.fresh) == (True, False)
    assert first.delivery == second.delivery
    kept = first.delivery
    assert (kept.connection, kept.event, kept.external_id) == ("acme", "order.changed", "e1")


@pytest.mark.parametrize(
    "body", [b"", b"no json", b"[1, 2]", b'{"events": 7}', b"\xff\xff", b'{"id": {"a": 1}}']
)
def test_whatever_is_proved_is_kept(load: Load, store: Store, clock: Clock, body: bytes) -> None:
    kept = receiver(load(), store, clock).receive("shop", webhook(body))
    assert kept.delivery.body == body


def test_a_wrong_signature_is_not_kept(load: Load, store: Store, clock: Clock) -> None:
    forged = Incoming(headers=Headers({"X-Signature": "sha256=00"}), raw=b"{}")
    with pytest.raises(NotProved, match="does not fit the body"):
        receiver(load(), store, clock).receive("shop", forged)
    assert store.deliveries.newest() == []


def test_without_a_secret_nothing_is_proved(load: Load, store: Store, clock: Clock) -> None:
    with pytest.raises(NotProved) as caught:
        receiver(load(), store, clock, {}).receive("shop", webhook({}))
    assert caught.value.hint == (
        "terapi client set shop --webhook-secret-stdin, or set TERAPI_SHOP_WEBHOOK_SECRET"
    )


def test_an_integration_without_webhooks_says_so(load: Load, store: Store, clock: Clock) -> None:
    with pytest.raises(UsageError, match="`shop` takes no webhooks"):
        receiver(load(webhook=""), store, clock).receive("shop", webhook({}))
    with pytest.raises(UsageError, match="there is no integration `shopp`"):
        receiver(load(), store, clock).receive("shopp", webhook({}))


def test_a_handshake_is_answered_and_not_kept(load: Load, store: Store, clock: Clock) -> None:
    takes = receiver(load(), store, clock)
    assert takes.handshake("shop", Incoming(raw=b'{"challenge": "c-1"}')) == Handshake({"said": "c-1"})
    assert takes.handshake("shop", webhook({"type": "order.changed"})) is None
    assert takes.handshake("shop", webhook([1])) is None
    assert store.deliveries.newest() == []


def test_secrets_of_a_webhook_are_forgotten(load: Load, store: Store, clock: Clock) -> None:
    rules = WEBHOOK.replace("{hmac: {header: X-Signature, prefix: sha256=}}", "{token: {query: token}}")
    given = Incoming(
        query={"token": SECRET, "topic": "orders"},
        headers=Headers({"Authorization": "Bearer t", "Cookie": "c", "X-Topic": "orders"}),
        raw=b"{}",
    )
    kept = receiver(load(webhook=rules), store, clock).receive("shop", given)
    assert (kept.delivery.query, kept.delivery.headers) == ({"topic": "orders"}, {"x-topic": "orders"})
    in_header = WEBHOOK.replace(
        "{hmac: {header: X-Signature, prefix: sha256=}}", "{token: {header: X-Token}}"
    )
    kept = receiver(load(webhook=in_header), store, clock).receive(
        "shop", Incoming(headers=Headers({"X-Token": SECRET}), raw=b"{}")
    )
    assert kept.delivery.headers == {}


def test_a_form_is_read_as_a_map(load: Load, store: Store, clock: Clock, connect: Connect) -> None:
    connect("acme")
    kept = receiver(load(), store, clock).receive(
        "shop",
        webhook(b"type=order.changed&shop=acme&id=e%2B1", Content_Type="application/x-www-form-urlencoded"),
    )
    assert (kept.delivery.connection, kept.delivery.event, kept.delivery.external_id) == (
        "acme",
        "order.changed",
        "e+1",
    )


def test_the_shop_of_these_tests_takes_no_webhooks_by_itself() -> None:
    assert "webhook" not in SHOP
