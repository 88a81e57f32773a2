"""One definition, many syncs: what it stands for, that each goes its own way, and what is told where it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from shutil import copy

import orjson
import pytest

from runner.auth.credentials import Credentials
from runner.calls.access import Access
from runner.definitions.model import Sync
from runner.definitions.model.matrix import is_meant, misnamed
from runner.definitions.project import Project
from runner.emulator.testing import start_org
from runner.errors import CallError, ExpressionError, TerapiError, UsageError
from runner.store import Connection, Store, SyncKey
from runner.sync.audit import AuditResult, audit_sync
from runner.sync.matrix import expanded, expanded_to_run, meant, some_at_once
from runner.sync.run import Options, Result, run_sync
from tests.api import Api, Reply, Seen
from tests.auth.orgs import ROOT, Ours
from tests.conftest import ORDERS, PROVIDERS
from tests.definitions.fragments import changed

BASE = ORDERS.replace("incremental: {cursor: record.at, lookback: 1m}\n", "")
BASE = BASE.replace('with: {since: "{{ slice.from }}", until: "{{ slice.to }}"}', "with: {}")
SHOP = (
    PROVIDERS
    + """
    list_regions:
      params: {of: {type: string, required: false}}
      request: {path: /regions, query: {of: "{{ of }}"}}
      output: response.body.regions
