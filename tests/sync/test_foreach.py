"""Syncs that fetch parent by parent: each with its own checkpoint, nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import orjson
import pytest

from runner.calls.access import Access
from runner.definitions.project import Project
from runner.errors import CallError, RecordError
from runner.store import Ages, Connection, Store, SyncKey
from runner.store.parents import WHOLE
from runner.sync.preview import Preview, preview_sync
from runner.sync.run import Options, Result, run_sync
from tests.api import Api, Reply, Seen
from tests.conftest import ENVIRON, PROVIDERS, Waits

OPERATIONS = """
    list_accounts: {request: {path: /accounts}, records: response.body.accounts}
    list_notes:
      params: {account: {type: string}, since: {type: string, required: false}, until: {type: string, required: false}}
      request: {path: "/notes/{{ account }}", query: {since: "{{ since }}", until: "{{ until }}"}}
      records: response.body.notes
      paginate: {next_url: response.body.next}
"""
ACCOUNTS = """
version: 1
sync: accounts
integrations: [shop]
model: Account
primary_key: id
fetch: {use: list_accounts}
fields: {id: record.id, name: record.name}
deletes: {missing: true}
"""
NOTES = """
version: 1
sync: notes
integrations: [shop]
model: Note
primary_key: id
incremental: {cursor: record.at, lookback: 1m}
foreach: {records: Account, concurrency: 2}
fetch: {use: list_notes, with: {account: "{{ item.id }}", since: "{{ slice.from }}", until: "{{ slice.to }}"}}
fields: {id: record.id, account: item.id, text: record.text}
deletes: {when: record.gone, orphans: account}
"""
KEY = SyncKey(integration="shop", connection="demo", sync="notes", model="Note")
#: notes that a page has at the most
PAGE = 2


class Shop:
    """Accounts with notes, as an API that pages them two by two."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.accounts: dict[str, str] = {}
        self.notes: dict[str, dict[str, dict[str, object]]] = {}
        api.on("/accounts", lambda seen: Reply({"accounts": self._accounts()}))

    def _accounts(self) -> list[dict[str, object]]:
        return [{"id": id, "name": name} for id, name in self.accounts.items()]

    def account(self, *ids: str) -> None:
        for id in ids:
            self.accounts[id] = f"account {id}"
            self.notes.setdefault(id, {})
            self.api.on(f"/notes/{id}", self.answer)

    def note(self, account: str, id: str, at: str, **more: object) -> None:
        self.notes[account][id] = {"id": id, "at": at, "text": f"note {id}", **more}

    def answer(self, seen: Seen) -> Reply:
        account = seen.path.rpartition("/")[2]
        since, until = seen.query.get("since", ""), seen.query.get("until", "9")
        start = int(seen.query.get("start", "0"))
        rows = [one for one in self.notes[account].values() if since <= str(one["at"]) < until]
        rows.sort(key=lambda one: (str(one["at"]), str(one["id"])))
        more = f"/notes/{account}?since={since}&until={until}&start={start + PAGE}"
        return Reply(
            {"notes": rows[start : start + PAGE], "next": more if start + PAGE < len(rows) else None}
        )

    def asked(self) -> list[tuple[str, str]]:
        """Account and `since` of each request for notes, without the further pages."""
        return [
            (seen.path.rpartition("/")[2], seen.query.get("since", ""))
            for seen in self.api.seen
            if seen.path.startswith("/notes/") and "start" not in seen.query
        ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "providers.yaml").write_text(PROVIDERS.rstrip() + OPERATIONS)
    (tmp_path / "syncs").mkdir()
    (tmp_path / "syncs" / "accounts.yaml").write_text(ACCOUNTS)
    (tmp_path / "syncs" / "notes.yaml").write_text(NOTES)
    return tmp_path


