"""`terapi sync`, `audit` and completion where one definition stands for many syncs."""

from __future__ import annotations

import json
import signal
import threading

import pytest

from tests.api import Api, Reply, Seen
from tests.cli.terapi import Terapi
from tests.cli.test_cli_docs import complete
from tests.conftest import ORDERS, PROVIDERS

REGIONS = """
    region_orders:
      params: {region: {type: string}, since: {type: string, required: false}}
      request: {path: "/orders/{{ region }}", query: {since: "{{ since }}"}}
      records: response.body.orders
    list_regions:
      request: {path: /regions}
      output: response.body.regions
"""
APART = (
    ORDERS.replace("list_orders", "region_orders").replace(
        'since: "{{ slice.from }}", until: "{{ slice.to }}"',
        'region: "{{ variant }}", since: "{{ slice.from }}"',
    )
    + "matrix: {variant: {use: list_regions}}\n"
    + "audit: {use: region_orders, with: {region: '{{ variant }}'}, id: record.id}\n"
)
MODELS = (
    APART.replace("{{ variant }}", "{{ matrix.region }}")
    .replace("variant:", "region:")
    .replace("model: Order", 'model: "{{ matrix.region | upper }}Order"')
)


@pytest.fixture
def regions(connected: Terapi, api: Api) -> Terapi:
    """Three regions, of which one fails."""
    (connected.folder / "providers.yaml").write_text(PROVIDERS + REGIONS)
    (connected.folder / "syncs/orders.yaml").write_text(APART)
    api.on("/regions", Reply({"regions": ["eu", "us", "as"]}))
    for region, amount in (("eu", 2), ("as", 1)):
        rows = [{"id": str(n), "at": f"2026-01-0{n}T00:00:00Z", "name": region} for n in range(1, amount + 1)]
        api.on(f"/orders/{region}", Reply({"orders": rows}))
    api.on("/orders/us", Reply({"code": "closed"}, 403))
    return connected


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def by_sync(text: str) -> dict[object, tuple[object, object, object]]:
    return {one["sync"]: (one["model"], one["variant"], one["status"]) for one in lines(text)}


def test_one_that_fails_is_named_and_the_others_run(regions: Terapi) -> None:
    told = regions("sync", "orders", "--json", code=1)
    assert by_sync(told) == {
        "orders::eu": ("Order", "eu", "success"),
        "orders::us": ("Order", "us", "failed"),
        "orders::as": ("Order", "as", "success"),
    }
    assert "orders::us: failed\nerror: " in regions.err
    assert regions.err.endswith("orders: 1 of 3 failed: orders::us\n")
    named = [row["name"] for row in json.loads(regions("records", "Order", "--variant", "eu", "--json"))]
    assert named == ["eu", "eu"]
    regions("records", "Order", code=2)
    assert "next: name one with --variant: as, eu" in regions.err
    runs = json.loads(regions("runs", "list", "--json"))
    assert sorted((run["name"], run["status"]) for run in runs) == [
        ("orders::as", "success"),
        ("orders::eu", "success"),
        ("orders::us", "failed"),
    ]


def test_one_of_them_runs_by_its_name(regions: Terapi) -> None:
    out = regions("sync", "orders::eu")
    assert out.startswith("orders::eu: 2 added, 0 updated, 0 deleted, 0 unchanged (")
    assert regions.err == ""
    regions("sync", "orders::ue", code=2)
    assert regions.err == (
        "orders: failed\nerror: `orders` has no `orders::ue`\n  at syncs/orders.yaml:2:1\n"
        "  next: did you mean `orders::eu`?\n"
    )
    (told,) = lines(regions("sync", "orders::ue", "--json", code=2))
    assert (told["sync"], told["status"]) == ("orders::ue", "failed")
    regions("sync", "ordres::eu", code=2)
    assert "there is no sync `ordres`\n  next: did you mean `orders`?" in regions.err


def test_each_may_have_a_model_of_its_own(regions: Terapi) -> None:
    (regions.folder / "syncs/orders.yaml").write_text(MODELS)
    told = by_sync(regions("sync", "--json", code=1))
    assert told["orders.eu"] == ("EUOrder", "base", "success")
    assert told["orders.us"] == ("USOrder", "base", "failed")
    assert len(json.loads(regions("records", "ASOrder", "--json"))) == 1


