"""Variants over HTTP: made, asked for, read, removed; and syncs of which one definition stands for many."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.definitions.project import Project
from runner.server.api import variants
from runner.store import Connection
from tests.api import Api, Reply
from tests.conftest import PROVIDERS
from tests.server.conftest import ENVIRON, PLACE_HEADERS, WEBHOOK, post_webhook
from tests.server.served import Served, serving
from tests.server.test_runs import ORDERS, trigger

PLACE = {"provider_config_key": "shop", "connection_id": "demo"}
REGIONS = """
    region_orders:
      params: {region: {type: string}}
      request: {path: "/orders/{{ region }}"}
      records: response.body.orders
    list_regions:
      request: {path: /regions}
      output: response.body.regions
"""
MATRIX = """
version: 1
sync: regional
integrations: [shop]
matrix: {kind: [Sale, Return], variant: {use: list_regions}, concurrency: 1}
model: "{{ matrix.kind }}"
primary_key: id
fetch: {use: region_orders, with: {region: "{{ variant }}"}}
where: variant != 'closed' or record.missing.id > 1
fields: {id: record.id, kind: matrix.kind, region: variant}
on: {webhook: region.changed}
"""


def make(served: Served, variant: str, sync: str = "orders", method: str = "POST") -> tuple[int, object]:
    found = served(method, f"/sync/{sync}/variant/{variant}", json=PLACE)
    return found.status_code, found.json()


def records(served: Served, variant: str, model: str = "Order") -> list[str]:
    found = served("GET", f"/records/?model={model}&variant={variant}", headers=PLACE_HEADERS)
    return [record["id"] for record in found.json()["records"]]


def test_a_variant_is_made_synced_read_and_removed(served: Served, api: Api) -> None:
    api.on("/orders", Reply(ORDERS))
    status, told = make(served, "mailbox-2")
    assert isinstance(told, dict)
    assert (status, isinstance(told.pop("id"), str)) == (200, True)
    assert told == {"name": "orders", "variant": "mailbox-2"}
    trigger(served, syncs=["orders::mailbox-2"])
    served.log.wait("orders::mailbox-2 of demo: 1 added, 0 updated, 0 deleted")
    assert (records(served, "mailbox-2"), records(served, "base")) == (["1"], [])
    # by its name alone the sync is what it is without variants; asked for all, all run
    trigger(served, syncs=["orders"])
    served.log.wait("orders of demo: 1 added")
    trigger(served, syncs=[{"name": "orders", "variant": "mailbox-2"}])
    served.log.wait("orders::mailbox-2 of demo: 0 added")
    trigger(served)
    served.log.wait("orders::mailbox-2 of demo: 0 added", 2)
    assert make(served, "mailbox-2", method="DELETE") == (200, {"success": True})
    assert (records(served, "mailbox-2"), records(served, "base")) == ([], ["1"])
    assert served.refusal("DELETE", "/sync/orders/variant/mailbox-2", json=PLACE) == (404, "not_found")
    body = {"provider_config_key": "shop", "syncs": ["orders::mailbox-2"]}
    assert served.refusal("POST", "/sync/trigger", json=body) == (400, "no_syncs_found")


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("orders/variant/base", PLACE, (400, "invalid_variant")),
        ("orders/variant/a::b", PLACE, (400, "invalid_variant")),
        (f"orders/variant/{'x' * 101}", PLACE, (400, "invalid_variant")),
        ("orders/variant/%0A", PLACE, (400, "invalid_variant")),
        ("nothing/variant/eu", PLACE, (400, "unknown_sync")),
        ("orders/variant/eu", {**PLACE, "provider_config_key": "nope"}, (400, "unknown_provider_config")),
        ("orders/variant/eu", {**PLACE, "connection_id": "nobody"}, (400, "unknown_connection")),
        ("orders/variant/eu", {"connection_id": "demo"}, (400, "invalid_body")),
        ("orders/variant/there", PLACE, (400, "sync_variant_already_exists")),
    ],
)
def test_what_cannot_be_made_is_refused(
    served: Served, path: str, body: dict[str, str], expected: tuple[int, str]
) -> None:
    assert make(served, "there")[0] == 200
    assert served.refusal("POST", f"/sync/{path}", json=body) == expected
    assert served.store.variants.of("shop", "demo", "orders") == ["there"]


def test_a_variant_that_is_running_is_not_removed(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants, "_PATIENCE", 0.0)
    make(served, "eu")
    with served.store.lock("sync:orders::eu:shop:demo"):
        assert served.refusal("DELETE", "/sync/orders/variant/eu", json=PLACE) == (409, "sync_running")
    assert make(served, "eu", method="DELETE")[0] == 200


@pytest.fixture
def regional(folder: Path, api: Api) -> Project:
    (folder / "providers.yaml").write_text(
        PROVIDERS.replace("  operations:", f"{WEBHOOK}  operations:", 1) + REGIONS
    )
    (folder / "syncs/regional.yaml").write_text(MATRIX)
    api.on("/regions", Reply({"regions": ["eu", "us"]}))
    api.on("/orders/eu", Reply({"orders": [{"id": "1"}, {"id": "2"}]}))
    api.on("/orders/us", Reply({"orders": [{"id": "1"}]}))
    api.on("/orders/more", Reply({"orders": [{"id": "9"}]}))
    return Project.load(folder).checked()


def test_all_that_a_definition_stands_for_run_and_their_counts_are_told_together(
    regional: Project, connection: Connection, url: str
) -> None:
    with serving(regional, url, ENVIRON) as served:
        trigger(served, syncs=["regional"])
        served.log.wait("regional of demo: 6 added, 0 updated, 0 deleted")
        assert records(served, "eu", "Sale") == records(served, "eu", "Return") == ["1", "2"]
        trigger(served, syncs=["regional.Sale::us"])
        served.log.wait("regional.Sale::us of demo: 0 added, 0 updated, 0 deleted")
        trigger(served, syncs=["regional::eu"])
        served.log.wait("regional::eu of demo: 0 added")
        trigger(served, syncs=["regional.Gift"])
        served.log.wait("regional.Gift of demo: failed: `regional` has no `regional.Gift`; there are: ")
        refused = {"provider_config_key": "shop", "syncs": ["orders.Sale"]}
        assert served.refusal("POST", "/sync/trigger", json=refused) == (400, "no_syncs_found")
        # what somebody makes stands beside what the matrix has
        assert make(served, "more", "regional")[0] == 200
        trigger(served, syncs=["regional"])
        served.log.wait("regional of demo: 2 added")
        assert records(served, "more", "Sale") == ["9"]
        assert make(served, "more", "regional", "DELETE")[0] == 200
        assert records(served, "more", "Sale") == records(served, "more", "Return") == []


def test_what_several_store_together_is_forgotten_before_any_of_them_reads(
    regional: Project, connection: Connection, url: str, folder: Path
) -> None:
    """All four store one model in one stream: each that forgot by itself would take what others have read."""
    text = MATRIX.replace("variant: {use", "region: {use").replace("{{ variant }}", "{{ matrix.region }}")
    text = text.replace("variant", "matrix.region").replace('"{{ matrix.kind }}"', "Sale")
    text = text.replace("id: record.id,", "id: matrix.kind ~ matrix.region ~ record.id,")
    (folder / "syncs/regional.yaml").write_text(text)
    with serving(Project.load(folder).checked(), url, ENVIRON) as served:
        for times in (1, 2):
            trigger(served, syncs=["regional"], sync_mode="full_refresh_and_clear_cache")
            served.log.wait("regional of demo: 6 added", times)
        assert len(records(served, "base", "Sale")) == 6


def test_one_that_fails_is_named_and_what_is_gone_is_told(
    regional: Project, connection: Connection, url: str, api: Api
) -> None:
    with serving(regional, url, ENVIRON) as served:
        trigger(served, syncs=["regional"])
        served.log.wait("regional of demo: 6 added")
        api.on("/regions", Reply({"regions": ["eu", "shut"]}))
        api.on("/orders/shut", Reply({"error": "no"}, 403))
        trigger(served, syncs=["regional"])
        told = served.log.wait("regional of demo: failed: 2 of 4 syncs failed: regional.Sale::shut: ")
        assert "; regional.Return::shut: " in told
        served.log.wait("regional.Sale::us of demo: it is there no more; what it stored stays")
        assert records(served, "us", "Sale") == ["1"]


def test_a_webhook_starts_all_of_them_and_again_only_what_failed(
    regional: Project, connection: Connection, url: str, api: Api
) -> None:
    api.on("/orders/us", [Reply({"error": "no"}, 403), Reply({"orders": [{"id": "1"}]})])
    with serving(regional, url, ENVIRON) as served:
        event = {"connection": "demo", "event": "x", "type": "region.changed"}
        assert post_webhook(served, event).status_code == 202
        served.log.wait("failed: sync regional: 1 of 4 syncs failed: regional.Sale::us: ")
        failed = served.store.runs.newest(kind="sync", status="failed")
        assert [run.name for run in failed] == ["regional.Sale::us"]
        [delivery] = served.store.deliveries.newest()
        assert served.store.deliveries.replay(delivery)
        served.log.wait(": done")
        names = [run.name for run in served.store.runs.newest(kind="sync", limit=20)]
        assert sorted(names) == [
            "regional.Return::eu",
            "regional.Return::us",
            "regional.Sale::eu",
            "regional.Sale::us",
            "regional.Sale::us",
        ]