"""
)


def rewritten(access: Access, folder: Path, keys: str) -> Sync:
    """The sync `orders` with further keys."""
    (folder / "providers.yaml").write_text(SHOP)
    (folder / "syncs/orders.yaml").write_text(changed(BASE, keys, 0))
    access.project = Project.load(folder).checked()
    return access.project.sync("orders")


def expand(access: Access, connection: Connection, sync: Sync) -> list[Sync]:
    async def inside() -> list[Sync]:
        async with access:
            return await expanded(sync, access.client(connection), access.store)

    return asyncio.run(inside())


def shown(syncs: list[Sync]) -> list[tuple[str, str, str]]:
    return [(one.name, one.model, one.variant) for one in syncs]


def test_a_definition_without_a_matrix_is_itself_and_asks_nothing(
    access: Access, connection: Connection, api: Api
) -> None:
    sync = access.project.sync("orders")
    assert expand(access, connection, sync) == [sync]
    assert api.seen == []


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("matrix: {region: [eu, us]}", [("orders.eu", "Order", "base"), ("orders.us", "Order", "base")]),
        ("matrix: {variant: [eu, base, 3]}", [
            ("orders::eu", "Order", "eu"), ("orders", "Order", "base"), ("orders::3", "Order", "3"),
        ]),
        ('matrix: {kind: [A1, B1], variant: [x, y]}\nmodel: "{{ matrix.kind }}-{{ variant }}"', [
            ("orders.A1::x", "A1-x", "x"), ("orders.A1::y", "A1-y", "y"),
            ("orders.B1::x", "B1-x", "x"), ("orders.B1::y", "B1-y", "y"),
        ]),
        ("matrix: {variant: params.regions}\nparams: {regions: {type: array, default: [n, s]}}", [
            ("orders::n", "Order", "n"), ("orders::s", "Order", "s"),
        ]),
        ("matrix: {variant: connection.metadata.boxes}", [("orders::me", "Order", "me")]),
        ("matrix: {variant: connection.metadata.nothing}", []),
        ("matrix: {variant: []}", []),
        ("matrix: {region: {use: list_regions, where: item.open, name: item.key}}\nmodel: \"O{{ matrix.region.id }}\"", [
            ("orders.eu", "O1", "base"), ("orders.us", "O2", "base"),
        ]),
        ("matrix: {region: {use: list_regions, values: result | pluck('key')}}", [
            ("orders.eu", "Order", "base"), ("orders.us", "Order", "base"), ("orders.as", "Order", "base"),
        ]),
        ("matrix: {a: [1, 2], b: {values: \"[matrix.a * 10]\"}}", [
            ("orders.1.10", "Order", "base"), ("orders.2.20", "Order", "base"),
        ]),
    ],
)  # fmt: skip
def test_what_a_matrix_stands_for(
    access: Access,
    folder: Path,
    connection: Connection,
    api: Api,
    keys: str,
    expected: list[tuple[str, str, str]],
) -> None:
    regions = [{"id": 1, "key": "eu", "open": True}, {"id": 2, "key": "us", "open": True}]
    api.on("/regions", Reply({"regions": [*regions, {"id": 3, "key": "as", "open": False}]}))
    access.store.connections.set_metadata(connection, {"boxes": ["me"]})
    connection = access.connection("demo")
    assert shown(expand(access, connection, rewritten(access, folder, keys))) == expected


def test_an_operation_is_asked_once_for_the_same(
    access: Access, folder: Path, connection: Connection, api: Api
) -> None:
    def regions(seen: Seen) -> Reply:
        return Reply({"regions": [f"{seen.query['of']}-{n}" for n in (1, 2)]})

    api.on("/regions", regions)
    keys = 'matrix: {kind: [a, b], time: [old, new], region: {use: list_regions, with: {of: "{{ matrix.kind }}"}}}'
    found = expand(access, connection, rewritten(access, folder, keys))
    assert [one.name for one in found][:3] == ["orders.a.old.a-1", "orders.a.old.a-2", "orders.a.new.a-1"]
    assert [seen.query["of"] for seen in api.seen] == ["a", "b"]


@pytest.mark.parametrize(
    ("keys", "kind", "message", "hint"),
    [
        ("matrix: {region: {use: list_regions}}", ExpressionError,
         "`region` of the matrix: a map is neither a text nor a whole number",
         "say with `name` what it is called, or leave it out with `where`"),
        ("matrix: {region: {use: list_regions, values: \"{'a': 1}\"}}", ExpressionError,
         "`region` of the matrix gave a map, expected a list", None),
        ("matrix: {region: {use: list_regions, name: \"'same'\"}}", ExpressionError,
         "`region` of the matrix has two values called `same`", "say with `name` what each is called"),
        ("matrix: {n: range(100), m: range(100)}", UsageError,
         "the matrix of `orders` has 10,000 combinations, and 5,000 is the most", "leave some out with `where`"),
        ("matrix: {n: range(2)}\nmodel: \"O{{ matrix.n // 2 }}\"\ndeletes: {missing: true}", UsageError,
         "`orders.0` and `orders.1` store O0, and each deletes what it misses",
         "name the axis `variant`, or the model by the matrix"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told(
    access: Access,
    folder: Path,
    connection: Connection,
    api: Api,
    keys: str,
    kind: type[TerapiError],
    message: str,
    hint: str | None,
) -> None:
    api.on("/regions", Reply({"regions": [{"id": 1}, {"id": 2}]}))
    sync = rewritten(access, folder, keys)
    with pytest.raises(kind) as caught:
        expand(access, connection, sync)
    assert (caught.value.message, caught.value.hint) == (message, hint)
    assert str(caught.value.where).startswith("syncs/orders.yaml:")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("My Sheet: 1/2", None), ("ada@example.com", None), (7, None), ("ü" * 100, None),
        ("", "is empty or has a blank at its end"), (" a", "is empty or has a blank at its end"),
        ("a\nb", "cannot be printed"), ("a::b", "has `::` in it"), ("x" * 101, "is longer than 100 characters"),
        (True, "is neither a text nor a whole number"), (1.5, "is neither a text nor a whole number"),
        (None, "is neither a text nor a whole number"),
    ],
)  # fmt: skip
def test_what_can_be_a_part_of_a_name(name: object, why: str | None) -> None:
    assert misnamed(name) == why


@pytest.mark.parametrize(
    ("wanted", "name", "holds"),
    [
        ("o.a", "o.a", True), ("o.a", "o.a.b", True), ("o.a", "o.ab", False), ("o.a", "o.a::x", True),
        ("o.a::x", "o.a::x", True), ("o::x", "o.a::x", True), ("o::x", "o.a::y", False),
        ("o::base", "o", True), ("o::base", "o::x", False), ("o.a::base", "o.a", True),
    ],
)  # fmt: skip
def test_which_syncs_a_name_means(wanted: str, name: str, holds: bool) -> None:
    assert is_meant(wanted, name) == holds


def test_some_run_at_once_and_begin_in_order() -> None:
    begun: list[int] = []
    ended: list[int] = []
    most = 0

    async def run(number: int) -> int:
        nonlocal most
        begun.append(number)
        most = max(most, len(begun) - len(ended))
        for _ in range(3):
            await asyncio.sleep(0)
        ended.append(number)
        return number * 10

    assert asyncio.run(some_at_once(list(range(7)), run, 3)) == [0, 10, 20, 30, 40, 50, 60]
    assert (begun, most) == (list(range(7)), 3)


def test_what_the_file_says_of_a_value_changes_its_digest(
    access: Access, folder: Path, connection: Connection, api: Api
) -> None:
    """What an API or a connection says of one may come and go, and is no reason to read everything again."""

    def digests(keys: str) -> list[str]:
        return [one.digest for one in expand(access, connection, rewritten(access, folder, keys))]

    one = digests("matrix: {r: {values: [{id: a, at: 1}, {id: b, at: 2}], name: item.id}}")
    other = digests("matrix: {r: {values: [{id: a, at: 1}, {id: b, at: 3}], name: item.id}}")
    assert (one[0], one[1] == other[1], one[0] == one[1]) == (other[0], False, False)
    api.on("/regions", [Reply({"regions": [{"id": "a", "at": n}]}) for n in (1, 2)])
    keys = "matrix: {r: {use: list_regions, name: item.id}}"
    assert digests(keys) == digests(keys) == digests("matrix: {r: [a]}")


def test_variants_that_somebody_made_stand_beside_the_rest(
    access: Access, folder: Path, connection: Connection
) -> None:
    for variant in ("x", "y"):
        access.store.variants.make("shop", "demo", "orders", variant)

    def names(keys: str, wanted: str | None) -> list[str]:
        sync = rewritten(access, folder, keys)
        return [one.name for one in meant(sync, expand(access, connection, sync), wanted)]

    assert names("", None) == ["orders", "orders::x", "orders::y"]
    # by its name alone, a sync without a matrix is what it is without variants
    assert (names("", "orders"), names("", "orders::x")) == (["orders"], ["orders::x"])
    assert names("matrix: {variant: [a, x]}", "orders") == ["orders::a", "orders::x", "orders::y"]
    assert names("matrix: {variant: []}", None) == ["orders::x", "orders::y"]
    assert names("matrix: {kind: [a]}", "orders") == ["orders.a", "orders.a::x", "orders.a::y"]


def test_a_name_that_none_has_is_told_with_those_there_are_or_their_number(
    access: Access, folder: Path, connection: Connection
) -> None:
    def hint(keys: str) -> str | None:
        sync = rewritten(access, folder, keys)
        with pytest.raises(UsageError) as caught:
            meant(sync, expand(access, connection, sync), "orders.quite-another")
        return caught.value.hint

    assert hint("matrix: {region: [eu, us]}") == "there are: orders.eu, orders.us"
    assert hint("matrix: {region: range(1000)}") == "it stands for 1,000 syncs just now"


def run_all(access: Access, connection: Connection, name: str) -> dict[str, tuple[int, int, int]]:
    """What each sync of a definition read, added and deleted."""

    async def inside() -> dict[str, tuple[int, int, int]]:
        async with access:
            sync, found = access.project.sync(name), {}
            for one in await expanded(sync, access.client(connection), access.store):
                result = await run_sync(one, access.client(connection), access.store)
                found[one.name] = (result.read, result.added, result.deleted)
            return found

    return asyncio.run(inside())


def test_what_a_variant_misses_is_deleted_of_it_alone(
    access: Access, folder: Path, connection: Connection, api: Api
) -> None:
    rows = {"eu": ["1", "2"], "us": ["1", "2", "3"]}
    api.on("/orders", lambda seen: Reply({"orders": [{"id": id} for id in rows[seen.query["since"]]]}))
    keys = (
        "matrix: {variant: [eu, us]}\nfields: {id: record.id}\ndeletes: {missing: true}\n"
        'fetch: {use: list_orders, with: {since: "{{ variant }}"}}\n'
    )
    rewritten(access, folder, keys)
    assert run_all(access, connection, "orders") == {"orders::eu": (2, 2, 0), "orders::us": (3, 3, 0)}
    rows["us"] = ["3"]
    assert run_all(access, connection, "orders") == {"orders::eu": (2, 0, 0), "orders::us": (1, 0, 2)}
    counts = [access.store.records.stream("shop", "demo", "Order", one).count() for one in ("eu", "us")]
    assert [one["deleted"] for one in counts] == [0, 2]


def test_who_forgets_a_model_has_the_others_that_store_it_read_it_again(
    access: Access, folder: Path, connection: Connection, api: Api
) -> None:
    """An incremental one would else go on from its checkpoint, and its records would be lost."""
    seen: list[tuple[str, str]] = []

    def orders(asked: Seen) -> Reply:
        seen.append((asked.query["until"], asked.query["since"][:4]))
        return Reply({"orders": [{"id": asked.query["until"], "at": "2026-01-01T00:00:00Z"}]})

    api.on("/orders", orders)
    keys = (
        "matrix: {region: [a, b], variant: [base, x]}\nincremental: {cursor: record.at}\n"
        'fetch: {use: list_orders, with: {since: "{{ slice.from }}", until: "{{ matrix.region }}{{ variant }}"}}\n'
    )
    rewritten(access, folder, keys)
    run_all(access, connection, "orders")

    async def forgets() -> None:
        async with access:
            sync, *_ = await expanded(access.project.sync("orders"), access.client(connection), access.store)
            await run_sync(sync, access.client(connection), access.store, Options(empty=True))

    asyncio.run(forgets())
    seen.clear()
    run_all(access, connection, "orders")
    assert seen == [("abase", "2026"), ("ax", "2026"), ("bbase", "1970"), ("bx", "2026")]
    assert len(access.store.records.stream("shop", "demo", "Order").read()) == 2


def test_the_parents_of_a_variant_are_those_of_the_same_variant(
    access: Access, folder: Path, connection: Connection, api: Api
) -> None:
    """Parents whose model has no such variant are those of the base."""
    for variant, ids in (("eu", ["a"]), ("us", ["b", "c"]), ("base", ["z"])):
        rows = [(id, orjson.dumps({"id": id})) for id in ids]
        access.store.records.stream("shop", "demo", "Customer", variant).write(rows, 1.0)
    api.on("/orders", lambda seen: Reply({"orders": [{"id": seen.query["until"]}]}))
    customers = BASE.replace("sync: orders", "sync: customers").replace("model: Order", "model: Customer")
    (folder / "syncs/customers.yaml").write_text(customers)
    keys = (
        "matrix: {variant: [eu, us, as]}\nforeach: {records: Customer}\nfields: {id: record.id}\n"
        'fetch: {use: list_orders, with: {since: "{{ variant }}", until: "{{ variant }}-{{ item.id }}"}}\n'
        "deletes: {when: record.gone}\n"
    )
    rewritten(access, folder, keys)
    assert run_all(access, connection, "orders") == {
        "orders::eu": (1, 1, 0),
        "orders::us": (2, 2, 0),
        "orders::as": (1, 1, 0),
    }
    assert sorted(seen.query["until"] for seen in api.seen if seen.path == "/orders") == [
        "as-z", "eu-a", "us-b", "us-c",
    ]  # fmt: skip


# ---- on an org


OBJECTS = """
version: 1
sync: objects
integrations: [salesforce]
matrix:
  object:
    use: describe_global
    where: item.queryable and item.name in connection.metadata.objects
    name: item.name
