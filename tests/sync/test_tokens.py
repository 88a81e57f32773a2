"""Syncs that go on from the tokens of an API: for changes since, whatever they look like."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.calls.access import Access
from runner.definitions.project import Project
from runner.errors import CallError
from runner.store import Connection
from runner.sync.run import Result
from tests.api import Api, Reply, Seen
from tests.conftest import PROVIDERS
from tests.sync.test_run import KEY, stored, sync

CHANGES = """
    list_changes:
      params: {token: {type: string, required: false}}
      request: {path: /changes, query: {token: "{{ page.cursor | default(token) }}"}}
      records: response.body.items
      paginate: {cursor: response.body.next_page}
      checkpoint: response.body.next_sync
    delta:
      params: {link: {type: string, required: false}}
      request: {url: "{{ link | default(config.url ~ '/delta') }}"}
      records: response.body.value
      paginate: {next_url: "response.body['@odata.nextLink']"}
      checkpoint: "response.body['@odata.deltaLink']"
"""
ORDERS = """
version: 1
sync: orders
integrations: [shop]
model: Order
primary_key: id
incremental: {token: true}
fetch: {use: list_changes, with: {token: "{{ checkpoint }}"}}
fields: {id: record.id, name: record.name}
deletes: {when: record.gone}
"""


class Feed:
    """An API that tells changes from tokens on, two a page: `s3` is behind the third change."""

    def __init__(self, api: Api) -> None:
        self.changes: list[dict[str, object]] = []
        self.forgotten = 0
        self.fails_at = ""
        api.on("/changes", self.answer)

    def answer(self, seen: Seen) -> Reply:
        token = seen.query.get("token", "s0")
        if token == self.fails_at:
            return Reply({}, 400)
        at, page = int(token.removeprefix("p").removeprefix("s")), 2
        if at and at < self.forgotten:
            return Reply({"code": "GONE"}, 410)
        newest = {str(change["id"]): change for change in self.changes} if at == 0 else None
        rows = list(newest.values()) if newest is not None else self.changes[at:]
        if newest is None and len(rows) > page:
            return Reply({"items": rows[:page], "next_page": f"p{at + page}"})
        return Reply({"items": rows, "next_sync": f"s{len(self.changes)}"})

    def change(self, *ids: str, **values: object) -> None:
        self.changes += [{"id": id, "name": f"order {id}", **values} for id in ids]


@pytest.fixture
def folder(folder: Path) -> Path:
    (folder / "providers.yaml").write_text(PROVIDERS.rstrip() + CHANGES)
    (folder / "syncs/orders.yaml").write_text(ORDERS)
    return folder


@pytest.fixture
def feed(api: Api) -> Feed:
    return Feed(api)


def asked(api: Api) -> list[str]:
    return [seen.query.get("token", "-") for seen in api.seen if seen.path == "/changes"]


def test_a_token_leads_from_run_to_run(access: Access, connection: Connection, api: Api, feed: Feed) -> None:
    feed.change("1", "2", "3")
    first = sync(access, connection)
    assert (first.added, first.checkpoint) == (3, "s3")
    nothing = sync(access, connection)
    assert (nothing.read, nothing.checkpoint, nothing.requests) == (0, "s3", 2)
    feed.change("2", name="changed")
    feed.change("3", gone=True)
    second = sync(access, connection)
    assert (second.read, second.updated, second.deleted, second.checkpoint) == (2, 1, 1, "s5")
    assert asked(api) == ["-", "s3", "s3"]


def test_a_run_that_was_cut_goes_on_at_its_page_and_keeps_the_old_token_until_then(
    access: Access, connection: Connection, api: Api, feed: Feed
) -> None:
    feed.change("1")
    sync(access, connection)
    feed.change("2", "3", "4", "5", "6")
    feed.fails_at = "p3"
    with pytest.raises(CallError):
        sync(access, connection)
    assert access.store.states.get(KEY).checkpoint == "s1"
    assert sorted(stored(access)) == ["1", "2", "3"]
    feed.fails_at = ""
    feed.change("7")
    api.seen.clear()
    result = sync(access, connection)
    assert (asked(api), result.checkpoint) == (["p3", "p5", "s7"], "s7")
    assert sorted(stored(access)) == [str(n) for n in range(1, 8)]


def test_a_token_that_the_api_has_forgotten_lets_everything_be_read(
    access: Access, connection: Connection, api: Api, feed: Feed
) -> None:
    feed.change("1", "2")
    sync(access, connection)
    feed.change("2", name="changed")
    feed.forgotten = 3
    result = sync(access, connection)
    assert (result.read, result.updated, result.unchanged, result.checkpoint) == (2, 1, 1, "s3")
    events = access.store.runs.events(result.run or "")
    assert [event["message"] for event in events if event["level"] == "warning"] == [
        f"{api.url}/changes answered 410: GONE: reading everything anew"
    ]


def test_then_what_is_missing_is_deleted_where_the_sync_says_so(
    access: Access, connection: Connection, folder: Path, feed: Feed
) -> None:
    (folder / "syncs/orders.yaml").write_text(
        ORDERS.replace("{when: record.gone}", "{when: record.gone, missing: true}")
    )
    access.project = Project.load(folder).checked()
    feed.change("1", "2", "3")
    sync(access, connection)
    feed.change("4")
    assert sync(access, connection).deleted == 0
    feed.changes = [change for change in feed.changes if change["id"] != "2"] + feed.changes[-1:]
    feed.forgotten = 5
    assert sync(access, connection).deleted == 1
    assert sorted(stored(access)) == ["1", "3", "4"]


def test_a_full_run_begins_without_the_token(
    access: Access, connection: Connection, api: Api, feed: Feed
) -> None:
    feed.change("1")
    sync(access, connection)
    result: Result = sync(access, connection, full=True)
    assert (asked(api), result.unchanged) == (["-", "-"], 1)


def test_a_token_may_be_an_address(
    access: Access, connection: Connection, api: Api, folder: Path, feed: Feed
) -> None:
    text = ORDERS.replace(
        'list_changes, with: {token: "{{ checkpoint }}"}', 'delta, with: {link: "{{ checkpoint }}"}'
    )
    (folder / "syncs/orders.yaml").write_text(text)
    access.project = Project.load(folder).checked()
    link = f"{api.url}/delta?token=1"
    api.on(
        "/delta",
        lambda seen: Reply({"value": [{"id": seen.query.get("token", "0")}], "@odata.deltaLink": link}),
    )
    assert sync(access, connection).checkpoint == link
    assert sync(access, connection).added == 1


def test_a_token_that_is_none_is_told(access: Access, connection: Connection, api: Api, feed: Feed) -> None:
    api.on("/changes", Reply({"items": [], "next_sync": {"a": 1}}))
    with pytest.raises(CallError) as caught:
        sync(access, connection)
    assert caught.value.message == "`checkpoint` of `list_changes` gave a map, expected a text or a number"
