"""`terapi sync` as a person and a script see it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading

from tests.api import Api, Reply, Seen
from tests.cli.terapi import Terapi
from tests.cli.terminal import Terminal
from tests.conftest import ORDERS

ROWS = [{"id": str(n), "at": f"2026-01-0{n}T00:00:00Z", "name": f"order {n}"} for n in range(1, 5)]

EXPORT = """
    export:
      params: {since: {type: string}, until: {type: string}}
      job:
        submit: {request: {method: POST, path: /jobs, json: {since: "{{ since }}", until: "{{ until }}"}}, id: response.body.id}
        poll:
          request: {path: "/jobs/{{ job.id }}"}
          done: response.body.done
          progress: response.body.count
          every: {initial: 50ms, max: 100ms}
        results: {request: {path: "/jobs/{{ job.id }}/rows"}, records: response.body.orders}
"""


def another(terapi: Terapi, name: str, text: str = ORDERS) -> None:
    (terapi.folder / f"syncs/{name}.yaml").write_text(text.replace("sync: orders", f"sync: {name}"))


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_all_that_fit_run_and_one_that_fails_does_not_stop_the_rest(connected: Terapi, api: Api) -> None:
    another(
        connected,
        "broken",
        ORDERS.replace("use: list_orders", "use: gone_orders").replace(', until: "{{ slice.to }}"', ""),
    )
    api.on("/orders", Reply({"orders": ROWS}))
    api.on("/gone", Reply({"error": "no"}, 403))
    told = lines(connected("sync", "--json", code=1))
    assert [(one["sync"], one["status"], one["read"]) for one in told] == [
        ("broken", "failed", 0),
        ("orders", "success", 4),
    ]
    error = told[0]["error"]
    assert isinstance(error, dict)
    assert (error["kind"], error["status"]) == ("forbidden", 403)
    assert "broken: failed\nerror: " in connected.err


def test_a_run_that_fails_on_its_way_says_what_is_kept(connected: Terapi, api: Api) -> None:
    api.on("/orders", [Reply({"orders": ROWS, "next": "/orders?start=4"}), Reply({}, 400)])
    connected("sync", "orders", code=1)
    assert "orders: failed after 4 records, which are kept\nerror: " in connected.err


def test_each_connection_is_named_where_there_are_several(connected: Terapi, api: Api) -> None:
    tokens = json.dumps({"access_token": "access-token-1"})
    place = ["--config", f"url={api.url}", "--allow-local", "--credentials-stdin"]
    connected("connect", "shop", "--connection", "other", *place, stdin=tokens)
    api.on("/orders", Reply({"orders": ROWS}))
    told = connected("sync").splitlines()
    assert [line.split(": ")[0] for line in told] == ["orders (demo)", "orders (other)"]
    connected("sync", "orders", code=2)
    assert "next: name one with --connection: demo (shop), other (shop)" in connected.err


def test_a_dry_run_shows_what_would_be_stored(connected: Terapi, api: Api) -> None:
    api.on("/orders", Reply({"orders": ROWS, "next": "/orders?start=4"}))
    told = connected("sync", "orders", "--dry-run").splitlines()
    assert told == [
        "orders: 4 added, 0 updated, 0 deleted, 0 unchanged on the first page of a dry run; more pages follow",
        '  added     {"id":"1","name":"order 1"}',
        '  added     {"id":"2","name":"order 2"}',
    ]
    found = connected.json("sync", "orders", "--dry-run")
    assert (found["status"], found["added"], found["more"]) == ("dry-run", 4, True)
    assert found["samples"] == [
        {"change": "added", "id": n, "record": {"id": n, "name": f"order {n}"}} for n in "12"
    ]
    connected("records", "Order", code=2)
    assert json.loads(connected("runs", "list", "--json")) == []


def test_a_dry_run_is_not_watched(connected: Terapi) -> None:
    connected("sync", "--dry-run", "--watch", code=2)
    assert "--dry-run and --watch do not go together" in connected.err


def test_params_that_do_not_fit_are_told_with_the_way_to_set_them(connected: Terapi, api: Api) -> None:
    another(connected, "orders", ORDERS + "params: {size: {type: integer, default: 5}}\n")
    api.on("/orders", Reply({"orders": ROWS}))
    connected("connections", "set", "demo", "--metadata", 'params={"size": "many"}')
    connected("sync", "orders", code=2)
    assert (
        "error: the params of the connection `demo` do not fit `orders`: `size` must be integer, found the text 'many'\n"
        "  next: terapi connections set demo --metadata 'params={\"size\": 5}'" in connected.err
    )
    connected("connections", "set", "demo", "--metadata", 'params={"size": 5}')
    assert connected.json("sync", "orders")["status"] == "success"


def test_a_watch_goes_on_after_a_failure_until_ctrl_c(connected: Terapi, api: Api) -> None:
    another(connected, "orders", ORDERS + "schedule: every second\n")
    api.on("/orders", [Reply({"error": "no"}, 403), Reply({"orders": ROWS})])
    process = connected.start("sync", "--watch", "--json")
    assert process.stdout is not None
    told = [json.loads(process.stdout.readline()) for _ in range(3)]
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert [one["status"] for one in told] == ["failed", "success", "success"]
    assert [one["added"] for one in told] == [0, 4, 0]
    assert err.startswith("watching 1 sync; ctrl-C ends it\n")
    assert "orders: failed\nerror: " in err
    assert (process.returncode, err.splitlines()[-1]) == (130, "stopped")
    statuses = [run["status"] for run in json.loads(connected("runs", "list", "--json"))]
    assert statuses[-3:] == ["success", "success", "failed"]


def test_a_watch_reads_everything_in_its_first_turn_alone(connected: Terapi, api: Api) -> None:
    another(connected, "orders", ORDERS + "schedule: every second\n")
    api.on("/orders", Reply({"orders": ROWS}))
    connected("sync")
    process = connected.start("sync", "--watch", "--full", "--json")
    assert process.stdout is not None
    for _ in range(2):
        process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 143
    asked = [seen.query["since"] for seen in api.seen if seen.path == "/orders"]
    assert asked[:3] == [
        "1970-01-01T00:00:00.000Z",
        "1970-01-01T00:00:00.000Z",
        "2026-01-03T23:59:00.000Z",
    ]


def test_a_bar_shows_what_takes_over_a_second_on_a_terminal_and_nowhere_else(
    connected: Terapi, api: Api
) -> None:
    """Two runs wait for their second page, which comes when one of them has shown its bar."""
    another(connected, "silent", ORDERS.replace("model: Order", "model: Silent"))
    waits, seen_bar = threading.Semaphore(0), threading.Event()

    def orders(seen: Seen) -> Reply:
        if seen.query.get("start") == "2":
            waits.release()
            assert seen_bar.wait(30)
            return Reply({"orders": ROWS[2:]})
        return Reply({"orders": ROWS[:2], "next": "/orders?start=2"})

    api.on("/orders", orders)
    silent = connected.start("sync", "silent", "--json")
    assert waits.acquire(timeout=30)
    terminal = Terminal()
    process = on_terminal(connected, terminal)
    terminal.until("2 records")
    assert "orders" in terminal.shown
    assert "/s" in terminal.shown
    seen_bar.set()
    out, _ = process.communicate(timeout=30)
    terminal.close()
    assert json.loads(out)["read"] == 4
    out, err = silent.communicate(timeout=30)
    assert (json.loads(out)["read"], err) == (4, "")


def on_terminal(connected: Terapi, terminal: Terminal) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "runner.cli", "-C", str(connected.folder), "sync", "orders", "--json"]
    environ = {**connected.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=terminal.theirs, text=True, env=environ)


def test_each_slice_that_is_read_has_a_bar_below(connected: Terapi, api: Api) -> None:
    """The first slice's second page comes when its bar was shown."""
    slices = "lookback: 1m, start: 2026-01-01T00:00:00Z, slices: {by: 30d}"
    another(connected, "orders", ORDERS.replace("lookback: 1m", slices))
    seen_bar = threading.Event()

    def orders(seen: Seen) -> Reply:
        if seen.query.get("start") == "2":
            assert seen_bar.wait(30)
            return Reply({"orders": ROWS[2:], "total": 4})
        if not seen.query["since"].startswith("2026-01-01"):
            return Reply({"orders": []})
        return Reply({"orders": ROWS[:2], "next": "/orders?start=2", "total": 4})

    api.on("/orders", orders)
    terminal = Terminal()
    process = on_terminal(connected, terminal)
    terminal.until("2/4 records")
    assert re.search(r"  1/\d+ 2026-01-01 ", terminal.shown)
    seen_bar.set()
    out, _ = process.communicate(timeout=30)
    terminal.close()
    assert json.loads(out)["read"] == 4


