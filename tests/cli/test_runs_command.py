"""`terapi runs` and `terapi run --detach`: what was run, how it ended, and what happened on the way."""

from __future__ import annotations

import json

import pytest

from tests.api import Api, Reply
from tests.cli.stuck import Stuck
from tests.cli.terapi import Terapi

ROWS = [{"id": "1", "at": "2026-01-01T00:00:00Z", "name": "a"}]


def shown(terapi: Terapi, *args: str) -> list[dict[str, object]]:
    found = json.loads(terapi("runs", "list", *args, "--json"))
    assert isinstance(found, list)
    return found


@pytest.fixture
def ran(connected: Terapi, api: Api) -> Terapi:
    """A sync that went well, and a workflow that failed."""
    api.on("/orders", Reply({"orders": ROWS}))
    connected("sync", "orders")
    connected("run", "place-order", "--input", "name=forbidden", code=1)
    return connected


def test_runs_are_listed_the_newest_first(ran: Terapi) -> None:
    found = shown(ran)
    assert [(one["kind"], one["name"], one["connection"], one["status"]) for one in found] == [
        ("workflow", "place-order", "demo", "failed"),
        ("sync", "orders", "demo", "success"),
    ]
    head, first, second = ran("runs", "list").splitlines()
    assert head.split() == ["run", "kind", "name", "connection", "status", "began", "took"]
    assert first.startswith(f"{str(found[0]['run'])[:8]}  workflow  place-order  demo        failed")
    assert second.split()[-1] == "s"


def test_runs_are_listed_by_what_they_are_and_by_the_page(ran: Terapi) -> None:
    assert [one["name"] for one in shown(ran, "--kind", "sync")] == ["orders"]
    assert [one["name"] for one in shown(ran, "--status", "failed")] == ["place-order"]
    assert [one["name"] for one in shown(ran, "--name", "orders", "--connection", "demo")] == ["orders"]
    assert [one["name"] for one in shown(ran, "--limit", "1", "--page", "2")] == ["orders"]
    assert ran.err == ""
    assert [one["name"] for one in shown(ran, "--limit", "1")] == ["place-order"]
    assert ran.err == "there are more: --page 2\n"
    assert ran("runs", "list", "--status", "lost") == "no runs\n"


def test_a_run_is_shown_by_the_beginning_of_its_id(ran: Terapi) -> None:
    failed, synced = shown(ran)
    found = ran.json("runs", "show", str(synced["run"])[:12].upper())
    assert (found["name"], found["status"], found["input"], found["error"]) == (
        "orders",
        "success",
        None,
        None,
    )
    assert isinstance(found["output"], dict)
    assert found["output"]["added"] == 1
    told = ran("runs", "show", str(failed["run"])[:12])
    assert told.splitlines()[0] == "workflow place-order, shop connection `demo`"
    assert "  ✗ #1 (fail)\n" in told
    assert "failed: forbidden is not allowed\n  at workflows/place-order.yaml:9:5\n" in told
    assert ran.json("runs", "show", str(failed["run"]))["input"] == {"name": "forbidden", "notes": []}


def test_an_id_that_fits_none_or_several_is_told(ran: Terapi) -> None:
    ran("runs", "show", "zz", code=2)
    assert "there is no run `zz`\n  next: terapi runs list" in ran.err
    ran("runs", "show", "", code=2)
    assert "several runs begin with ``\n  next: write more of it: " in ran.err
    assert "(orders)" in ran.err


def test_the_log_of_a_run_is_told(ran: Terapi) -> None:
    failed, synced = (str(one["run"]) for one in shown(ran))
    lines = [json.loads(line) for line in ran("runs", "logs", synced, "--json").splitlines()]
    assert [(line["level"], line["message"]) for line in lines][1:] == [
        ("info", "page 1: 1 read, 1 added, 0 updated, 0 deleted, 0 unchanged")
    ]
    assert list(lines[0]) == ["at", "level", "message", "data"]
    told = [line.split("  ", 1)[1] for line in ran("runs", "logs", failed).splitlines()]
    assert told == ["info     fail begins", "info     fail: failed", "error    forbidden is not allowed"]