@pytest.fixture
def shop(api: Api) -> Shop:
    found = Shop(api)
    found.account("a", "b", "c")
    for account in "abc":
        for number in range(3):
            found.note(account, f"{account}{number}", f"2026-01-0{number + 1}T00:00:00Z")
    return found


def run(
    access: Access, connection: Connection, name: str = "notes", *, full: bool = False,
    progress: Callable[[Result], None] = lambda result: None,
) -> Result:  # fmt: skip
    """Runs a sync as it is written now."""
    access = Access(Project.load(access.project.root).checked(), access.store, ENVIRON, Waits())

    async def inside() -> Result:
        async with access:
            options = Options(full=full, progress=lambda found: progress(found.result))
            return await run_sync(access.project.sync(name), access.client(connection), access.store, options)

    return asyncio.run(inside())


def both(access: Access, connection: Connection) -> Result:
    run(access, connection, "accounts")
    return run(access, connection)


def stored(access: Access) -> dict[str, str]:
    """The notes that are stored, each with its account."""
    rows = access.store.records.stream("shop", "demo", "Note").all(states=["added", "updated"])
    return {row.id: orjson.loads(row.payload)["account"] for row in rows}


def there(shop: Shop) -> dict[str, str]:
    """The notes of all accounts that there are."""
    notes = ((account, id, note) for account in shop.accounts for id, note in shop.notes[account].items())
    return {id: account for account, id, note in notes if not note.get("gone")}


def log(access: Access, level: str | None = None) -> list[str]:
    newest = access.store.runs.newest(limit=1)[0]
    events = access.store.runs.events(newest.id)
    return [str(event["message"]) for event in events if level in (None, event["level"])]


def write(access: Access, was: str, is_: str) -> None:
    path = access.project.root / "syncs" / "notes.yaml"
    text = path.read_text()
    assert was in text
    path.write_text(text.replace(was, is_))


def test_the_first_run_reads_every_parent_from_its_beginning(
    access: Access, connection: Connection, shop: Shop
) -> None:
    result = both(access, connection)
    assert (result.read, result.added, result.parents, result.of_parents) == (9, 9, 3, 3)
    assert stored(access) == there(shop)
    assert sorted(shop.asked()) == [(one, "1970-01-01T00:00:00.000Z") for one in "abc"]


def test_the_next_run_asks_each_parent_from_its_own_checkpoint(
    access: Access, connection: Connection, shop: Shop, api: Api
) -> None:
    shop.note("b", "late", "2026-02-01T00:00:00Z")
    both(access, connection)
    api.seen.clear()
    shop.note("a", "new", "2026-01-02T23:59:30Z")
    result = run(access, connection)
    assert sorted(shop.asked()) == [
        ("a", "2026-01-02T23:59:00.000Z"), ("b", "2026-01-31T23:59:00.000Z"), ("c", "2026-01-02T23:59:00.000Z"),
    ]  # fmt: skip
    assert (result.added, result.unchanged) == (1, 3)
    assert stored(access) == there(shop)


def test_a_new_parent_is_read_from_its_beginning(
    access: Access, connection: Connection, shop: Shop, api: Api
) -> None:
    both(access, connection)
    shop.account("d")
    shop.note("d", "old", "2019-01-01T00:00:00Z")
    api.seen.clear()
    assert both(access, connection).added == 1
    assert ("d", "1970-01-01T00:00:00.000Z") in shop.asked()
    assert stored(access) == there(shop)


def test_the_records_of_a_parent_that_is_gone_go_with_it_and_come_back_with_it(
    access: Access, connection: Connection, shop: Shop
) -> None:
    both(access, connection)
    name = shop.accounts.pop("b")
    result = both(access, connection)
    assert (result.deleted, result.of_parents) == (3, 2)
    assert stored(access) == there(shop)
    assert list(access.store.parents.between(KEY, "", None)) == ["a", "c"]
    shop.accounts["b"] = name
    result = both(access, connection)
    assert (result.added, result.of_parents) == (3, 3)
    assert stored(access) == there(shop)


