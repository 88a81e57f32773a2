"""Syncs and workflows over HTTP: what is asked for runs, and what fails is told."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import pytest

from runner.definitions.project import Project
from runner.store import Connection
from tests.api import Api, Reply, Seen
from tests.server.conftest import ENVIRON, PLACE_HEADERS
from tests.server.served import Served, serving

ORDERS = {"orders": [{"id": "1", "at": "2026-01-01T00:00:00Z", "name": "tea"}]}


def trigger(served: Served, **body: object) -> tuple[int, object]:
    found = served("POST", "/sync/trigger", json={"provider_config_key": "shop", **body})
    return found.status_code, found.json()


def count(served: Served) -> dict[str, int]:
    return served.store.records.stream("shop", "demo", "Order").count()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"syncs": []},
        {"syncs": ["orders"]},
        {"syncs": ["orders::base"]},
        {"syncs": [{"name": "orders", "variant": "base"}], "connection_id": "demo"},
        {"syncs": ["orders"], "opts": {}},
        {"syncs": ["orders"], "sync_mode": "incremental"},
    ],
)
def test_a_sync_that_is_asked_for_runs(served: Served, api: Api, body: dict[str, object]) -> None:
    api.on("/orders", Reply(ORDERS))
    assert trigger(served, **body) == (200, {"success": True})
    served.log.wait("orders of demo: 1 added, 0 updated, 0 deleted")
    assert count(served)["added"] == 1


@pytest.mark.parametrize(
    ("body", "added", "since"),
    [
        ({"opts": {}}, 1, "2025-12-31T23:59:00.000Z"),
        ({"opts": {"reset": True}}, 1, "1970-01-01T00:00:00.000Z"),
        ({"sync_mode": "full_refresh"}, 1, "1970-01-01T00:00:00.000Z"),
        ({"sync_mode": "full_refresh_and_clear_cache"}, 2, "1970-01-01T00:00:00.000Z"),
        ({"opts": {"reset": True, "emptyCache": True}}, 2, "1970-01-01T00:00:00.000Z"),
    ],
)
def test_how_much_is_read_again_can_be_said(
    served: Served, api: Api, body: dict[str, object], added: int, since: str
) -> None:
    api.on("/orders", Reply(ORDERS))
    trigger(served)
    served.log.wait("orders of demo: ")
    trigger(served, **body)
    served.log.wait("orders of demo: ", 2)
    assert [seen.query["since"] for seen in api.seen if seen.path == "/orders"][-1] == since
    [record] = served.store.records.stream("shop", "demo", "Order").read()
    assert (record.cursor, record.state) == (added, "added")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"provider_config_key": "nope"}, (400, "unknown_provider_config")),
        ({"syncs": ["nothing"]}, (400, "no_syncs_found")),
        ({"syncs": ["orders", "nothing"]}, (400, "no_syncs_found")),
        ({"syncs": ["orders::other"]}, (400, "no_syncs_found")),
        ({"connection_id": "nobody"}, (404, "unknown_connection")),
        ({"opts": {"reset": True}, "sync_mode": "incremental"}, (400, "invalid_body")),
        ({"sync_mode": "everything"}, (400, "invalid_body")),
    ],
)
def test_what_cannot_run_is_refused(
    served: Served, body: dict[str, object], expected: tuple[int, str]
) -> None:
    given = {"provider_config_key": "shop", **body}
    assert served.refusal("POST", "/sync/trigger", json=given) == expected
    assert served.store.sync_requests.all() == []


def test_a_sync_that_fails_is_told_and_seen_at_its_connection(served: Served, api: Api) -> None:
    api.on("/orders", Reply({"error": "no"}, 400))
    trigger(served)
    served.log.wait("orders of demo: failed: http://127.0.0.1")
    [listed] = served("GET", "/connections").json()["connections"]
    [run] = served.store.runs.newest(kind="sync")
    assert listed["errors"] == [{"type": "sync", "log_id": run.id}]
    assert served.store.sync_requests.all() == []


def test_without_a_worker_what_is_asked_for_waits_for_one(
    project: Project, connection: Connection, url: str, api: Api
) -> None:
    api.on("/orders", Reply(ORDERS))
    with serving(project, url, ENVIRON, work=False) as idle:
        assert idle("GET", "/health").json()["worker"] == "off"
        trigger(idle)
        assert [request.sync for request in idle.store.sync_requests.all()] == ["orders"]
        with serving(project, url, ENVIRON) as served:
            served.log.wait("orders of demo: 1 added")


def test_of_two_servers_one_works_and_the_other_takes_over(
    project: Project, connection: Connection, url: str, api: Api
) -> None:
    api.on("/orders", Reply(ORDERS))
    with contextlib.ExitStack() as life:
        first = life.enter_context(serving(project, url, ENVIRON))
        trigger(first)
        first.log.wait("orders of demo: 1 added")
        with serving(project, url, ENVIRON) as second:
            assert second("GET", "/health").json()["worker"] == "waiting"
            trigger(second)
            first.log.wait("orders of demo: ", 2)
            assert second.log.lines == []
            life.close()
            trigger(second)
            second.log.wait("orders of demo: ")


def test_a_server_that_ends_lets_go_of_its_syncs_and_the_next_goes_on(
    project: Project, connection: Connection, url: str, api: Api
) -> None:
    asked, release = threading.Event(), threading.Event()

    def slow(seen: Seen) -> Reply:
        if seen.query.get("page") != "2":
            return Reply({**ORDERS, "next": "/orders?page=2"})
        if not asked.is_set():
            asked.set()
            release.wait(20)
        return Reply({"orders": []})

    api.on("/orders", slow)
    with serving(project, url, ENVIRON) as served:
        trigger(served)
        assert asked.wait(20)
    release.set()
    with serving(project, url, ENVIRON) as served:
        served.log.wait("orders of demo: ")
        assert count(served)["added"] == 1
        statuses = [run.status for run in served.store.runs.newest(kind="sync")]
        assert statuses == ["success", "cancelled"]
        assert served.store.sync_requests.all() == []


def act(served: Served, name: str = "place-order", **headers: str) -> dict[str, object]:
    return {"json": {"action_name": name, "input": {"name": "tea"}}, "headers": {**PLACE_HEADERS, **headers}}


def test_a_workflows_output_is_the_answer(served: Served, api: Api) -> None:
    api.on("/orders", Reply({"id": 7}))
    found = served("POST", "/action/trigger", **act(served))
    assert (found.status_code, found.json()) == (200, {"id": 7})
    [run] = served.store.runs.newest(kind="workflow")
    assert (run.status, run.input) == ("success", {"name": "tea"})


def test_an_apis_refusal_is_passed_on_with_424(served: Served, api: Api) -> None:
    api.on("/orders", Reply({"code": "DUP"}, 409, {"X-Hint": "h", "Set-Cookie": "session=1"}))
    found = served("POST", "/action/trigger", **act(served))
    error = found.json()["error"]
    assert (found.status_code, error["code"]) == (424, "script_http_error")
    assert (error["upstream"]["status"], error["upstream"]["body"]) == (409, {"code": "DUP"})
    assert error["upstream"]["headers"]["x-hint"] == "h"
    assert "set-cookie" not in error["upstream"]["headers"]
    assert error["payload"]["kind"] == "duplicate"
    assert error["payload"]["where"].startswith("providers.yaml:")


def test_a_workflow_that_fails_is_500_with_its_reason(served: Served) -> None:
    given = {"json": {"action_name": "place-order", "input": {"name": "forbidden"}}, "headers": PLACE_HEADERS}
    found = served("POST", "/action/trigger", **given)
    error = found.json()["error"]
    assert (found.status_code, error["code"]) == (500, "failed")
    assert error["payload"]["message"] == "forbidden is not allowed"


def test_an_api_out_of_reach_is_500(served: Served, api: Api) -> None:
    api.close()
    assert served.refusal("POST", "/action/trigger", **act(served)) == (500, "network")


def test_a_lost_connection_is_424(served: Served, api: Api) -> None:
    api.on("/orders", Reply({}, 401))
    api.on("/token", Reply({"error": "invalid_grant"}, 400))
    assert served.refusal("POST", "/action/trigger", **act(served)) == (424, "invalid_credentials")


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        ({"action_name": "nothing"}, {}, (404, "not_found")),
        ({"action_name": "place-order"}, {}, (400, "invalid_action_input")),
        ({"action_name": "place-order", "input": {"name": ""}}, {}, (400, "invalid_action_input")),
        (
            {"action_name": "place-order", "input": {"name": "x", "more": 1}},
            {},
            (400, "invalid_action_input"),
        ),
        ({"action_name": "place-order", "input": [1]}, {}, (400, "invalid_body")),
        ({"action_name": "a b"}, {}, (400, "invalid_body")),
        ({"input": {}}, {}, (400, "invalid_body")),
        ({"action_name": "place-order"}, {"X-Async": "true"}, (400, "invalid_headers")),
        ({"action_name": "place-order"}, {"X-Max-Retries": "6"}, (400, "invalid_headers")),
        ({"action_name": "place-order"}, {"Connection-Id": "nobody"}, (400, "unknown_connection")),
        ({"action_name": "place-order"}, {"Provider-Config-Key": "nope"}, (400, "unknown_provider")),
    ],
)
def test_what_cannot_be_run_is_refused(
    served: Served, body: dict[str, object], headers: dict[str, str], expected: tuple[int, str]
) -> None:
    given = {"json": body, "headers": {**PLACE_HEADERS, **headers}}
    assert served.refusal("POST", "/action/trigger", **given) == expected
    assert served.store.runs.newest() == []


@pytest.fixture
def impatient(folder: Path, project: Project) -> Project:
    """The project with a provider that waits for nothing between tries."""
    text = (folder / "providers.yaml").read_text()
    (folder / "providers.yaml").write_text(
        text.replace("{attempts: 3, initial: 1s, max: 60s}", "{attempts: 1}")
    )
    return Project.load(folder).checked()


def test_a_workflow_is_begun_anew_as_often_as_it_is_wished(
    impatient: Project, connection: Connection, url: str, api: Api
) -> None:
    api.on("/orders", [Reply({}, 503), Reply({}, 503), Reply({"id": 3})])
    with serving(impatient, url, ENVIRON) as served:
        assert served.refusal("POST", "/action/trigger", **act(served)) == (424, "script_http_error")
        found = served("POST", "/action/trigger", **act(served, **{"X-Max-Retries": "1"}))
        assert found.json() == {"id": 3}


def test_what_may_be_done_already_is_not_begun_anew(
    impatient: Project, connection: Connection, url: str, api: Api
) -> None:
    api.on("/orders", Reply({}, 500))
    with serving(impatient, url, ENVIRON) as served:
        given = act(served, **{"X-Max-Retries": "5"})
        assert served.refusal("POST", "/action/trigger", **given) == (424, "script_http_error")
    assert api.paths() == ["POST /orders"]
