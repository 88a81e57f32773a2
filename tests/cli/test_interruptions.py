"""Runs that end badly: interrupted or killed in the middle of their work, as real processes."""

from __future__ import annotations

import json
import signal
import subprocess

import pytest

from runner.store import Run, SyncKey, open_store
from tests.api import Api
from tests.cli.stuck import Stuck
from tests.cli.terapi import Terapi

ENDINGS = {
    "cancelled": "cancelled: it was interrupted\n",
    "lost": "lost: its process was killed, or could not write how it ended\n  next: run it again; ",
}
KEY = SyncKey(integration="shop", connection="demo", sync="orders", model="Order")


@pytest.fixture
def stuck(api: Api) -> Stuck:
    return Stuck(api)


def ended(process: subprocess.Popen[str], stuck: Stuck, number: signal.Signals) -> tuple[str, str]:
    """Sends a signal in the middle of the work; gives what the process then said."""
    assert stuck.asked.wait(30)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    stuck.go_on.set()
    assert "Traceback" not in err
    return out, err


def newest(terapi: Terapi) -> Run:
    with open_store(f"sqlite:///{terapi.folder}/.terapi/terapi.db") as store:
        return store.runs.newest()[0]


@pytest.mark.parametrize(
    ("number", "code", "status"),
    [
        (signal.SIGINT, 130, "cancelled"),
        (signal.SIGTERM, 143, "cancelled"),
        (signal.SIGHUP, 129, "cancelled"),
        (signal.SIGKILL, -9, "lost"),
    ],
)
def test_a_sync_that_is_ended_keeps_its_pages_and_the_next_run_goes_on(
    connected: Terapi, stuck: Stuck, number: signal.Signals, code: int, status: str
) -> None:
    process = connected.start("sync", "orders", "--json")
    out, err = ended(process, stuck, number)
    assert process.returncode == code, (out, err)
    (run,) = json.loads(connected("runs", "list", "--json"))
    assert (run["status"], run["finished_at"] is not None) == (status, True)
    with open_store(f"sqlite:///{connected.folder}/.terapi/terapi.db") as store:
        state = store.states.get(KEY)
        assert (state.checkpoint, state.progress is not None) == (None, True)
        kept = len(store.records.stream("shop", "demo", "Order").read())
    # The third page was asked for while the second was being stored.
    assert kept in (2, 4)
    if status == "cancelled":
        told = json.loads(out)
        assert (told["status"], told["read"], told["checkpoint"]) == ("cancelled", kept, None)
        assert f"orders: stopped after {kept} records, which are kept: the next run goes on there\n" in err
    result = connected.json("sync", "orders")
    # It ends the window that was cut, and then reads what has changed meanwhile.
    assert (result["added"], result["unchanged"], result["read"]) == (6 - kept, 6, 12 - kept)
    assert result["checkpoint"] == "2026-01-03T00:00:00.000Z"
    assert stuck.starts == [1, 2, 3, *([3] if kept == 4 else [2, 3]), 1, 2, 3]
    assert ENDINGS[status] in connected("runs", "show", run["run"][:12])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_workflow_that_is_ended_keeps_how_far_it_came(
    connected: Terapi, stuck: Stuck, number: signal.Signals, code: int
) -> None:
    process = connected.start("run", "place-order", "--input", "name=tea")
    _, err = ended(process, stuck, number)
    assert (process.returncode, err.strip()) == (code, "stopped")
    run = newest(connected)
    assert run.status == "cancelled"
    assert [(step["id"], step["status"]) for step in run.steps or []] == [
        (None, "skipped"),
        ("words", "success"),
        ("order", "cancelled"),
    ]


def test_a_login_that_is_waited_for_can_be_ended(terapi: Terapi, api: Api) -> None:
    place = ["--config", f"url={api.url}", "--allow-local", "--no-browser", "--callback-port", "0"]
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        process = terapi.start("connect", "shop", *place)
        assert process.stderr is not None
        next(line for line in process.stderr if "/authorize?" in line)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
        assert (process.returncode, err.strip()) == (code, "stopped")


def test_a_sync_is_running_until_its_success_is_written(connected: Terapi, stuck: Stuck) -> None:
    process = connected.start("sync", "orders", "--json")
    assert stuck.asked.wait(30)
    connected("sync", "orders", code=2)
    assert "`orders` is running already for `demo`" in connected.err
    stuck.go_on.set()
    out, _ = process.communicate(timeout=30)
    assert json.loads(out)["status"] == "success"
