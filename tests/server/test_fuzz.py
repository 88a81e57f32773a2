"""Whatever is sent, the server answers in its own words, and never with a fault of its own."""

from __future__ import annotations

from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api import Api, Reply
from tests.server.conftest import PLACE_HEADERS, post_webhook
from tests.server.served import Served

many = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
text = st.text(max_size=30)
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(text, below, max_size=4),
    max_leaves=12,
)
KNOWN = ["model", "limit", "cursor", "filter", "ids", "variant", "modified_after", "connectionId", "page", "search",
         "tags[a]", "provider_config_key", "force_refresh", "integrationId"]  # fmt: skip
queries = st.lists(st.tuples(st.sampled_from(KNOWN) | text, text | st.integers().map(str)), max_size=5)
HEADER = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)


def sound(found: httpx.Response) -> None:
    """A success, or a refusal that is one of ours."""
    if found.status_code >= 400:
        error = found.json()["error"]
        assert found.status_code < 500 or error["code"] == "failed", found.text
        assert isinstance(error["code"], str)
        assert isinstance(error["message"], str)


@pytest.fixture
def fuzzed(served: Served, api: Api) -> Served:
    api.on("/orders", Reply({"orders": []}))
    return served


@many
@given(path=st.sampled_from(["/connections", "/connections/demo", "/records/"]), query=queries)
def test_any_query(fuzzed: Served, path: str, query: list[tuple[str, str]]) -> None:
    sound(fuzzed("GET", path, params=query, headers=PLACE_HEADERS))


@many
@given(id=text, key=text)
def test_any_connection(fuzzed: Served, id: str, key: str) -> None:
    place = quote(id, safe="", errors="replace")
    sound(fuzzed("GET", f"/connections/{place}", params={"provider_config_key": key}))


@many
@given(
    path=st.sampled_from(["/sync/trigger", "/action/trigger"]),
    body=st.binary(max_size=60)
    | st.fixed_dictionaries(
        {},
        optional={
            "provider_config_key": st.just("shop") | json,
            "syncs": st.just(["orders"]) | json,
            "connection_id": st.just("demo") | json,
            "opts": json,
            "sync_mode": json,
            "action_name": st.just("place-order") | json,
            "input": st.fixed_dictionaries({"name": text}) | json,
            "more": json,
        },
    )
    | json,
)
def test_any_body(fuzzed: Served, path: str, body: object) -> None:
    given = {"content": body} if isinstance(body, bytes) else {"json": body}
    sound(fuzzed("POST", path, headers=PLACE_HEADERS, **given))


@settings(many, max_examples=40)
@given(body=st.binary(max_size=60) | json)
def test_any_webhook_that_is_proved_is_taken(fuzzed: Served, body: object) -> None:
    assert post_webhook(fuzzed, body).status_code == 202


@many
@given(
    headers=st.dictionaries(
        st.sampled_from(
            ["Retries", "Retry-On", "Base-Url-Override", "Decompress", "Connection-Id", "Nango-Proxy-X"]
        ),
        HEADER,
    ),
    path=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#"), max_size=20),
)
def test_any_proxied_call(fuzzed: Served, headers: dict[str, str], path: str) -> None:
    found = fuzzed("GET", f"/proxy/orders{path}", headers={**PLACE_HEADERS, **headers})
    assert found.status_code in (200, 400, 404)
