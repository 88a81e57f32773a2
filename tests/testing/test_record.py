"""Tests of definitions recorded: what was asked and answered, and nothing that is somebody's secret."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from runner.auth.connect import NewConnection
from runner.auth.credentials import Credentials
from runner.calls.access import Access
from runner.definitions.model import Given
from runner.definitions.project import Project
from runner.errors import UsageError
from runner.store import Connection, Store
from runner.testing.masks import Replacing
from runner.testing.record import Wanted, record
from runner.testing.recorder import cut
from runner.testing.run import run_test
from tests.api import Api, Reply, Seen
from tests.conftest import ORDERS


def recorded(access: Access, connection: Connection, wanted: Wanted) -> str:
    async def work() -> str:
        async with access:
            return await record(access, access.client(connection), wanted)

    return asyncio.run(work())


def plays(folder: Path, text: str) -> bool:
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "tests" / "it.test.yaml").write_text(text)
    project = Project.load(folder, tests=True).checked()
    (test,) = project.tests
    report = asyncio.run(run_test(project, test))
    assert (report.diff, report.problems) == ("", [])
    return report.status == "passed"


def test_a_sync_is_recorded_page_by_page(
    access: Access, connection: Connection, api: Api, folder: Path, store: Store
) -> None:
    def orders(seen: Seen) -> Reply:
        begin = int(seen.query.get("page", "0"))
        rows = [
            {"id": str(n), "name": f"n{n}", "total": n, "at": f"2026-01-01T00:00:{n:02}Z"}
            for n in range(begin, begin + 3)
        ]
        more = {"next": f"{api.url}/orders?page=3&token=access-token-1"} if begin == 0 else {}
        return Reply({"orders": rows, **more}, headers={"Set-Cookie": "session=abc", "X-Odd": "1"})

    api.on("/orders", orders)
    text = recorded(access, connection, Wanted(kind="sync", name="orders", limit=2))
    assert plays(folder, text)
    for secret in ("access-token-1", "refresh-token-1", api.url, "our-client", "session=abc", "X-Odd"):
        assert secret not in text
    assert "https://url.test/orders?page=3&token=masked-access-token" in text
    assert text.count("- {id:") == 2 * 2 * 2  # two of each page, answered and stored
    assert store.records.streams() == []  # what it stored is forgotten


def test_one_of_those_that_a_definition_stands_for_is_recorded(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    many = ORDERS + "matrix: {kind: [a, b]}\nwhere: record.kind == matrix.kind\n"
    (folder / "syncs/orders.yaml").write_text(many)
    access.project = Project.load(folder).checked()
    rows = [{"id": kind, "kind": kind, "at": "2026-01-01T00:00:00Z"} for kind in "ab"]
    api.on("/orders", Reply({"orders": rows}))
    text = recorded(access, connection, Wanted(kind="sync", name="orders.b"))
    assert plays(folder, text)
    assert "sync: orders.b\n" in text
    assert "Order: [{id: b}]" in text


def test_what_a_workflow_writes_is_recorded_with_its_errors(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    (folder / "workflows" / "twice.yaml").write_text(
        """
version: 1
workflow: twice
integrations: [shop]
input: {name: {type: string}}
steps:
  - {id: one, use: create_order, with: {name: "{{ input.name }}", note: "{{ uuid() }}"}}
  - {id: two, use: create_order, with: {name: "{{ input.name }}"}}
output: {id: steps.one.id}
"""
    )
    api.on("/orders", [Reply({"id": 1}, 201), Reply({"code": "DUP"}, 409)])
    fresh = Access(Project.load(folder).checked(), access.store, {})
    wanted = Wanted(kind="workflow", name="twice", given=Given(input={"name": "Ada"}))
    text = recorded(fresh, connection, wanted)
    assert plays(folder, text)
    assert "note: 00000000-0000-4000-8000-000000000001" in text
    assert "kind: duplicate" in text
    assert text.index("json: {id: 1}") < text.index("status: 409")


GATED = """
version: 1
workflow: gated
integrations: [shop]
input: {name: {type: string}}
steps:
  - {id: gate, approve: {message: Go?}}
  - {id: order, use: create_order, with: {name: "{{ input.name }}"}}