def test_without_orphans_the_records_of_a_parent_that_is_gone_stay(
    access: Access, connection: Connection, shop: Shop
) -> None:
    write(access, ", orphans: account", "")
    both(access, connection)
    del shop.accounts["b"]
    assert both(access, connection).deleted == 0
    assert len(stored(access)) == 9


def test_a_record_that_has_moved_stays_when_its_old_parent_goes(
    access: Access, connection: Connection, shop: Shop
) -> None:
    both(access, connection)
    del shop.notes["a"]["a0"]
    shop.note("c", "a0", "2026-02-01T00:00:00Z")
    del shop.accounts["a"]
    result = both(access, connection)
    assert (result.updated, result.deleted) == (1, 2)
    assert stored(access) == there(shop)


def test_a_parent_that_no_longer_counts_is_as_one_that_is_gone(
    access: Access, connection: Connection, shop: Shop
) -> None:
    write(access, "records: Account", "records: Account, where: item.name != 'closed'")
    both(access, connection)
    shop.accounts["c"] = "closed"
    assert both(access, connection).deleted == 3
    shop.accounts["c"] = "open"
    assert both(access, connection).added == 3


FULL = ("incremental: {cursor: record.at, lookback: 1m}\n", "")
MISSING = ("orphans: account", "missing: true")
ALL = (', since: "{{ slice.from }}", until: "{{ slice.to }}"', "")


def test_what_no_parent_gives_is_missing(access: Access, connection: Connection, shop: Shop) -> None:
    for was, is_ in (FULL, MISSING, ALL):
        write(access, was, is_)
    both(access, connection)
    del shop.notes["a"]["a1"]
    shop.notes["c"]["b1"] = shop.notes["b"].pop("b1")
    result = both(access, connection)
    assert (result.deleted, result.updated) == (1, 1)
    assert stored(access) == there(shop)
    del shop.accounts["c"]
    assert both(access, connection).deleted == 4
    assert stored(access) == there(shop)


def test_nothing_is_missing_of_a_run_that_failed(access: Access, connection: Connection, shop: Shop) -> None:
    for was, is_ in (FULL, MISSING, ALL, ("concurrency: 2", "concurrency: 1")):
        write(access, was, is_)
    both(access, connection)
    shop.notes["a"].clear()
    shop.api.on("/notes/c", Reply({}, 400))
    with pytest.raises(CallError):
        both(access, connection)
    assert len(stored(access)) == 9
    shop.api.on("/notes/c", shop.answer)
    shop.api.seen.clear()
    assert run(access, connection).deleted == 3
    assert [account for account, _ in shop.asked()] == ["c"]


def test_a_run_that_fails_names_the_parent_and_the_next_goes_on_there(
    access: Access, connection: Connection, shop: Shop, api: Api
) -> None:
    write(access, "concurrency: 2", "concurrency: 1")
    api.on("/notes/b", lambda seen: Reply({}, 400) if seen.query.get("start") else shop.answer(seen))
    with pytest.raises(CallError, match=r"^parent `b`: "):
        both(access, connection)
    assert sorted(stored(access)) == ["a0", "a1", "a2", "b0", "b1"]
    api.seen.clear()
    api.on("/notes/b", shop.answer)
    result = run(access, connection)
    paths = [(seen.path[-1], seen.query.get("start")) for seen in api.seen if seen.path.startswith("/notes/")]
    # The cut round first, then what has changed since of those that were read before this run.
    assert paths == [("b", "2"), ("c", None), ("c", "2"), ("a", None), ("b", None)]
    assert (result.added, result.parents) == (4, 3)
    assert stored(access) == there(shop)


class Died(Exception):
    """A run is ended in the middle."""


