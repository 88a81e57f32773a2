"""Records enriched by further calls: what is asked for, what is joined, and what a failure of a call does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from runner.calls.access import Access
from runner.calls.classify import TRANSIENT
from runner.definitions.build.sync.enrich import PASSING
from runner.definitions.model import NOT_THERE
from runner.definitions.project import Project
from runner.errors import EnrichmentFailed, NotConnected, RecordError, TerapiError
from runner.store import Connection
from runner.sync.audit import AuditResult, audit_sync
from tests.api import Api, Reply, Seen
from tests.conftest import ORDERS, PROVIDERS
from tests.sync.test_preview import preview
from tests.sync.test_run import KEY, order, source, stored, sync

AT = "2026-01-01T00:00:00Z"
MORE = """
    list_notes:
      params: {orders: {type: array}}
      request: {path: /notes, query: {orders: "{{ orders | join(',') }}"}}
      records: response.body.notes
      paginate: {next_url: response.body.next}
    list_people:
      params: {ids: {type: array}}
      request: {path: /people, query: {ids: "{{ ids | join(',') }}"}}
      records: response.body.people
    notes_of:
      params: {id: {type: string}}
      request: {path: "/orders/{{ id }}/notes"}
      records: response.body.notes
    details_of:
      params: {id: {type: string}}
      request: {path: "/orders/{{ id }}/details"}
    more_of:
      params: {ids: {type: array}, names: {type: array}}
      request: {path: /more, query: {ids: "{{ ids | join(',') }}", names: "{{ names | join(',') }}"}}
      records: response.body.orders
"""
OF = """
    list_orders_of:
      params: {of: {type: string}, since: {type: string}, until: {type: string}}
      request: {path: "/of/{{ of }}"}
      records: response.body.orders
"""
NOTES = """enrich:
  notes:
    use: list_notes
    with: {orders: "{{ page.records | pluck('id') }}"}
    match: {item: item.order, record: record.id}
    many: true
"""
WITH_NOTES = "fields: {id: record.id, notes: {foreach: notes, sort: item.text, fields: {text: item.text}}}\n"


def define(access: Access, folder: Path, enrich: str, fields: str = WITH_NOTES) -> None:
    """The sync of orders with these keys further."""
    (folder / "providers.yaml").write_text(PROVIDERS + MORE)
    kept = "".join(line + "\n" for line in ORDERS.splitlines() if not line.startswith("fields"))
    (folder / "syncs/orders.yaml").write_text(kept + fields + enrich)
    access.project = Project.load(folder).checked()


class Notes:
    """The notes of orders, as the API gives them: two a page."""

    def __init__(self, api: Api, notes: list[dict[str, object]]) -> None:
        self.notes = notes
        #: the orders that each call asked for
        self.asked: list[list[str]] = []
        api.on("/notes", self.answer)

    def answer(self, seen: Seen) -> Reply:
        wanted, start = seen.query["orders"].split(","), int(seen.query.get("start", "0"))
        if not start:
            self.asked.append(wanted)
        found = [note for note in self.notes if str(note["order"]) in wanted]
        more = f"/notes?orders={seen.query['orders']}&start={start + 2}" if start + 2 < len(found) else None
        return Reply({"notes": found[start : start + 2], "next": more})


def note(order: object, text: str) -> dict[str, object]:
    return {"order": order, "text": text}


def texts(access: Access) -> dict[str, list[object]]:
    return {id: [one["text"] for one in row["notes"]] for id, row in stored(access).items()}  # type: ignore[attr-defined]


def warnings(access: Access) -> list[object]:
    events = access.store.runs.events(access.store.runs.newest()[0].id)
    return [event["message"] for event in events if event["level"] == "warning"]


def test_items_are_joined_to_the_records_of_each_page(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    define(access, folder, NOTES)
    source(api, [order(str(n), f"2026-01-0{n}T00:00:00Z") for n in range(1, 6)])
    notes = Notes(
        api, [*(note("2", f"note {n}") for n in range(5)), note("5", "last"), note("9", "nobody's")]
    )
    result = sync(access, connection)
    assert (result.added, result.checkpoint) == (5, "2026-01-05T00:00:00.000Z")
    assert texts(access) == {
        "1": [], "2": [f"note {n}" for n in range(5)], "3": [], "4": [], "5": ["last"],
    }  # fmt: skip
    assert notes.asked == [["1", "2"], ["3", "4"], ["5"]]
    assert sync(access, connection).unchanged == 1


def test_many_keys_are_asked_for_in_batches_and_each_key_once(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    enrich = NOTES.replace("page.records | pluck('id')", "page.keys").replace("record.id", "record.name")
    define(access, folder, enrich + "    batch: 2\n    concurrency: 1\n")
    rows = [order(str(n), AT, name=f"name {n % 3}") for n in range(9)]
    api.on("/orders", Reply({"orders": [*rows, order("9", AT, name=None)]}))
    notes = Notes(api, [note(f"name {n}", f"note {n}") for n in range(3)])
    sync(access, connection)
    assert notes.asked == [["name 0", "name 1"], ["name 2"]]
    assert texts(access) == {str(n): [f"note {n % 3}"] for n in range(9)} | {"9": []}


def test_a_text_matches_the_number_that_it_writes(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    define(access, folder, NOTES)
    api.on("/orders", Reply({"orders": [order("1", AT), order("2", AT)]}))
    notes = [note(1, "by number"), note(2.0, "by another"), note(None, "by none")]
    api.on("/notes", Reply({"notes": notes}))
    sync(access, connection)
    assert texts(access) == {"1": ["by number"], "2": ["by another"]}


ONE = """enrich:
  person:
    use: list_people
    with: {ids: "{{ page.keys }}"}
    match: {item: item.id, record: record.person}
