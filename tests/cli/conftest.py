"""A project whose API the tests serve, and a connection to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api import Api
from tests.cli.terapi import Terapi

WORKFLOW = """
version: 1
workflow: place-order
integrations: [shop]
input:
  name: {type: string, minLength: 1}
  notes: {type: array, default: []}
steps:
  - when: input.name == 'forbidden'
    fail: "{{ input.name }} is not allowed"
  - {id: words, set: {loud: "{{ input.name | upper }}"}}
  - {id: order, use: create_order, with: {name: "{{ steps.words.loud }}"}}
  - id: noted
    foreach: input.notes
    use: create_order
    with: {name: "{{ steps.words.loud }}", note: "{{ item }}"}
    output: result.id
output: {id: steps.order.id, notes: steps.noted}
"""


@pytest.fixture
def terapi(folder: Path) -> Terapi:
    (folder / "workflows" / "place-order.yaml").write_text(WORKFLOW)
    return Terapi(folder)


@pytest.fixture
def connected(terapi: Terapi, api: Api) -> Iterator[Terapi]:
    tokens = json.dumps({"access_token": "access-token-1", "refresh_token": "refresh-token-1"})
    terapi(
        "connect",
        "shop",
        "--connection",
        "demo",
        "--config",
        f"url={api.url}",
        "--allow-local",
        "--credentials-stdin",
        stdin=tokens,
    )
    api.seen.clear()  # the call that proved it
    yield terapi
    for secret in ("access-token-1", "refresh-token-1", "our-client-secret"):
        for path in (terapi.folder / ".terapi").rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes()