@pytest.mark.parametrize("at", range(1, 10))
def test_a_run_that_dies_anywhere_goes_on_there(
    at: int, access: Access, connection: Connection, shop: Shop, api: Api
) -> None:
    run(access, connection, "accounts")
    steps = 0

    def dies(result: Result) -> None:
        nonlocal steps
        steps += 1
        if steps == at:
            raise Died

    with pytest.raises(Died):
        run(access, connection, progress=dies)
    shop.note("a", "between", "2026-01-05T00:00:00Z")
    del shop.accounts["b"]
    run(access, connection, "accounts")
    run(access, connection)
    assert stored(access) == there(shop)
    assert {key: one.state for key, one in access.store.parents.between(KEY, "", None).items()} == {
        "a": WHOLE,
        "c": WHOLE,
    }


def test_a_parent_that_is_not_found_is_passed_over(
    access: Access, connection: Connection, shop: Shop, api: Api
) -> None:
    both(access, connection)
    api.on("/notes/b", Reply({}, 404))
    result = run(access, connection)
    assert (result.deleted, result.parents) == (3, 3)
    assert [line[:27] for line in log(access, "warning")] == ["parent `b` is passed over: "]
    api.on("/notes/b", shop.answer)
    assert run(access, connection).added == 3


def test_a_parent_that_is_not_found_may_end_the_run(
    access: Access, connection: Connection, shop: Shop, api: Api
) -> None:
    write(access, "concurrency: 2", "on_not_found: fail")
    api.on("/notes/b", Reply({}, 404))
    with pytest.raises(CallError, match=r"^parent `b`: "):
        both(access, connection)


def test_a_run_that_finds_no_parent_at_all_fails_again_and_again(
    access: Access, connection: Connection, shop: Shop, api: Api
) -> None:
    both(access, connection)
    for account in "abc":
        api.on(f"/notes/{account}", Reply({}, 404))
    for _ in range(2):
        api.seen.clear()
        with pytest.raises(CallError, match="none of the 3 parents was found"):
            run(access, connection)
        assert len(shop.asked()) == 3
    assert len(stored(access)) == 9
    for account in "abc":
        api.on(f"/notes/{account}", shop.answer)
    run(access, connection)
    assert stored(access) == there(shop)


def test_without_parents_there_is_nothing_to_read(access: Access, connection: Connection, api: Api) -> None:
    api.on("/accounts", Reply({"accounts": []}))
    result = both(access, connection)
    assert (result.read, result.parents, result.of_parents) == (0, 0, 0)


def test_a_changed_definition_reads_everything_anew(
    access: Access, connection: Connection, shop: Shop, api: Api
) -> None:
    both(access, connection)
    write(access, "text: record.text", "words: record.text")
    api.seen.clear()
    assert run(access, connection).updated == 9
    assert {since for _, since in shop.asked()} == {"1970-01-01T00:00:00.000Z"}


def test_a_full_run_that_was_cut_goes_on_as_one(
    access: Access, connection: Connection, shop: Shop, api: Api
) -> None:
    write(access, "concurrency: 2", "concurrency: 1")
    both(access, connection)
    api.on("/notes/b", Reply({}, 400))
    with pytest.raises(CallError):
        run(access, connection, full=True)
    api.on("/notes/b", shop.answer)
    api.seen.clear()
    run(access, connection)
    assert shop.asked()[:2] == [("b", "1970-01-01T00:00:00.000Z"), ("c", "1970-01-01T00:00:00.000Z")]
    assert {since for _, since in shop.asked()[2:]} == {"2026-01-02T23:59:00.000Z"}


def test_a_cut_run_is_no_full_one(access: Access, connection: Connection, shop: Shop, api: Api) -> None:
    both(access, connection)
    api.on("/notes/b", Reply({}, 400))
    with pytest.raises(CallError):
        run(access, connection)
    api.on("/notes/b", shop.answer)
    api.seen.clear()
    run(access, connection, full=True)
    assert sorted(shop.asked()) == [(one, "1970-01-01T00:00:00.000Z") for one in "abc"]