"""


def test_one_item_is_the_name_and_none_is_absent(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    define(access, folder, ONE, "fields: {id: record.id, name: person.name, email: person.email}\n")
    rows = [order("1", AT, person=7), order("2", AT, person=8), order("3", AT, person=None), order("4", AT)]
    api.on("/orders", Reply({"orders": rows}))
    api.on("/people", Reply({"people": [{"id": 7, "name": "Ada", "email": None}]}))
    sync(access, connection)
    assert stored(access) == {
        "1": {"id": "1", "name": "Ada", "email": None}, "2": {"id": "2"}, "3": {"id": "3"}, "4": {"id": "4"},
    }  # fmt: skip
    assert [seen.query["ids"] for seen in api.seen if seen.path == "/people"] == ["7,8"]


def test_where_and_later_enrichments_know_what_is_joined(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    later = "  boss: {use: list_people, with: {ids: '{{ page.keys }}'}, match: {item: item.id, record: person.boss}}\n"
    fields = "fields: {id: record.id, boss: boss.name}\nwhere: person.boss is present\n"
    define(access, folder, ONE + later, fields)
    api.on("/orders", Reply({"orders": [order("1", AT, person=7), order("2", AT, person=8), order("3", AT)]}))
    people = [{"id": 7, "name": "Ada", "boss": 8}, {"id": 8, "name": "Grace"}]
    api.on(
        "/people",
        lambda seen: Reply(
            {"people": [one for one in people if str(one["id"]) in seen.query["ids"].split(",")]}
        ),
    )
    sync(access, connection)
    assert stored(access) == {"1": {"id": "1", "boss": "Grace"}}


def test_what_is_not_stored_is_not_asked_for(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    define(access, folder, NOTES + "where: record.total != '0'\n")
    rows = [order("1", AT, gone=True), order("2", AT, total="0"), order("3", AT)]
    api.on("/orders", Reply({"orders": rows}))
    notes = Notes(api, [])
    sync(access, connection)
    assert notes.asked == [["3"]]
    api.on("/orders", Reply({"orders": rows[:2]}))
    sync(access, connection)
    assert notes.asked == [["3"]]


EACH = """enrich:
  notes: {use: notes_of, with: {id: "{{ record.id }}"}, each: record, many: true, concurrency: 3}
  details:
    use: details_of
    with: {id: "{{ record.id }}"}
    each: record
    when: notes
    optional: [not_found]
