"""Records that do not fit: the run ends before their page, or goes on after them and lists each."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.calls.access import Access
from runner.definitions.project import Project
from runner.errors import CallError, RecordError
from runner.store import Connection
from runner.sync.ledger import MOST_LISTED
from tests.api import Api, Reply
from tests.conftest import ORDERS
from tests.sync.test_preview import preview
from tests.sync.test_run import FULL, KEY, order, source, stored, sync

AT = "2026-01-01T00:00:00Z"
GOOD = order("1", AT)
#: why a record does not fit → such a record
BAD = {
    "`total`: the text 'much' is no number": order("2", AT, total="much"),
    "it has no `id`, which is its primary key": {"at": AT, "name": "nameless", "total": 1},
    "its cursor is not usable: the record has none": {"id": "2", "name": "timeless", "total": 1},
    "its cursor is not usable: the text 'soon' is no time; expected one such as `2026-07-24T14:05:58Z`": order("2", "soon"),
    "`record.name.upper()`: `name.upper` is absent": {"id": "2", "at": AT, "total": 1},
}  # fmt: skip
SHOUTED = ORDERS.replace("name: record.name,", "name: record.name.upper(),")


def define(access: Access, folder: Path, policy: str, text: str = SHOUTED) -> None:
    (folder / "syncs/orders.yaml").write_text(f"{text}on_bad_record: {policy}\n")
    access.project = Project.load(folder).checked()


def logged(access: Access) -> list[object]:
    return [event["message"] for event in access.store.runs.events(access.store.runs.newest()[0].id)]


@pytest.mark.parametrize("why", BAD)
def test_a_record_that_does_not_fit_ends_the_run_and_is_named(
    access: Access, connection: Connection, api: Api, folder: Path, why: str
) -> None:
    define(access, folder, "fail")
    api.on("/orders", Reply({"orders": [GOOD, BAD[why]]}))
    with pytest.raises(RecordError) as caught:
        sync(access, connection)
    named = "record 2 of page 1" + (" (`2`)" if "id" in BAD[why] else "")
    assert caught.value.message == f"{named}: {why}"
    assert stored(access) == {}


@pytest.mark.parametrize("why", BAD)
def test_one_that_is_skipped_is_counted_and_listed(
    access: Access, connection: Connection, api: Api, folder: Path, why: str
) -> None:
    define(access, folder, "skip")
    bad = BAD[why]
    api.on("/orders", Reply({"orders": [bad, GOOD], "next": None}))
    result = sync(access, connection)
    assert (result.read, result.added, result.bad, result.status) == (2, 1, 1, "success")
    assert (list(stored(access)), result.checkpoint) == (["1"], "2026-01-01T00:00:00.000Z")
    (listed,) = access.store.runs.bad_records(result.run or "")
    assert (listed["page"], listed["number"], listed["id"]) == (1, 1, bad.get("id"))
    assert (listed["message"], listed["kept"]) == (why, False)
    assert str(listed["where"]).startswith("syncs/orders.yaml:")
    named = "record 1 of page 1" + (" (`2`)" if "id" in bad else "")
    assert f"{named}: {why}; it is skipped" in logged(access)


@pytest.mark.parametrize(
    ("why", "kept"),
    [
        ("`total`: the text 'much' is no number", {"id": "2", "name": "ORDER 2", "total": "much"}),
        ("`record.name.upper()`: `name.upper` is absent", {"id": "2", "total": 1}),
        ("its cursor is not usable: the record has none", {"id": "2", "name": "TIMELESS", "total": 1}),
        ("it has no `id`, which is its primary key", None),
    ],
)
def test_one_that_is_kept_has_its_values_as_they_came(
    access: Access, connection: Connection, api: Api, folder: Path, why: str, kept: dict[str, object] | None
) -> None:
    define(access, folder, "keep")
    api.on("/orders", Reply({"orders": [BAD[why], GOOD]}))
    result = sync(access, connection)
    assert (result.bad, stored(access).get("2")) == (1, kept)
    assert [bad["kept"] for bad in access.store.runs.bad_records(result.run or "")] == [kept is not None]


def test_a_deleted_record_needs_nothing_but_its_key(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    define(access, folder, "fail")
    api.on("/orders", [Reply({"orders": [GOOD]}), Reply({"orders": [{"id": "1", "at": AT, "gone": True}]})])
    sync(access, connection)
    assert sync(access, connection).deleted == 1


def test_a_deleted_one_without_a_key_is_never_stored(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    text = SHOUTED.replace("id: record.id,", "id: {from: record.id, type: integer},")
    define(access, folder, "keep", text)
    api.on("/orders", Reply({"orders": [{**GOOD, "id": "no number", "gone": True}]}))
    result = sync(access, connection)
    assert (result.bad, stored(access)) == (1, {})


def test_the_list_is_bounded_and_the_count_is_not(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    define(access, folder, "skip")
    page = [order(str(n), AT, total="much") for n in range(60)]
    pages = {"": (page, "/orders?start=2"), "2": (page, "/orders?start=3"), "3": ([GOOD], None)}

    def answer(seen: object) -> Reply:
        rows, following = pages[seen.query.get("start", "")]  # type: ignore[attr-defined]
        return Reply({"orders": rows, "next": following, "page": seen.query})  # type: ignore[attr-defined]

    api.on("/orders", answer)
    result = sync(access, connection)
    assert (result.bad, result.added) == (120, 1)
    listed = access.store.runs.bad_records(result.run or "")
    assert len(listed) == MOST_LISTED
    assert [(bad["page"], bad["number"]) for bad in (listed[59], listed[60], listed[-1])] == [
        (1, 60),
        (2, 1),
        (2, 40),
    ]
    assert logged(access).count("further bad records are counted, and not listed") == 1


def test_a_run_that_was_cut_lists_its_own_and_the_next_does_not_repeat_them(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    define(access, folder, "skip")
    rows = [order(str(n), f"2026-01-0{n}T00:00:00Z") for n in range(1, 6)]
    rows[1]["total"] = rows[4]["total"] = "much"
    source(api, rows)
    whole = api.handlers["/orders"]
    api.on("/orders", lambda seen: Reply({}, 400) if seen.query.get("start") == "4" else whole(seen))
    with pytest.raises(CallError):
        sync(access, connection)
    first = access.store.runs.newest()[0].id
    api.on("/orders", whole)
    assert access.store.states.get(KEY).progress is not None
    sync(access, connection)
    newest = access.store.runs.newest()[0].id
    assert [bad["id"] for bad in access.store.runs.bad_records(first)] == ["2"]
    assert "2" not in [bad["id"] for bad in access.store.runs.bad_records(newest)]
    assert sorted(stored(access)) == ["1", "3", "4"]


def test_a_stored_record_that_no_longer_fits_is_not_missing(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    define(access, folder, "skip", FULL)
    api.on("/orders", Reply({"orders": [order("1", "x"), order("2", "x"), order("3", "x")]}))
    sync(access, connection)
    api.on("/orders", Reply({"orders": [order("1", "x"), order("2", "x", total="much")]}))
    result = sync(access, connection)
    assert (result.bad, result.deleted) == (1, 1)
    assert stored(access)["2"]["total"] == 1.5


def test_a_dry_run_shows_them(access: Access, connection: Connection, api: Api, folder: Path) -> None:
    define(access, folder, "skip")
    api.on("/orders", Reply({"orders": [GOOD, *BAD.values()]}))
    found = preview(access, connection)
    assert (found.result.bad, found.result.added) == (len(BAD), 1)
    assert [bad["message"] for bad in found.bad_records] == list(BAD)[:2]