ITEMS = "foreach: {records: Account, concurrency: 2}"


@pytest.mark.parametrize(
    "foreach",
    [
        "foreach: {items: [a, b, c]}",
        "foreach: {items: \"['c', 'b', 'a', 'a']\"}",
        "foreach: {items: params.accounts}\nparams: {accounts: {type: array, default: [a, b, c]}}",
        "foreach: {items: all}\nlookups: {all: {use: list_accounts}}",
        "foreach: {use: list_accounts}",
        "foreach: {use: list_accounts, key: item.name, where: item.id != 'd'}",
    ],
)
def test_parents_are_told_in_several_ways(
    foreach: str, access: Access, connection: Connection, shop: Shop
) -> None:
    write(access, ITEMS, foreach)
    # An item that is a text is what a map has under `id`.
    write(access, 'account: "{{ item.id }}"', 'account: "{{ item.id | default(item) }}"')
    write(access, "account: item.id", "account: item.id | default(item)")
    assert run(access, connection).added == 9
    assert stored(access) == there(shop)
    assert run(access, connection).parents == 3


@pytest.mark.parametrize(
    ("foreach", "says"),
    [
        ("foreach: {items: config.region}", "`foreach` gave the text 'eu', expected a list"),
        ("foreach: {items: \"['a', none]\"}", "item 2 of `foreach` has no key: found nothing, expected a text or a number"),
        ("foreach: {items: \"[{'name': 'a'}]\"}", "item 1 of `foreach` has no key: found nothing, expected a text or a number"),
        ("foreach: {use: list_accounts, key: item}", "item 1 of `foreach` has no key: found a map, expected a text or a number"),
    ],
)  # fmt: skip
def test_parents_that_cannot_be_told_apart_are_refused(
    foreach: str, says: str, access: Access, connection: Connection, shop: Shop
) -> None:
    write(access, ITEMS, foreach)
    access.store.connections.set_config(connection, {"region": "eu"})
    with pytest.raises(RecordError) as refused:
        run(access, access.store.connections.get("shop", "demo") or connection)
    assert refused.value.message == says
    assert refused.value.hint is not None
    assert refused.value.where is not None


def test_an_item_of_a_list_that_is_not_found_ends_the_run(
    access: Access, connection: Connection, shop: Shop
) -> None:
    write(access, ITEMS, "foreach: {items: [{id: a}, {id: typo}]}")
    with pytest.raises(CallError, match=r"^parent `typo`: "):
        run(access, connection)


def test_of_a_pruned_parent_the_key_is_known(access: Access, connection: Connection, shop: Shop) -> None:
    run(access, connection, "accounts")
    pruning = access.store.pruning(access.store.records.stream("shop", "demo", "Account"))
    assert pruning.by_age(Ages(0.0), time.time() + 1).records == 3
    assert run(access, connection).added == 9
    write(access, "records: Account", "records: Account, where: item.name != 'closed'")
    with pytest.raises(RecordError, match="the parent `a` was pruned"):
        run(access, connection)


def test_the_records_of_a_parent_that_is_gone_are_found_among_pruned_ones(
    access: Access, connection: Connection, shop: Shop
) -> None:
    both(access, connection)
    pruning = access.store.pruning(access.store.records.stream("shop", "demo", "Note"))
    assert pruning.by_age(Ages(0.0), time.time() + 1).records == 9
    shop.note("b", "b1", "2026-03-01T00:00:00Z", text="changed")
    run(access, connection)
    del shop.accounts["b"]
    # Of the others nobody knows any more whose they were.
    assert both(access, connection).deleted == 1


def test_parents_are_read_side_by_side(access: Access, connection: Connection, shop: Shop, api: Api) -> None:
    together = threading.Barrier(2)

    def waits(seen: Seen) -> Reply:
        if "start" not in seen.query:
            together.wait(10)
        return shop.answer(seen)

    for account in "ab":
        api.on(f"/notes/{account}", waits)
    assert both(access, connection).added == 9


