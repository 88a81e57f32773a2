"""A served project whose API the tests answer for, and a connection to it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from runner.definitions.project import Project
from runner.store import Connection
from tests.conftest import PROVIDERS
from tests.server.served import Served, serving

SECRET = "the-webhook-secret"
ENVIRON = {
    "TERAPI_SHOP_CLIENT_ID": "our-client",
    "TERAPI_SHOP_CLIENT_SECRET": "our-client-secret",
    "TERAPI_SHOP_WEBHOOK_SECRET": SECRET,
}
WEBHOOK = """
  webhook:
    verify: {hmac: {header: X-Signature}}
    connection: body.connection
    event: event.type
    events: body.events | default([body])
    id: body.id
    respond: {when: request.query.challenge, body: "{{ request.query.challenge }}"}
"""
PLACE = """
version: 1
workflow: place-order
integrations: [shop]
input: {name: {type: string, minLength: 1}}
steps:
  - {when: input.name == 'forbidden', fail: "{{ input.name }} is not allowed"}
  - {id: order, use: create_order, with: {name: "{{ input.name }}"}}
output: {id: steps.order.id}
on: {webhook: {event: order.placed, input: {name: event.name}}}
"""


@pytest.fixture
def project(folder: Path) -> Project:
    (folder / "providers.yaml").write_text(PROVIDERS.replace("  operations:", f"{WEBHOOK}  operations:", 1))
    orders = folder / "syncs" / "orders.yaml"
    orders.write_text(f"{orders.read_text()}on: {{webhook: order.changed}}\n")
    (folder / "workflows" / "place-order.yaml").write_text(PLACE)
    return Project.load(folder).checked()


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Where the state is."""
    return f"sqlite:///{tmp_path}/.terapi/terapi.db"


@pytest.fixture
def served(project: Project, connection: Connection, url: str) -> Iterator[Served]:
    """A server of the project, with the connection `demo`."""
    with serving(project, url, ENVIRON) as found:
        yield found


Send = Callable[..., httpx.Response]


@pytest.fixture
def send(served: Served) -> Send:
    """Sends a signed webhook."""

    def sent(body: object, **headers: str) -> httpx.Response:
        return post_webhook(served, body, **headers)

    return sent


def post_webhook(served: Served, body: object, **headers: str) -> httpx.Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    proof = {"X-Signature": hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest(), **headers}
    return httpx.post(f"{served.url}/webhooks/shop", content=raw, headers=proof, timeout=20)


PLACE_HEADERS = {"Connection-Id": "demo", "Provider-Config-Key": "shop"}
