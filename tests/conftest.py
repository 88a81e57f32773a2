"""What several rooms' tests start from: a small API, a project that calls it, and access to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from runner.auth.connect import NewConnection
from runner.auth.credentials import Credentials
from runner.calls.access import Access
from runner.definitions.project import Project
from runner.store import Connection, Store, open_store
from tests.api import Api, Reply

# How long an example takes says how busy the machine is, and nothing of what is tested.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

PROVIDERS = """
shop:
  auth_mode: OAUTH2
  authorization_url: "{{ config.url }}/authorize"
  token_url: "{{ config.url }}/token"
  revoke_url: "{{ config.url }}/revoke"
  base_url: "{{ config.url }}"
  hosts: [api.shop.test]
  connection_config:
    url: {type: string, format: uri}
    region: {from: token.region}
  verify: ping
  retry: {attempts: 3, initial: 1s, max: 60s}
  errors:
    - {when: response.status == 401, kind: token_expired}
    - {when: response.body.error == 'invalid_grant', kind: needs_reconnect, hint: Access was revoked.}
    - {when: response.body.code == 'DUP', kind: duplicate, hint: Look for the other one.}
    - {when: response.body.code == 'GONE', kind: cursor_expired}
  operations:
    ping: {request: {path: /ping}}
    list_orders:
      params: {since: {type: string, required: false}, until: {type: string, required: false}}
      request: {path: /orders, query: {since: "{{ since }}", until: "{{ until }}"}}
      records: response.body.orders
      paginate: {next_url: response.body.next, total: response.body.total}
    gone_orders:
      params: {since: {type: string}}
      request: {path: /gone, query: {since: "{{ since }}"}}
      records: response.body.gone
    get_order:
      params: {id: {type: string}}
      request: {path: "/orders/{{ id | urlencode }}"}
    create_order:
      params: {name: {type: string}, note: {type: string, required: false}}
      request: {method: POST, path: /orders, json: {name: "{{ name }}", note: "{{ note }}"}}
"""
ORDERS = """
version: 1
sync: orders
integrations: [shop]
model: Order
primary_key: id
incremental: {cursor: record.at, lookback: 1m}
fetch: {use: list_orders, with: {since: "{{ slice.from }}", until: "{{ slice.to }}"}}
fields: {id: record.id, name: record.name, total: {from: record.total, type: number}}
deletes: {when: record.gone}
"""


ENVIRON = {"TERAPI_SHOP_CLIENT_ID": "our-client", "TERAPI_SHOP_CLIENT_SECRET": "our-client-secret"}


class Waits:
    """Stands for sleeping: notes how long would have been waited."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def api() -> Iterator[Api]:
    found = Api()
    found.on("/ping", Reply({"ok": True}))
    yield found
    found.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "providers.yaml").write_text(PROVIDERS)
    (tmp_path / "syncs").mkdir()
    (tmp_path / "syncs" / "orders.yaml").write_text(ORDERS)
    (tmp_path / "workflows").mkdir()
    return tmp_path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/.terapi/terapi.db") as found:
        yield found


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def access(folder: Path, store: Store, waits: Waits) -> Access:
    return Access(Project.load(folder).checked(), store, ENVIRON, waits)


@pytest.fixture
def connection(access: Access, api: Api) -> Connection:
    """A connection with an access token that has no end, and a refresh token."""
    credentials = Credentials(type="OAUTH2", access_token="access-token-1", refresh_token="refresh-token-1")
    place = NewConnection(id="demo", config={"url": api.url}, allow_local=True)
    return access.connect.keep(access.project.provider("shop"), place, credentials)