def test_of_many_parents_with_nothing_new_little_is_written(
    access: Access, connection: Connection, shop: Shop
) -> None:
    many = [f"p{number:03}" for number in range(250)]
    shop.account(*many)
    for account in many:
        shop.note(account, account, "2026-01-01T00:00:00Z")
    write(access, "concurrency: 2", "concurrency: 8")
    both(access, connection)
    kept: list[str] = []
    write_down(access.store, "INSERT INTO sync_state", kept)
    result = run(access, connection)
    assert (result.unchanged, result.parents, result.requests) == (253, 253, 253 + 1)
    # As it begins and ends, after each hundred, and when all are read.
    assert len(kept) == 5
    assert log(access) == ["reads 253 parents, 8 at once"]


def write_down(store: Store, beginning: str, found: list[str]) -> None:
    """Notes from here on each statement of the store that begins so."""

    def note(statement: str) -> None:
        if statement.startswith(beginning):
            found.append(statement)

    store.database._usable().set_trace_callback(note)


def test_what_is_kept_of_a_run_does_not_grow_with_its_parents(
    access: Access, connection: Connection, shop: Shop, api: Api
) -> None:
    many = [f"p{number:03}" for number in range(60)]
    shop.account(*many)
    for account in many:
        shop.note(account, account, "2026-01-01T00:00:00Z")
    api.on("/notes/p059", Reply({}, 400))
    with pytest.raises(CallError):
        both(access, connection)
    progress = access.store.states.get(KEY).progress
    assert progress is not None
    assert list(progress["under_way"]) == ["p059"]  # type: ignore[call-overload]
    assert progress["done"] == 62


TOKEN = (
    ("incremental: {cursor: record.at, lookback: 1m}", "incremental: {token: true}"),
    ("use: list_notes, with:", "use: note_changes, with:"),
    ('since: "{{ slice.from }}", until: "{{ slice.to }}"', 'token: "{{ checkpoint }}"'),
)
CHANGES = """
    note_changes:
      params: {account: {type: string}, token: {type: string, required: false}}
      request: {path: "/notes/{{ account }}", query: {token: "{{ token }}"}}
      records: response.body.notes
      checkpoint: response.body.token
"""


def tokens(shop: Shop, access: Access, *, forgotten: str = "") -> None:
    """Has the API give all notes with a token, and nothing after one; one account's tokens are forgotten."""

    def answer(seen: Seen) -> Reply:
        account = seen.path[-1]
        if "token" not in seen.query:
            return Reply({"notes": list(shop.notes[account].values()), "token": f"{account}1"})
        if account == forgotten:
            return Reply({"code": "GONE"}, 400)
        assert seen.query["token"].startswith(account)
        return Reply({"notes": [], "token": f"{account}2"})

    for account in shop.accounts:
        shop.api.on(f"/notes/{account}", answer)
    providers = access.project.root / "providers.yaml"
    if "note_changes" not in providers.read_text():
        providers.write_text(providers.read_text() + CHANGES)
        for was, is_ in TOKEN:
            write(access, was, is_)


def test_each_parent_has_its_own_token(access: Access, connection: Connection, shop: Shop, api: Api) -> None:
    tokens(shop, access)
    both(access, connection)
    run(access, connection)
    known = access.store.parents.between(KEY, "", None)
    assert {key: one.checkpoint for key, one in known.items()} == {"a": "a2", "b": "b2", "c": "c2"}


def test_a_parent_whose_token_is_forgotten_is_read_anew_alone(
    access: Access, connection: Connection, shop: Shop, api: Api
) -> None:
    tokens(shop, access)
    both(access, connection)
    shop.note("b", "b9", "2026-01-01T00:00:00Z")
    tokens(shop, access, forgotten="b")
    api.seen.clear()
    assert run(access, connection).added == 1
    assert [account for account, _ in shop.asked()].count("b") == 2
    assert len(shop.asked()) == 4
    assert ["reading it anew" in line for line in log(access, "warning")] == [True]