"""
CALLING = """
version: 1
workflow: calling
integrations: [shop]
steps: [{id: call, workflow: gated, with: {name: Ada}}]
"""


def test_what_no_recording_can_do_is_told(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    (folder / "workflows" / "gated.yaml").write_text(GATED)
    (folder / "workflows" / "calling.yaml").write_text(CALLING)
    api.on("/orders", Reply({"id": 1}, 201))

    def tried(name: str, **given: object) -> str:
        fresh = Access(Project.load(folder).checked(), access.store, {})
        return recorded(fresh, connection, Wanted(kind="workflow", name=name, given=Given(**given)))  # type: ignore[arg-type]

    with pytest.raises(UsageError) as caught:
        tried("gated", input={"name": "Ada"})
    assert caught.value.message == "`gate` waits for an approval: Go?"
    assert caught.value.hint == "say what it gives: --mock gate='{\"approved\": true}'"
    with pytest.raises(UsageError, match="`name` is missing"):
        tried("gated")
    assert plays(folder, tried("calling", mock={"call.gate": {"approved": True}}))


KEYED = """
desk:
  auth_mode: API_KEY
  base_url: "https://{{ config.account }}.desk.example/v1"
  hosts: ["*.desk.example"]
  connection_config: {account: {type: string}}
  credentials: {apiKey: {title: API key, secret: true}}
  query: {key: "{{ credentials.apiKey }}"}
  operations: {list: {request: {path: /tickets}, records: response.body.tickets}}
"""


def test_what_is_a_customers_own_is_replaced(folder: Path, store: Store) -> None:
    (folder / "providers.yaml").write_text(KEYED)
    (folder / "syncs" / "orders.yaml").unlink()
    access = Access(Project.load(folder).checked(), store, {})
    provider = access.project.provider("desk")
    config = {"account": "acme-corp"}
    credentials = Credentials(type="API_KEY", values={"apiKey": "k3y/with=odd"})
    place = access.connect.keep(provider, NewConnection(id="a", config=config), credentials)
    replacing = Replacing(provider, place.config, credentials)
    assert replacing.config == {"account": "account"}
    said = replacing.value({
        "next": "https://acme-corp.desk.example/v1/tickets?key=k3y%2Fwith%3Dodd",
        "name": "of acme-corp",
        "k3y/with=odd": ["k3y/with=odd", 5, None],
    })  # fmt: skip
    assert said == {
        "next": "https://account.desk.example/v1/tickets?key=masked-apiKey",
        "name": "of acme-corp",
        "masked-apiKey": ["masked-apiKey", 5, None],
    }


@pytest.mark.parametrize(
    ("content", "kind", "left"),
    [
        (b'{"a":[{"n":1},{"n":2},{"n":3}]}', "application/json", b'{"a": [{"n": 1}, {"n": 2}]}'),
        (b'{"tags":[1,2,3]}', "application/json", b'{"tags": [1, 2, 3]}'),
        (b'a,b\n1,"x\ny"\n2,z\n3,w\n', "text/csv; charset=utf-8", b'a,b\n1,"x\ny"\n2,z\n'),
        ("a\n1\u2028\n2\n3\n".encode(), "text/csv", "a\n1\u2028\n2\n".encode()),
        (b'{"n":1}\n{"n":2}\n{"n":3}\n', "application/x-ndjson", b'{"n":1}\n{"n":2}\n'),
        (b"<html>", "text/html", b"<html>"),
        (b"\xff\xfe", "application/json", b"\xff\xfe"),
    ],
)
def test_lists_of_records_are_cut(content: bytes, kind: str, left: bytes) -> None:
    assert cut(content, kind, 2) == left


def test_what_is_read_side_by_side_is_recorded_in_the_same_order(
    connection: Connection, api: Api, folder: Path, store: Store
) -> None:
    sync = (folder / "syncs" / "orders.yaml").read_text()
    slices = 'lookback: 1m, start: "2026-01-01T00:00:00Z", slices: {by: 30d, concurrency: 4}'
    (folder / "syncs" / "orders.yaml").write_text(sync.replace("lookback: 1m", slices))

    def orders(seen: Seen) -> Reply:
        first = seen.query.get("page") is None
        since = seen.query["since"]
        rows = [{"id": f"{since}-{first}", "name": "x", "total": 1, "at": since}]
        following = f"{api.url}/orders?since={since}&page=2"
        return Reply({"orders": rows, **({"next": following} if first else {})})

    api.on("/orders", orders)
    texts = []
    for _ in range(2):
        fresh = Access(Project.load(folder).checked(), store, {})
        texts.append(recorded(fresh, connection, Wanted(kind="sync", name="orders")))
    assert plays(folder, texts[0])
    assert texts[0].count("request:") > 4
    # The clock went on between the two.
    one, other = (re.sub(r"(until|now): \S+", "", text) for text in texts)
    assert one == other


def test_an_answer_that_did_not_come_is_recorded_as_well(
    connection: Connection, api: Api, folder: Path, store: Store
) -> None:
    broken = Reply({"orders": []}, broken="reset")
    api.on("/orders", [broken, broken, broken])
    fresh = Access(Project.load(folder).checked(), store, {})
    text = recorded(fresh, connection, Wanted(kind="sync", name="orders"))
    assert text.count("response: {fault: disconnected}") == 3
    assert "kind: disconnected" in text
    assert plays(folder, text)