"""


def test_a_call_for_each_record(access: Access, connection: Connection, api: Api, folder: Path) -> None:
    define(
        access, folder, EACH, "fields: {id: record.id, notes: notes | pluck('text'), size: details.size}\n"
    )
    api.on("/orders", Reply({"orders": [order(str(n), AT) for n in range(7)]}))
    for n in range(7):
        api.on(f"/orders/{n}/notes", Reply({"notes": [note(n, f"note {n}")] if n % 2 else []}))
    api.on("/orders/1/details", Reply({"size": 1}))
    api.on("/orders/3/details", Reply({"size": 3}))
    sync(access, connection)
    expected: dict[str, dict[str, object]] = {
        str(n): {"id": str(n), "notes": [f"note {n}"] if n % 2 else []} for n in range(7)
    }
    expected["1"]["size"], expected["3"]["size"] = 1, 3
    assert stored(access) == expected
    assert {path for path in api.paths() if path.endswith("details")} == {
        f"GET /orders/{n}/details" for n in (1, 3, 5)
    }


MERGED = """vars: {columns: "{{ ['a', 'b', 'c', 'd', 'e'] }}"}
enrich:
  more:
    foreach: columns[1:] | chunk(2)
    use: more_of
    with: {ids: "{{ page.keys }}", names: "{{ item }}"}
    match: {item: item.id, record: record.id}
    merge: true