def test_with_missing_a_forgotten_token_reads_all_parents_anew(
    access: Access, connection: Connection, shop: Shop, api: Api
) -> None:
    write(access, "orphans: account", "missing: true")
    tokens(shop, access)
    both(access, connection)
    del shop.notes["b"]["b1"]
    del shop.notes["a"]["a1"]
    tokens(shop, access, forgotten="b")
    assert run(access, connection).deleted == 2
    assert stored(access) == there(shop)
    assert any("reading everything anew" in line for line in log(access, "warning"))


def test_what_the_api_tells_as_deleted_is_asked_once_for_all(
    access: Access, connection: Connection, shop: Shop, api: Api
) -> None:
    write(access, "deletes: {when: record.gone, orphans: account}", "\n".join((
        "vars: {mine: '{{ item.id }}', region: 'eu'}",
        "deletes: {use: gone_orders, with: {since: '{{ last_run }} {{ region }}'}, id: record}",
    )))  # fmt: skip
    write(access, 'account: "{{ item.id }}"', "account: '{{ mine }}'")
    api.on("/gone", Reply({"gone": ["a1", "c2"]}))
    both(access, connection)
    assert both(access, connection).deleted == 2
    asked = [seen.query["since"] for seen in api.seen if seen.path == "/gone"]
    assert len(asked) == 1
    assert asked[0].endswith(" eu")


def test_last_run_is_known_of_parents_that_were_read(
    access: Access, connection: Connection, shop: Shop, api: Api
) -> None:
    write(access, *FULL)
    write(access, 'since: "{{ slice.from }}", until: "{{ slice.to }}"', 'since: "{{ last_run }}"')
    both(access, connection)
    shop.account("d")
    api.seen.clear()
    both(access, connection)
    assert {account: bool(since) for account, since in shop.asked()} == {
        "a": True, "b": True, "c": True, "d": False,
    }  # fmt: skip


def test_the_window_of_a_new_parent_is_cut_into_slices(
    access: Access, connection: Connection, shop: Shop, api: Api
) -> None:
    cut = 'lookback: 1m, start: "2026-01-01T00:00:00Z", slices: {by: 20w, concurrency: 2}}'
    write(access, "lookback: 1m}", cut)
    result = both(access, connection)
    assert (result.added, stored(access)) == (9, there(shop))
    first = [since for account, since in shop.asked() if account == "a"]
    assert len(first) == len(set(first)) > 1
    api.seen.clear()
    run(access, connection)
    assert len(shop.asked()) == 3


def test_a_record_that_does_not_fit_is_named_with_its_parent(
    access: Access, connection: Connection, shop: Shop
) -> None:
    write(access, "text: record.text", "text: {from: record.text, type: number}")
    for account in "abc":
        for note in shop.notes[account].values():
            note["text"] = "1"
    shop.notes["b"]["b1"]["text"] = "much"
    with pytest.raises(RecordError, match=r"^parent `b`: record 2 of page \d \(`b1`\): "):
        both(access, connection)


def test_what_was_known_of_parents_goes_with_their_connection(
    access: Access, connection: Connection, shop: Shop
) -> None:
    both(access, connection)
    access.store.connections.delete(connection)
    assert access.store.parents.between(KEY, "", None) == {}


def test_an_emptied_sync_knows_no_parents(access: Access, connection: Connection, shop: Shop) -> None:
    both(access, connection)
    del shop.accounts["c"]
    run(access, connection, "accounts")

    async def inside() -> Result:
        async with access:
            sync = access.project.sync("notes")
            return await run_sync(sync, access.client(connection), access.store, Options(empty=True))

    assert asyncio.run(inside()).added == 6
    assert list(access.store.parents.between(KEY, "", None)) == ["a", "b"]