def test_a_detached_run_goes_on_by_itself(connected: Terapi, api: Api) -> None:
    stuck = Stuck(api)
    id = connected("run", "place-order", "--input", "name=tea", "--detach").strip()
    assert connected.err == f"see how it gets on: terapi runs logs {id[:8]} --follow\n"
    assert stuck.asked.wait(30)
    assert connected.json("runs", "show", id[:8])["status"] == "running"
    follower = connected.start("runs", "logs", id, "--follow")
    assert follower.stdout is not None
    assert next(line for line in follower.stdout if "use create_order" in line).endswith(
        "order (use create_order) begins\n"
    )
    stuck.go_on.set()
    rest, _ = follower.communicate(timeout=30)
    assert "order (use create_order): success\n" in rest
    found = connected.json("runs", "show", id)
    assert (found["status"], found["output"]) == ("success", {"id": "9", "notes": []})


def test_a_detached_run_is_told_in_json(connected: Terapi, api: Api) -> None:
    stuck = Stuck(api)
    found = connected.json("run", "place-order", "--input", "name=tea", "--detach")
    stuck.go_on.set()
    connected("runs", "logs", str(found["run"]), "--follow")
    assert {**found, "run": "…"} == {
        "run": "…",
        "workflow": "place-order",
        "status": "running",
        "output": None,
        "error": None,
        "steps": [],
    }
    assert connected.json("runs", "show", str(found["run"]))["status"] == "success"


@pytest.mark.parametrize(
    ("args", "code", "sentence"),
    [
        (["place-ordr"], 2, "there is no workflow `place-ordr`\n  next: did you mean `place-order`?"),
        (["place-order"], 2, "`input` of `place-order`: `name` is missing"),
        (["place-order", "--connection", "nobody"], 4, "there is no connection `nobody`"),
        (["place-order", "--input", "name=tea", "--dry-run"], 2, "--dry-run and --detach do not go together"),
    ],
)
def test_a_run_that_cannot_begin_is_told_at_once(
    connected: Terapi, args: list[str], code: int, sentence: str
) -> None:
    assert connected("run", *args, "--detach", code=code) == ""
    assert sentence in connected.err
    assert shown(connected) == []


IMPORT = """
version: 1
workflow: import-orders
integrations: [shop]
steps:
  - foreach: {file: orders.csv, batch: 2}
    request: {method: POST, path: /batch, json: "{{ item }}"}
    rejected: {of: result, when: outcome.error, why: outcome.error}
"""


def test_rows_that_the_api_refused_are_written_to_be_run_again(connected: Terapi, api: Api) -> None:
    (connected.folder / "workflows" / "import-orders.yaml").write_text(IMPORT)
    (connected.folder / "orders.csv").write_text('name,note\ntea,\ncoffee,"black, hot"\nmilk,\n')
    api.on("/batch", [Reply([{}, {"error": "too hot"}]), Reply([{}])])
    found = connected.json("run", "import-orders")
    assert (found["status"], found["rejected"]) == ("success", 1)
    id = str(found["run"])
    assert json.loads(connected("runs", "rejected", id, "--json")) == [
        {"step": "#1[0]", "number": 2, "why": "too hot", "name": "coffee", "note": "black, hot"}
    ]
    connected("runs", "rejected", id, "-o", str(connected.folder / "rest.csv"))
    assert (connected.folder / "rest.csv").read_text().splitlines() == ["name,note", 'coffee,"black, hot"']
    api.on("/batch", Reply([{"error": "x"}]))
    (connected.folder / "orders.csv").write_text((connected.folder / "rest.csv").read_text())
    connected("run", "import-orders")
    assert "the API refused 1 row: terapi runs rejected " in connected.err