"""


def wide(seen: Seen) -> Reply:
    """Orders with the columns that were asked for."""
    names = seen.query["names"].split(",")
    rows = [
        {"id": id, "at": "later", **{name: f"{name}{id}" for name in names}}
        for id in seen.query["ids"].split(",")
    ]
    return Reply({"orders": [row for row in rows if row["id"] != "3"]})


def test_fields_read_in_chunks_are_merged_into_the_record(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    define(access, folder, MERGED, "fields: record | without('at')\nwhere: record.b is present\n")
    api.on("/orders", Reply({"orders": [{"id": id, "at": AT, "a": f"a{id}"} for id in "123"]}))
    api.on("/more", wide)
    result = sync(access, connection)
    assert stored(access) == {id: {"id": id, **{name: f"{name}{id}" for name in "abcde"}} for id in "12"}
    # What the record had stays: its cursor is the one that it came with.
    assert result.checkpoint == "2026-01-01T00:00:00.000Z"
    assert [seen.query["names"] for seen in api.seen if seen.path == "/more"] == ["b,c", "d,e"]


def test_no_chunk_is_no_call(access: Access, connection: Connection, api: Api, folder: Path) -> None:
    define(access, folder, MERGED.replace("[1:]", "[5:]"), "fields: record | without('at')\n")
    api.on("/orders", Reply({"orders": [{"id": "1", "at": AT, "a": "a1"}]}))
    result = sync(access, connection)
    assert (stored(access), result.requests) == ({"1": {"id": "1", "a": "a1"}}, 2)


@pytest.mark.parametrize(
    ("enrich", "people", "why"),
    [
        (ONE, [{"id": 1}, {"id": 2}, {"id": 2}], "`enrich.person` found 2 items for it, expected one"),
        (
            ONE.replace("record.person}", "record.odd | default(record.person)}"),
            [],
            "`record.odd | default(record.person)` gave a list, expected a text or a number to match by",
        ),
        (ONE + "    when: record.odd | length > 5\n", [], None),
        (ONE + "    when: record.person > 'x'\n", [], "`record.person > 'x'`: `>` cannot compare a number with a text"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("policy", ["fail", "skip", "keep"])
def test_what_is_wrong_with_one_record_is_its_own(
    access: Access,
    connection: Connection,
    api: Api,
    folder: Path,
    policy: str,
    enrich: str,
    people: list[object],
    why: str | None,
) -> None:
    fields = "fields: {id: record.id, name: person.name, at: record.at}\n"
    define(access, folder, f"{enrich}on_bad_record: {policy}\n", fields)
    odd = order("2", AT, person=2, odd=["x"])
    api.on("/orders", Reply({"orders": [order("1", AT, person="y"), odd]}))
    api.on("/people", Reply({"people": people}))
    if why is not None and policy == "fail":
        with pytest.raises(RecordError) as caught:
            sync(access, connection)
        assert caught.value.message == f"record 2 of page 1 (`2`): {why}"
        return
    result = sync(access, connection)
    kept = {"2"} if why is None or policy == "keep" else set()
    assert (result.bad, set(stored(access))) == (int(why is not None), {"1"} | kept)
    assert [bad["message"] for bad in access.store.runs.bad_records(result.run or "")] == (
        [why] if why else []
    )


#: what the API answers → whether `optional: true` passes over it; what says nothing of the thing never is
FAULTS: dict[str, tuple[Reply, bool]] = {
    "not_found": (Reply({}, 404), True),
    "gone": (Reply({}, 410), True),
    "forbidden": (Reply({}, 403), True),
    "bad_request": (Reply({}, 400), False),
    "conflict": (Reply({}, 409), False),
    "too_large": (Reply({}, 413), False),
    "too_long": (Reply({}, 414), False),
    "duplicate": (Reply({"code": "DUP"}, 400), False),
    "cursor_expired": (Reply({"code": "GONE"}, 400), False),
    "token_expired": (Reply({}, 401), False),
    "needs_reconnect": (Reply({"error": "invalid_grant"}, 400), False),
    "rate_limited": (Reply({}, 429), False),
    "server_error": (Reply({}, 500), False),
    "unavailable": (Reply({}, 503), False),
    "timeout": (Reply({}, 504), False),
    "disconnected": (Reply(broken="reset"), False),
    "truncated": (Reply({"notes": []}, cut=5), False),
    "not_json": (Reply(b"<html>log in</html>"), False),
    "bad_answer": (Reply({"notes": {"a": 1}}), False),
}


@pytest.mark.parametrize("optional", ["", "true", "[not_found, forbidden, bad_request, conflict, duplicate]"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_failure_of_an_enrichment(
    access: Access, connection: Connection, api: Api, folder: Path, fault: str, optional: str
) -> None:
    define(access, folder, NOTES + (f"    optional: {optional}\n" if optional else ""))
    api.on("/orders", Reply({"orders": [order("1", AT)]}))
    api.on("/token", Reply({"access_token": "access-token-2"}))
    reply, passed_over = FAULTS[fault]
    api.on("/notes", reply)
    if (optional == "true" and passed_over) or (
        optional.startswith("[") and fault in {"gone", *optional[1:-1].split(", ")}
    ):
        sync(access, connection)
        assert stored(access) == {"1": {"id": "1"}}
        assert [said.partition(":")[0] for said in warnings(access)] == ["`enrich.notes` is left out"]  # type: ignore[attr-defined]
        return
    with pytest.raises(TerapiError) as caught:
        sync(access, connection)
    assert isinstance(caught.value, (EnrichmentFailed, NotConnected))
    assert (stored(access), access.store.states.get(KEY).checkpoint) == ({}, None)
    Notes(api, [note("1", "there")])
    assert sync(access, connection).status == "success"
    assert texts(access) == {"1": ["there"]}


def test_what_passes_is_never_passed_over() -> None:
    assert TRANSIENT <= PASSING
    assert not NOT_THERE & PASSING


def test_it_is_told_which_call_failed_and_where_it_stands(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    define(access, folder, NOTES)
    api.on("/orders", Reply({"orders": [order("1", AT)]}))
    api.on("/notes", Reply({"message": "no such filter"}, 400))
    with pytest.raises(EnrichmentFailed) as caught:
        sync(access, connection)
    assert caught.value.message.startswith("`enrich.notes`: ")
    assert caught.value.message.endswith("/notes answered 400: no such filter")
    assert (caught.value.kind, caught.value.status, str(caught.value.where)[:14]) == (
        "bad_request",
        400,
        "providers.yaml",
    )


def test_what_may_be_missing_says_how_to_say_so(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    define(access, folder, NOTES)
    api.on("/orders", Reply({"orders": [order("1", AT)]}))
    api.on("/notes", Reply({}, 404))
    with pytest.raises(EnrichmentFailed) as caught:
        sync(access, connection)
    assert str(caught.value.hint).endswith(
        "Where it may be missing, say `optional: true`: terapi explain sync.enrich.optional"
    )


def test_a_run_that_an_enrichment_ended_goes_on_at_its_page(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    define(access, folder, NOTES)
    source(api, [order(str(n), f"2026-01-0{n}T00:00:00Z") for n in range(1, 7)])
    notes = Notes(api, [note(str(n), f"note {n}") for n in range(1, 7)])
    for refused in ("3", "5", "5"):
        api.on(
            "/notes",
            lambda seen, refused=refused: (
                Reply({}, 400) if refused in seen.query["orders"] else notes.answer(seen)
            ),
        )  # type: ignore[misc]
        with pytest.raises(EnrichmentFailed):
            sync(access, connection)
    assert sorted(stored(access)) == ["1", "2", "3", "4"]
    api.seen.clear()
    api.on("/notes", notes.answer)
    sync(access, connection)
    starts = [seen.query.get("start") for seen in api.seen if seen.path == "/orders"]
    assert starts == ["4", None]
    assert texts(access) == {str(n): [f"note {n}"] for n in range(1, 7)}


def test_pages_of_an_enrichment_that_the_api_has_forgotten_are_read_again(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    define(access, folder, NOTES)
    source(api, [order("1", AT)])
    notes = Notes(api, [note("1", f"note {n}") for n in range(5)])
    forgot: list[str] = []

    def answer(seen: Seen) -> Reply:
        if seen.query.get("start") == "2" and len(forgot) < 2:
            forgot.append("again")
            return Reply({"code": "GONE"}, 400)
        return notes.answer(seen)

    api.on("/notes", answer)
    sync(access, connection)
    assert texts(access) == {"1": [f"note {n}" for n in range(5)]}
    assert api.paths().count("GET /orders") == 1


def test_what_is_not_there_for_many_records_is_told_once(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    define(access, folder, EACH, "fields: {id: record.id, notes: notes, size: details.size}\n")
    source(api, [order(str(n), f"2026-01-0{n}T00:00:00Z") for n in range(1, 6)])
    for n in range(1, 6):
        api.on(f"/orders/{n}/notes", Reply({"notes": [note(n, "one")]}))
    sync(access, connection)
    assert len(warnings(access)) == 1
    assert len(stored(access)) == 5


def test_a_dry_run_shows_enriched_records(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    define(access, folder, NOTES)
    source(api, [order(str(n), f"2026-01-0{n}T00:00:00Z") for n in range(1, 6)])
    notes = Notes(api, [note("1", "shown")])
    found = preview(access, connection)
    assert [sample.record for sample in found.samples] == [
        {"id": "1", "notes": [{"text": "shown"}]},
        {"id": "2", "notes": []},
    ]
    assert notes.asked == [["1", "2"]]


def repaired(access: Access, connection: Connection) -> AuditResult:
    async def inside() -> AuditResult:
        async with access:
            definition = access.project.sync("orders")
            return await audit_sync(definition, access.client(connection), access.store, repair=True)

    return asyncio.run(inside())


def test_an_audit_repairs_with_enriched_records(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    rules = "audit: {use: list_orders, with: {}, id: record.id, repair: {use: list_orders, with: {}}}\n"
    define(access, folder, NOTES + rules)
    api.on("/orders", Reply({"orders": [order("1", AT)]}))
    Notes(api, [note("1", "one"), note("2", "two")])
    sync(access, connection)
    api.on("/orders", Reply({"orders": [order("1", AT), order("2", AT)]}))
    assert repaired(access, connection).repaired == 1
    assert texts(access) == {"1": ["one"], "2": ["two"]}


def test_records_of_parents_are_enriched_and_know_their_parent(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    parents = "foreach: {items: \"[{'id': 'a'}, {'id': 'b'}]\"}\nwhere: notes | length < 2\n"
    fields = "fields: {id: record.id, of: item.id, notes: {foreach: notes, fields: {text: item.text}}}\n"
    enrich = NOTES.replace("record.id", "item.id ~ record.id").replace(
        "page.records | pluck('id')", "page.keys"
    )
    define(access, folder, enrich + parents, fields)
    path = folder / "syncs/orders.yaml"
    path.write_text(
        path.read_text().replace(
            "use: list_orders, with: {", 'use: list_orders_of, with: {of: "{{ item.id }}", '
        )
    )
    (folder / "providers.yaml").write_text(PROVIDERS + MORE + OF)
    access.project = Project.load(folder).checked()
    api.on("/of/a", Reply({"orders": [order("1", AT), order("2", AT)]}))
    api.on("/of/b", Reply({"orders": [order("3", AT)]}))
    notes = Notes(
        api, [note("a1", "x"), note("a2", "y"), note("a2", "z"), note("b3", "w"), note("b1", "none's")]
    )
    sync(access, connection)
    assert sorted(notes.asked) == [["a1", "a2"], ["b3"]]
    assert stored(access) == {
        "1": {"id": "1", "of": "a", "notes": [{"text": "x"}]},
        "3": {"id": "3", "of": "b", "notes": [{"text": "w"}]},
    }
