"""`GET /records/`: every change once, in order, with what is known of it."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.server.conftest import PLACE_HEADERS
from tests.server.served import Served

T0 = 1_760_000_000.0


@pytest.fixture
def filled(served: Served) -> Served:
    """Added a and d, updated b, deleted c, in this order of their last change."""
    stream = served.store.records.stream("shop", "demo", "Order")
    stream.write([(id, json.dumps({"id": id, "name": id.upper()}).encode()) for id in "abcd"], T0)
    stream.write([("b", b'{"id":"b","name":"changed"}')], T0 + 10.25)
    stream.delete(["c"], T0 + 20)
    return served


def get(served: Served, query: str = "", model: str = "Order") -> dict[str, object]:
    found = served("GET", f"/records/?model={model}&{query}", headers=PLACE_HEADERS)
    assert found.status_code == 200, found.text
    answer: dict[str, object] = found.json()
    return answer


def ids(served: Served, query: str = "") -> str:
    return "".join(record["id"] for record in get(served, query)["records"])  # type: ignore[attr-defined, index]


def test_a_record_is_its_payload_and_what_is_known_of_it(filled: Served) -> None:
    records = get(filled)["records"]
    assert isinstance(records, list)
    first, last = records[0], records[-1]
    cursor = first["_nango_metadata"].pop("cursor")
    assert isinstance(cursor, str)
    assert first == {
        "id": "a",
        "name": "A",
        "_nango_metadata": {
            "first_seen_at": "2025-10-09T08:53:20.000000+00:00",
            "last_modified_at": "2025-10-09T08:53:20.000000+00:00",
            "last_action": "ADDED",
            "deleted_at": None,
            "pruned_at": None,
        },
    }
    assert (last["id"], last["name"], last["_nango_metadata"]["last_action"]) == ("c", "C", "DELETED")
    assert last["_nango_metadata"]["deleted_at"] == "2025-10-09T08:53:40.000000+00:00"
    assert records[2]["_nango_metadata"]["last_modified_at"] == "2025-10-09T08:53:30.250000+00:00"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "adbc"),
        ("variant=base", "adbc"),
        ("variant=mailbox-2", ""),
        ("filter=added", "ad"),
        ("filter=UPDATED", "b"),
        ("filter=deleted", "c"),
        ("filter=added,updated", "adb"),
        ("filter=Updated,Deleted", "bc"),
        ("filter=deleted,added", "adc"),
        ("ids=a&ids=c&ids=zz", "ac"),
        ("ids=a&filter=deleted", ""),
        ("modified_after=2025-10-09T08:53:30.250Z", "bc"),
        ("modified_after=2025-10-09T08:53:30.250001Z", "c"),
        ("modified_after=2025-10-09T08:53:30.250000%2B00:00&filter=updated", "b"),
        ("limit=2", "ad"),
    ],
)
def test_records_are_found_by_query(filled: Served, query: str, expected: str) -> None:
    assert ids(filled, query) == expected


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
def test_with_a_cursor_nothing_is_missed_and_nothing_comes_twice(filled: Served, limit: int) -> None:
    seen, cursor = "", None
    while True:
        page = get(filled, f"limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
        seen += "".join(record["id"] for record in page["records"])  # type: ignore[attr-defined, index]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == "adbc"


def test_a_kept_cursor_shows_what_changed_since(filled: Served) -> None:
    records = get(filled)["records"]
    assert isinstance(records, list)
    last = records[-1]["_nango_metadata"]["cursor"]
    assert ids(filled, f"cursor={last}") == ""
    filled.store.records.stream("shop", "demo", "Order").write([("a", b'{"id":"a","name":"new"}')], T0 + 30)
    assert ids(filled, f"cursor={last}") == "a"


def test_the_records_of_a_variant_are_its_own(filled: Served) -> None:
    stream = filled.store.records.stream("shop", "demo", "Order", "mailbox-2")
    stream.write([("a", b'{"id":"a","name":"other"}'), ("e", b'{"id":"e"}')], T0)
    assert ids(filled, "variant=mailbox-2") == "ae"
    assert ids(filled, "variant=mailbox-2&limit=1") == "a"
    assert ids(filled) == "adbc"
    page = get(filled, "variant=mailbox-2&limit=1")
    assert ids(filled, f"variant=mailbox-2&cursor={page['next_cursor']}") == "e"


def test_a_model_that_was_never_synced_is_empty(served: Served) -> None:
    assert get(served, model="Nothing") == {"records": [], "next_cursor": None}


def test_a_record_without_an_id_field_has_its_key(served: Served) -> None:
    served.store.records.stream("shop", "demo", "Order").write([("k1", b'{"number":7}')], T0)
    [record] = get(served)["records"]  # type: ignore[misc]
    assert (record["id"], record["number"]) == ("k1", 7)


@pytest.mark.parametrize(
    ("query", "path", "message"),
    [
        ("", "model", "it is missing"),
        ("model=order", "model", "expected str matching regex"),
        ("model=O", "model", "expected str matching regex"),
        ("model=Order&limit=0", "limit", "expected int >= 1"),
        ("model=Order&limit=10001", "limit", "expected int <= 10000"),
        ("model=Order&filter=changed", "filter", "expected one or two of added, updated, deleted"),
        ("model=Order&filter=", "filter", "expected one or two of"),
        ("model=Order&cursor=bm9wZQ==", "cursor", "it is not one that this server gave"),
        ("model=Order&cursor=%00", "cursor", "it is not one that this server gave"),
        ("model=Order&cursor=dGVyYXBpOi0x", "cursor", "it is not one that this server gave"),
        ("model=Order&cursor=dGVyYXBpOjk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "cursor", "it is not one"),
        ("model=Order&modified_after=yesterday", "modified_after", "the text 'yesterday' is no time"),
        ("model=Order&delta=1", "delta", "it is not known here"),
        ("model=Order&" + "&".join(f"ids={n}" for n in range(101)), "ids", "expected array of length <= 100"),
        (f"model=Order&ids={'x' * 257}", "ids", "expected str of length <= 256"),
    ],
)  # fmt: skip
def test_a_query_is_read_strictly(served: Served, query: str, path: str, message: str) -> None:
    found = served("GET", f"/records/?{query}", headers=PLACE_HEADERS)
    assert (found.status_code, found.json()["error"]["code"]) == (400, "invalid_query_params")
    flaw = found.json()["error"]["errors"][0]
    assert flaw["path"][0] == path
    assert flaw["message"].startswith(message)


@pytest.mark.parametrize("place", [("nobody", "shop"), ("demo", "nope")])
def test_a_connection_that_is_not_there_is_refused(served: Served, place: tuple[str, str]) -> None:
    headers = {"Connection-Id": place[0], "Provider-Config-Key": place[1]}
    assert served.refusal("GET", "/records/?model=Order", headers=headers) == (400, "unknown_connection")


def prune(served: Served, **body: object) -> httpx.Response:
    return served("PATCH", "/records/prune", headers=PLACE_HEADERS, json={"model": "Order", **body})


def test_what_was_read_is_emptied_some_at_a_time_and_told_as_pruned(filled: Served) -> None:
    records = get(filled)["records"]
    assert isinstance(records, list)
    until = records[2]["_nango_metadata"]["cursor"]
    assert prune(filled, until_cursor=until, limit=2).json() == {"count": 2, "has_more": True}
    assert prune(filled, until_cursor=until, limit=2).json() == {"count": 1, "has_more": False}
    assert prune(filled, until_cursor=until).json() == {"count": 0, "has_more": False}
    after = get(filled)["records"]
    assert isinstance(after, list)
    assert [record.get("name") for record in after] == [None, None, None, "C"]
    for old, new in zip(records, after, strict=True):
        pruned_at = new["_nango_metadata"].pop("pruned_at")
        assert (pruned_at is None) == (new["id"] == "c")
        assert old["_nango_metadata"] == {**new["_nango_metadata"], "pruned_at": None}
    assert prune(filled, until_cursor=until, variant="other").json() == {"count": 0, "has_more": False}


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        ({}, "until_cursor", "it is missing"),
        ({"until_cursor": "bm9wZQ=="}, "until_cursor", "it is not one that this server gave"),
        ({"until_cursor": "dGVyYXBpOjE=", "limit": 10_001}, "limit", "expected int <= 10000"),
        ({"until_cursor": "dGVyYXBpOjE=", "model": "order"}, "model", "expected str matching regex"),
        ({"until_cursor": "dGVyYXBpOjE=", "all": True}, "all", "it is not known here"),
    ],
)
def test_what_is_to_be_pruned_is_read_strictly(
    served: Served, body: dict[str, object], path: str, message: str
) -> None:
    found = prune(served, **body)
    assert (found.status_code, found.json()["error"]["code"]) == (400, "invalid_body")
    flaw = found.json()["error"]["errors"][0]
    assert flaw["path"][0] == path
    assert flaw["message"].startswith(message)


def test_nothing_is_pruned_of_a_connection_that_is_not_there(served: Served) -> None:
    place = {"Connection-Id": "nobody", "Provider-Config-Key": "shop"}
    body = {"model": "Order", "until_cursor": "dGVyYXBpOjE="}
    assert served.refusal("PATCH", "/records/prune", headers=place, json=body) == (400, "unknown_connection")