def test_a_job_that_is_waited_for_shows_its_own_count(connected: Terapi, api: Api) -> None:
    providers = connected.folder / "providers.yaml"
    providers.write_text(f"{providers.read_text().rstrip()}{EXPORT}")
    another(connected, "orders", ORDERS.replace("use: list_orders", "use: export"))
    seen_bar = threading.Event()
    api.on("/jobs", Reply({"id": 7}))
    api.on("/jobs/7", lambda seen: Reply({"done": seen_bar.is_set(), "count": 4_321}))
    api.on("/jobs/7/rows", Reply({"orders": ROWS}))
    terminal = Terminal()
    process = on_terminal(connected, terminal)
    terminal.until("waits for its job")
    terminal.until("4,321 records")
    seen_bar.set()
    out, _ = process.communicate(timeout=30)
    terminal.close()
    assert json.loads(out)["read"] == 4


def test_records_that_do_not_fit_are_told_and_listed(connected: Terapi, api: Api) -> None:
    another(connected, "orders", ORDERS + "on_bad_record: skip\n")
    api.on("/orders", Reply({"orders": [*ROWS, {**ROWS[0], "id": "9", "total": "much"}]}))
    out = connected("sync", "orders", "--dry-run")
    assert out.splitlines()[-2:] == [
        "1 record does not fit, such as:",
        "  record 5 of page 1 (`9`): `total`: the text 'much' is no number; skipped",
    ]
    connected("sync", "orders")
    said = connected.err
    run = json.loads(connected("runs", "list", "--json"))[0]["run"]
    assert said == f"orders: 1 record does not fit: terapi runs show {run[:8]}\n"
    shown = connected("runs", "show", run[:8]).splitlines()
    assert shown[-3:-1] == [
        "records that do not fit:",
        "  record 5 of page 1 (`9`): `total`: the text 'much' is no number; skipped",
    ]
    (listed,) = connected.json("runs", "show", run)["bad_records"]  # type: ignore[misc]
    assert (listed["id"], listed["kept"]) == ("9", False)


