"""`terapi schedule`: what is due when, for whom; paused, and resumed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.store import Connection, Store
from tests.cli.terapi import Terapi

PUSH = """
version: 1
workflow: push
integrations: [shop]
on: {records: {model: Order}, schedule: every 3 weeks}
steps: [{set: {x: 1}}]
"""


@pytest.fixture
def terapi(folder: Path, connection: Connection) -> Terapi:
    orders = folder / "syncs" / "orders.yaml"
    orders.write_text(f"{orders.read_text()}schedule: '*/5 * * * *'\n")
    (folder / "workflows" / "push.yaml").write_text(PUSH)
    return Terapi(folder)


def test_it_lists_what_starts_by_itself(terapi: Terapi, store: Store) -> None:
    lines = [line.split() for line in terapi("schedule", "list").splitlines()]
    assert [line[:4] for line in lines] == [
        ["name", "kind", "connection", "on"],
        ["orders", "sync", "demo", "*/5"],
        ["push", "workflow", "demo", "every"],
        ["push", "workflow", "demo", "records"],
    ]
    assert lines[3][-4:] == ["at", "the", "next", "change"]
    assert terapi.err == "no worker runs, so that none of it starts: terapi worker, or terapi serve\n"
    with store.lock("worker"):
        found = json.loads(terapi("schedule", "list", "--connection", "demo", "--json"))
    assert [(one["name"], one["kind"], one["on"], one["what"]) for one in found] == [
        ("orders", "sync", "schedule", "*/5 * * * *"),
        ("push", "workflow", "schedule", "every 3 weeks"),
        ("push", "workflow", "records", "Order"),
    ]
    assert [one["behind"] for one in found] == [None, None, 0]
    assert found[1]["due_at"] > found[0]["due_at"]
    assert terapi("schedule", "list", "--connection", "other") == "nothing starts by itself\n"


def test_paused_it_is_due_at_no_time_and_changes_wait(terapi: Terapi, store: Store) -> None:
    paused = terapi("schedule", "pause", "push").splitlines()
    assert paused == ["paused: push (schedule) of demo", "paused: push (records) of demo"]
    assert terapi("schedule", "pause", "push", "--connection", "demo") == "paused already: push\n"
    store.records.stream("shop", "demo", "Order").write([("1", b"{}")], 1.0)
    found = json.loads(terapi("schedule", "list", "--json"))
    assert [(one["name"], one["due_at"], one["behind"], one["paused"]) for one in found[1:]] == [
        ("push", None, 1, True),
        ("push", None, None, True),
    ]
    assert "paused, 1 changes behind" not in terapi("schedule", "list")
    assert "paused, 1 change behind" in terapi("schedule", "list")
    assert json.loads(terapi("schedule", "resume", "push", "--json")) == [
        {"name": "push", "integration": "shop", "connection": "demo"},
        {"name": "push", "integration": "shop", "connection": "demo"},
    ]
    assert terapi("schedule", "resume", "push") == "resumed already: push\n"


@pytest.mark.parametrize(("args", "message", "hint"), [
    (["pusj"], "there is no sync or workflow `pusj`", "did you mean `push`?"),
    (["push", "--connection", "x"], "`push` is not started for `x`", "it is for: demo"),
    (["idle"], "nothing starts `idle` by itself", "give it a `schedule`, or `on`, and a connection: terapi explain workflow.on"),
])  # fmt: skip
def test_what_cannot_be_paused_is_told(terapi: Terapi, args: list[str], message: str, hint: str) -> None:
    idle = PUSH.replace("workflow: push", "workflow: idle").replace(
        "on: {records: {model: Order}, schedule: every 3 weeks}\n", ""
    )
    (terapi.folder / "workflows" / "idle.yaml").write_text(idle)
    terapi("schedule", "pause", *args, code=2)
    assert terapi.err == f"error: {message}\n  next: {hint}\n"