model: "{{ matrix.object.name }}"
primary_key: id
incremental: {cursor: record.SystemModstamp}
vars:
  window: SystemModstamp >= {{ slice.from }} AND SystemModstamp < {{ slice.to }}
lookups: {size: {use: count, with: {object: "{{ matrix.object.name }}"}}}
fetch:
  - {when: size.total == 0 and matrix.object.custom, use: query, with: {soql: never}}
  - use: query_all
    with: {soql: "SELECT Id, Name, IsDeleted, SystemModstamp FROM {{ matrix.object.name }} WHERE {{ window }}"}
where: matrix.object.label is present
fields: {id: record.Id, name: record.Name, kind: matrix.object.name}
deletes: {when: record.IsDeleted and matrix.object.name is present}
audit:
  use: query
  with: {soql: "SELECT Id FROM {{ matrix.object.name }}"}
  id: record.Id
"""
SOURCES = """
version: 1
sync: contacts-by-source
integrations: [salesforce]
matrix: {variant: connection.metadata.sources, concurrency: 1}
model: Contact
primary_key: id
incremental: {cursor: record.SystemModstamp}
fetch:
  use: query_all
  with:
    soql: >-
      SELECT Id, LastName, SystemModstamp FROM {{ 'Nothing' if variant == 'Broken' else 'Contact' }}
      WHERE LeadSource = {{ variant | soql_value }} AND SystemModstamp >= {{ slice.from }}