OF_PARENTS = ORDERS.replace("fetch: {use: list_orders, with: {since: \"{{ slice.from }}\"", (
    "foreach: {items: [eu, us]}\nfetch: {use: list_orders, with: {since: \"{{ item }} {{ slice.from }}\""
))  # fmt: skip


def test_a_sync_of_parents_says_how_many_it_read(connected: Terapi, api: Api) -> None:
    another(connected, "orders", OF_PARENTS)
    api.on(
        "/orders",
        lambda seen: Reply({"orders": ROWS[:2] if seen.query["since"].startswith("eu") else ROWS[2:]}),
    )
    shown = connected("sync", "orders", "--dry-run").splitlines()
    assert shown[0] == (
        "orders: 2 added, 0 updated, 0 deleted, 0 unchanged on the first page of the parent `eu` of a dry run"
    )
    assert connected("sync", "orders").startswith(
        "orders: 4 added, 0 updated, 0 deleted, 0 unchanged, 2 of 2 parents ("
    )
    told = connected.json("sync", "orders")
    assert (told["parents"], told["of_parents"], told["checkpoint"]) == (2, 2, None)


def test_a_parent_that_cannot_be_read_is_named(connected: Terapi, api: Api) -> None:
    another(connected, "orders", OF_PARENTS)
    api.on(
        "/orders",
        lambda seen: Reply({}, 404) if seen.query["since"].startswith("us") else Reply({"orders": []}),
    )
    connected("sync", "orders", code=1)
    assert "orders: failed\nerror: parent `us`: " in connected.err