def test_what_is_gone_is_told_once_and_nothing_is_no_error(regions: Terapi, api: Api) -> None:
    regions("sync", "orders", code=1)
    api.on("/regions", Reply({"regions": []}))
    assert regions("sync", "orders") == ""
    assert regions.err == (
        "orders: orders::as is there no more; what it stored stays\n"
        "orders: orders::eu is there no more; what it stored stays\n"
        "orders: orders::us is there no more; what it stored stays\n"
        "orders: its matrix has no values, so there is nothing to do\n"
    )
    regions("sync", "orders")
    assert "no more" not in regions.err
    assert len(json.loads(regions("records", "Order", "--variant", "eu", "--json"))) == 2


def test_a_matrix_that_cannot_be_told_fails_as_one(regions: Terapi, api: Api) -> None:
    api.on("/regions", Reply({"error": "no"}, 403))
    (told,) = lines(regions("sync", "orders", "--json", code=1))
    assert (told["sync"], told["status"], told["read"]) == ("orders", "failed", 0)
    (run,) = json.loads(regions("runs", "list", "--json"))
    assert (run["name"], run["status"]) == ("orders", "failed")


def test_a_dry_run_shows_each_and_keeps_nothing(regions: Terapi) -> None:
    told = regions("sync", "orders", "--dry-run", code=1).splitlines()
    assert [line for line in told if not line.startswith(" ")] == [
        "orders::eu: 2 added, 0 updated, 0 deleted, 0 unchanged on the first page of a dry run",
        "orders::as: 1 added, 0 updated, 0 deleted, 0 unchanged on the first page of a dry run",
    ]
    assert json.loads(regions("runs", "list", "--json")) == []


def test_each_is_audited(regions: Terapi, api: Api) -> None:
    regions("sync", "orders", code=1)
    told = lines(regions("audit", "orders", "--json", code=1))
    assert [(one["sync"], one["variant"], one["status"]) for one in told] == [
        ("orders::eu", "eu", "equal"),
        ("orders::us", "us", "failed"),
        ("orders::as", "as", "equal"),
    ]
    assert regions.err.startswith("orders::us: failed\nerror: ")
    api.on("/orders/as", Reply({"orders": []}))
    out = regions("audit", "orders::as", code=1)
    assert out.startswith("orders::as: different; 0 at the source, 1 stored")
    assert out.endswith("  next: terapi audit orders::as --connection demo --repair\n")


def test_a_plan_tells_of_each_that_has_run(regions: Terapi) -> None:
    regions("sync", "orders", code=1)
    told = {one["sync"]: one["status"] for one in json.loads(regions("plan", "--json"))}
    assert told == {"orders::eu": "unchanged", "orders::us": "unchanged", "orders::as": "unchanged"}
    (regions.folder / "syncs/orders.yaml").write_text(MODELS)
    regions("sync", "orders.eu")
    told = {one["sync"]: (one["status"], one["model"]) for one in json.loads(regions("plan", "--json"))}
    assert told["orders.eu"] == ("unchanged", "EUOrder")


def test_the_shell_offers_what_the_files_say_and_what_has_run(regions: Terapi) -> None:
    fixed = APART.replace("sync: orders", "sync: carts").replace(
        "{variant: {use: list_regions}}", "{kind: [a, b]}"
    )
    (regions.folder / "syncs/carts.yaml").write_text(fixed)
    assert complete(regions, "terapi sync ") == ["carts", "carts.a", "carts.b", "orders"]
    regions("sync", "orders::eu")
    assert complete(regions, "terapi audit orders") == ["orders", "orders::eu"]


def test_a_watch_looks_at_the_values_each_time(regions: Terapi, api: Api) -> None:
    (regions.folder / "syncs/orders.yaml").write_text(APART + "schedule: every second\n")
    api.on("/regions", [Reply({"regions": ["eu"]}), Reply({"regions": ["as"]})])
    process = regions.start("sync", "--watch", "--json")
    assert process.stdout is not None
    told = [json.loads(process.stdout.readline()) for _ in range(3)]
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert [one["sync"] for one in told] == ["orders::eu", "orders::as", "orders::as"]
    assert err.count("orders: orders::eu is there no more; what it stored stays\n") == 1


def test_they_run_side_by_side(regions: Terapi, api: Api) -> None:
    """Each answer comes when all are asked: with one after the other, none would."""
    together = threading.Barrier(3, timeout=20)

    def orders(seen: Seen) -> Reply:
        together.wait()
        return Reply({"orders": []})

    for region in ("eu", "us", "as"):
        api.on(f"/orders/{region}", orders)
    assert len(lines(regions("sync", "orders", "--json"))) == 3
