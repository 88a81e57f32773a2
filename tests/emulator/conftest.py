"""A running org, and a small client for its REST API."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from runner.emulator.testing import Org, start_org

VERSION = "/services/data/v62.0"


@pytest.fixture
def org() -> Iterator[Org]:
    """An org of a few records, for one test."""
    with start_org() as running:
        yield running


@pytest.fixture(scope="module")
def empty_org() -> Iterator[Org]:
    """An org without records, which the tests of a file share."""
    with start_org(records=0) as running:
        yield running


@pytest.fixture
def api(org: Org) -> Iterator[httpx.Client]:
    """Calls below /services/data/v62.0 with a token that works."""
    with client_of(org) as client:
        yield client


def client_of(org: Org, token: str | None = None) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token or org.token()}"}
    return httpx.Client(base_url=org.url + VERSION, headers=headers)