def test_a_dry_run_shows_the_first_page_of_the_first_parent(
    access: Access, connection: Connection, shop: Shop
) -> None:
    run(access, connection, "accounts")

    async def inside() -> Preview:
        async with access:
            sync = access.project.sync("notes")
            return await preview_sync(sync, access.client(connection), access.store)

    found = asyncio.run(inside())
    assert (found.parent, found.more, found.result.added) == ("a", True, 2)
    assert [sample.record for sample in found.samples] == [
        {"id": "a0", "text": "note a0", "account": "a"},
        {"id": "a1", "text": "note a1", "account": "a"},
    ]
    assert access.store.parents.between(KEY, "", None) == {}


def test_a_dry_run_without_parents_shows_nothing(access: Access, connection: Connection, api: Api) -> None:
    async def inside() -> Preview:
        async with access:
            sync = access.project.sync("notes")
            return await preview_sync(sync, access.client(connection), access.store)

    found = asyncio.run(inside())
    assert (found.parent, found.more, found.samples) == (None, False, [])


FAULTS = (
    Reply({}, 400), Reply({}, 503), Reply({}, broken="reset"), Reply(b'{"notes": [', broken="raw"),
    Reply({"notes": [{"id": "x", "at": "2026-01-01T00:00:00Z"}]}, cut=20), Reply(b"<html>", 200),
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.status} {fault.broken} {fault.cut}")
@pytest.mark.parametrize("at", range(6))
def test_an_answer_that_fails_anywhere_loses_nothing(
    at: int, fault: Reply, access: Access, connection: Connection, shop: Shop, api: Api
) -> None:
    run(access, connection, "accounts")
    asked = 0

    def fails(seen: Seen) -> Reply:
        nonlocal asked
        asked += 1
        return fault if at < asked <= at + 5 else shop.answer(seen)

    for account in "abc":
        api.on(f"/notes/{account}", fails)
    with suppress(CallError):
        run(access, connection)
    shop.note("b", "between", "2026-01-05T00:00:00Z")
    for account in "abc":
        api.on(f"/notes/{account}", shop.answer)
    run(access, connection)
    assert stored(access) == there(shop)


def test_what_is_not_found_for_a_record_is_no_parent_that_is_gone(
    access: Access, connection: Connection, shop: Shop, api: Api
) -> None:
    write(
        access,
        "fields:",
        'enrich: {author: {use: get_order, with: {id: "{{ record.id }}"}, each: record}}\nfields:',
    )
    write(access, "text: record.text", "text: author.name")
    api.on("/orders/b1", Reply({}, 404))
    for note in there(shop):
        if note != "b1":
            api.on(f"/orders/{note}", Reply({"name": "Ada"}))
    with pytest.raises(CallError):
        both(access, connection)
    assert not any("passed over" in line for line in log(access))


@pytest.mark.parametrize(
    ("item", "says"),
    [
        ("item.owner", "`item` has no `owner`; there are id, name"),
        ("item.idd", "`item` has no `idd`"),
    ],
)
def test_a_parent_has_the_fields_that_its_own_sync_stores(item: str, says: str, folder: Path) -> None:
    path = folder / "syncs" / "notes.yaml"
    path.write_text(path.read_text().replace("account: item.id", f"account: {item}"))
    assert [problem.message for problem in Project.load(folder).problems] == [says]


def test_of_parents_whose_fields_are_not_written_out_anything_may_be_known(folder: Path) -> None:
    path = folder / "syncs" / "accounts.yaml"
    path.write_text(path.read_text().replace("{id: record.id, name: record.name}", "record"))
    notes = folder / "syncs" / "notes.yaml"
    notes.write_text(notes.read_text().replace("account: item.id", "account: item.Owner.Id"))
    assert Project.load(folder).problems == ()
