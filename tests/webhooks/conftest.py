"""A project whose API signs its webhooks, and everything that takes them in."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from runner.auth.clients import Clients
from runner.auth.vault import Vault
from runner.definitions.exchange import Headers
from runner.definitions.project import Project
from runner.store import Connection, Store
from runner.webhooks.incoming import Incoming
from runner.webhooks.receive import Receiver
from runner.webhooks.route import Router

SECRET = "the-webhook-secret"
WEBHOOK = """
  webhook:
    verify: {hmac: {header: X-Signature, prefix: sha256=}}
    connection: event.shop
    event: event.type
    events: body.events | default([body])
    id: body.id
    respond: {when: body.challenge, body: "{{ {'said': body.challenge} }}"}
"""
SHOP = """
shop:
  auth_mode: NONE
  base_url: https://api.shop.test
  hosts: [api.shop.test]
  connection_config: {organization: {title: Organization, optional: true}}
  operations: {list: {request: {path: /orders}, records: response.body}}
"""
ORDERS = """
version: 1
sync: orders
integrations: [shop]
model: Order
primary_key: id
fetch: {use: list}
fields: {id: record.id}
on: {webhook: order.changed}
"""
GREET = """
version: 1
workflow: greet
integrations: [shop]
input: {name: {type: string}, shop: {type: string}}
steps: [{return: "{{ input.name }}"}]
on:
  webhook:
    event: customer.created
    when: not event.test
    input: {name: event.name, shop: connection.id, note: event.note}
"""

Load = Callable[..., Project]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads the project, its provider's webhook rules as they are given."""

    def loaded(webhook: str = WEBHOOK, greet: str = GREET.replace(", note: event.note", "")) -> Project:
        for name, text in (
            ("syncs/orders", ORDERS),
            ("workflows/greet", greet),
            ("providers", SHOP + webhook),
        ):
            path = tmp_path / f"{name}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return Project.load(tmp_path).checked()

    return loaded


@pytest.fixture
def connect(store: Store) -> Callable[..., Connection]:
    def connected(id: str, **values: object) -> Connection:
        given = {
            "integration": "shop",
            "provider": "shop",
            "auth": "NONE",
            "sealed": b"",
            "key_id": "",
            **values,
        }
        return store.connections.save(Connection(id=id, **given))  # type: ignore[arg-type]

    return connected


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def receiver(project: Project, store: Store, clock: Clock, environ: dict[str, str] | None = None) -> Receiver:
    given = {"TERAPI_SHOP_WEBHOOK_SECRET": SECRET} if environ is None else environ
    clients = Clients(store, Vault.load(store.folder, given), given)
    return Receiver(Router(project, store), store, clients, clock)


def signature(body: bytes, secret: str = SECRET, algorithm: str = "sha256") -> bytes:
    return hmac.new(secret.encode(), body, getattr(hashlib, algorithm)).digest()


def webhook(body: object, **headers: str) -> Incoming:
    """One that is signed as `WEBHOOK` says."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    signed = {
        "X-Signature": f"sha256={signature(raw).hex()}",
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    return Incoming(headers=Headers(signed), raw=raw)