fields: {id: record.Id, name: record.LastName, source: variant}
"""


class Many(Ours):
    """An org and definitions that stand for many syncs."""

    def use(self, folder: Path) -> None:
        copy(ROOT / "providers.yaml", folder / "providers.yaml")
        (folder / "syncs").mkdir(exist_ok=True)
        (folder / "syncs/objects.yaml").write_text(OBJECTS)
        (folder / "syncs/sources.yaml").write_text(SOURCES)
        self.access.project = Project.load(folder).checked()

    def metadata(self, **values: object) -> None:
        self.store.connections.set_metadata(self.access.connection("demo"), values)

    def sync(self, wanted: str) -> dict[str, Result | str]:
        """The result of each that a name means, or why it failed."""

        async def work() -> dict[str, Result | str]:
            sync = self.access.project.sync(wanted.split(".")[0].split("::")[0])
            client = self.access.client(self.access.connection("demo"))
            syncs, self.gone = await expanded_to_run(sync, client, self.store, wanted)
            return {one.name: await self.once(one) for one in syncs}

        return self.run(work)

    async def once(self, sync: Sync) -> Result | str:
        try:
            client = self.access.client(self.access.connection("demo"))
            return await run_sync(sync, client, self.store)
        except TerapiError as exc:
            return exc.message

    def stored(self, model: str, variant: str = "base") -> list[str]:
        stream = self.store.records.stream("salesforce", "demo", model, variant)
        return [orjson.loads(one.payload)["name"] for one in stream.all(states=["added", "updated"])]


@pytest.fixture
def many(store: Store, tmp_path: Path) -> Iterator[Many]:
    with start_org(records=40) as org:
        found = Many(org, store)
        found.make(Credentials(type="OAUTH2_CC"))
        found.use(tmp_path)
        yield found


def counts(found: dict[str, Result | str]) -> dict[str, object]:
    return {name: (one.read, one.added) if isinstance(one, Result) else one for name, one in found.items()}


def test_objects_found_at_run_time_are_synced_each_into_its_model(many: Many) -> None:
    many.metadata(objects=["Contact", "Account", "Nothing"])
    accounts = len(many.org.query("SELECT Id FROM Account"))
    found = many.sync("objects")
    assert counts(found) == {"objects.Account": (accounts, accounts), "objects.Contact": (40, 40)}
    assert (len(many.stored("Account")), len(many.stored("Contact"))) == (accounts, 40)
    # each goes on from its own checkpoint
    many.org.create("Account", {"Name": "New one"})
    again = many.sync("objects")
    assert counts(again) == {"objects.Account": (2, 1), "objects.Contact": (1, 0)}
    assert counts(many.sync("objects.Contact")) == {"objects.Contact": (1, 0)}
    for name, model in (("objects.Account", "Account"), ("objects.Contact", "Contact")):
        key = SyncKey(integration="salesforce", connection="demo", sync=name, model=model)
        assert many.store.states.get(key).checkpoint is not None


def test_a_value_that_vanishes_leaves_its_records_and_is_told_once(many: Many) -> None:
    many.metadata(objects=["Contact", "Account"])
    many.sync("objects")
    assert many.gone == []
    many.metadata(objects=["Account"])
    assert list(many.sync("objects")) == ["objects.Account"]
    assert (many.gone, len(many.stored("Contact"))) == (["objects.Contact"], 40)
    many.sync("objects")
    assert many.gone == []
    many.metadata(objects=["Contact", "Account"])
    # what comes back goes on from where it was
    assert counts(many.sync("objects"))["objects.Contact"] == (1, 0)


def test_each_is_audited_by_itself(many: Many) -> None:
    many.metadata(objects=["Contact", "Account"])
    many.sync("objects")

    async def work() -> list[AuditResult]:
        client = many.access.client(many.access.connection("demo"))
        syncs = await expanded(many.access.project.sync("objects"), client, many.store)
        return [await audit_sync(one, client, many.store) for one in syncs]

    found = many.run(work)
    assert [(one.sync, one.model, one.status) for one in found] == [
        ("objects.Account", "Account", "equal"),
        ("objects.Contact", "Contact", "equal"),
    ]


def test_variants_have_records_and_checkpoints_of_their_own(many: Many) -> None:
    for source, names in (("Web", ["a", "b"]), ("Phone", ["c"])):
        for name in names:
            many.org.create("Contact", {"LastName": name, "LeadSource": source})
    many.metadata(sources=["Web", "Broken", "Phone"])
    before = len(many.store.runs.newest(kind="sync"))
    found = many.sync("contacts-by-source")
    web, broken, phone = found.values()
    assert list(found) == [f"contacts-by-source::{name}" for name in ("Web", "Broken", "Phone")]
    assert isinstance(web, Result)
    assert isinstance(phone, Result)
    assert "Nothing" in str(broken)
    assert (web.variant, web.model, phone.variant) == ("Web", "Contact", "Phone")
    assert {"a", "b"} <= set(many.stored("Contact", "Web"))
    assert "c" in many.stored("Contact", "Phone")
    assert many.stored("Contact", "Broken") == many.stored("Contact") == []
    runs = many.store.runs.newest(kind="sync")
    assert len(runs) - before == 3
    assert {run.name: run.status for run in runs}["contacts-by-source::Broken"] == "failed"
    # the same record in two variants is one in each
    (moved,) = many.org.query("SELECT Id FROM Contact WHERE LastName = 'c'")
    many.org.update("Contact", str(moved["Id"]), LeadSource="Web")
    assert counts(many.sync("contacts-by-source::Web"))["contacts-by-source::Web"] == (2, 1)
    assert "c" in many.stored("Contact", "Web")
    assert "c" in many.stored("Contact", "Phone")


def test_a_model_that_is_none_fails_alone(many: Many, tmp_path: Path) -> None:
    text = OBJECTS.replace(
        'model: "{{ matrix.object.name }}"', "model: \"{{ matrix.object.name | replace('A', 'a') }}\""
    )
    (tmp_path / "syncs/objects.yaml").write_text(text)
    many.access.project = Project.load(tmp_path).checked()
    many.metadata(objects=["Contact", "Account"])
    found = many.sync("objects")
    assert found["objects.Account"] == "`model` of `objects.Account` cannot be the text 'account'"
    assert counts(found)["objects.Contact"] == (40, 40)


def test_what_cannot_be_listed_is_a_failed_run(many: Many) -> None:
    many.metadata(objects=["Contact"])
    many.org.fault("status:code=400,path=/sobjects")
    with pytest.raises(CallError):
        many.sync("objects")
    (run,) = many.store.runs.newest(kind="sync")
    assert (run.name, run.status) == ("objects", "failed")
    many.org.clear_faults()
    with pytest.raises(UsageError) as caught:
        many.sync("objects.Contcat")
    assert (caught.value.message, caught.value.hint) == (
        "`objects` has no `objects.Contcat`",
        "did you mean `objects.Contact`?",
    )
