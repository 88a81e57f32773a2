"""The commands as a person and a script meet them: run as processes, against a real HTTP API."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from runner.auth.oauth import challenge
from runner.cli.main import COMMANDS, cli
from tests.api import Api, Reply, Seen
from tests.cli.terapi import Terapi


def login(
    terapi: Terapi, api: Api, answer: dict[str, str], code: int = 0
) -> tuple[subprocess.Popen[str], str, dict[str, str]]:
    """Runs `connect`, and comes back as the browser would, with ``answer`` beside the right state."""
    process = terapi.start(
        "connect",
        "shop",
        "--config",
        f"url={api.url}",
        "--allow-local",
        "--no-browser",
        "--callback-port",
        "0",
    )
    assert process.stderr is not None
    url = next(line.strip() for line in process.stderr if "/authorize?" in line)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    back = (
        asked["redirect_uri"].replace("localhost", "127.0.0.1")
        + "?"
        + urlencode({"state": asked["state"], **answer})
    )
    page = urllib.request.urlopen(back, timeout=10).read().decode()
    out, err = process.communicate(timeout=30)
    assert process.returncode == code, (out, err)
    terapi.err = err
    return process, page, asked


def test_the_login_uses_pkce_and_keeps_what_the_token_tells(terapi: Terapi, api: Api) -> None:
    api.on("/token", Reply({"access_token": "t", "refresh_token": "r", "region": "eu", "expires_in": 3600}))
    _, page, asked = login(terapi, api, {"code": "the-code"})
    assert "You can close this page" in page
    assert (asked["client_id"], asked["response_type"], asked["code_challenge_method"]) == (
        "our-client",
        "code",
        "S256",
    )
    form = next(seen for seen in api.seen if seen.path == "/token").form()
    assert (form["code"], form["redirect_uri"], form["client_secret"]) == (
        "the-code",
        asked["redirect_uri"],
        "our-client-secret",
    )
    assert challenge(form["code_verifier"]) == asked["code_challenge"]
    shown = terapi.json("connections", "show", "default", "--credentials")
    assert shown["connection_config"] == {"url": api.url, "region": "eu"}
    assert isinstance(shown["credentials"], dict)
    assert shown["credentials"]["access_token"] == "t"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"error": "access_denied", "error_description": "no thanks"}, "the login was refused: no thanks"),
        ({"state": "another", "code": "x"}, "the answer of the login carries a wrong `state`"),
        ({}, "the answer of the login carries no code"),
    ],
)
def test_a_login_that_fails_is_told(terapi: Terapi, api: Api, answer: dict[str, str], sentence: str) -> None:
    login(terapi, api, answer, code=4)
    assert sentence in terapi.err
    assert terapi("connections", "list").splitlines() == ["connection  integration  auth  state"]


def test_a_login_that_nobody_finishes_ends(terapi: Terapi, api: Api) -> None:
    terapi(
        "connect",
        "shop",
        "--config",
        f"url={api.url}",
        "--allow-local",
        "--no-browser",
        "--callback-port",
        "0",
        "--timeout",
        "0.1",
        code=4,
    )
    assert "nobody came back from the login" in terapi.err


def test_a_client_that_is_missing_is_told(terapi: Terapi, api: Api) -> None:
    terapi.environ = {key: value for key, value in terapi.environ.items() if not key.startswith("TERAPI_")}
    terapi("connect", "shop", "--config", f"url={api.url}", "--no-browser", code=4)
    assert (
        "error: shop has no Client ID yet\n  next: terapi client set shop --id … --secret-stdin" in terapi.err
    )


def test_a_client_is_kept(terapi: Terapi) -> None:
    terapi.environ = {key: value for key, value in terapi.environ.items() if not key.startswith("TERAPI_")}
    terapi("client", "set", "shop", "--id", "abc", "--secret-stdin", stdin="the-secret\n")
    listed = json.loads(terapi("client", "list", "--json"))
    assert listed == [{"integration": "shop", "id": "abc", "secret": True, "webhook_secret": False}]


def test_connections_are_listed_checked_changed_and_deleted(connected: Terapi, api: Api) -> None:
    assert "demo        shop         OAUTH2  fine" in connected("connections", "list")
    assert connected("connections", "check", "demo") == "`demo` works\n"
    connected("connections", "set", "demo", "--metadata", "plan=pro")
    assert connected.json("connections", "show", "demo")["metadata"] == {"plan": "pro"}
    connected("connections", "delete", "demo")
    connected("connections", "show", "demo", code=4)
    assert "there is no connection `demo`" in connected.err


def test_a_connection_that_does_not_work_is_told(connected: Terapi, api: Api) -> None:
    api.on("/ping", Reply({}, 401))
    api.on("/token", Reply({"error": "invalid_grant"}, 400))
    connected("connections", "check", "demo", code=4)
    assert "next: Access was revoked. Connect again: terapi connect shop --connection demo" in connected.err


def test_a_sync_says_what_it_did_and_records_show_it(connected: Terapi, api: Api) -> None:
    api.on("/orders", Reply({"orders": [{"id": "1", "at": "2026-01-01T00:00:00Z", "name": "a", "total": 2}]}))
    result = connected.json("sync", "orders", "--connection", "demo")
    assert list(result) == [
        "sync", "connection", "model", "variant", "status", "read", "added", "updated", "deleted", "unchanged", "checkpoint",
        "requests", "seconds", "bad", "pruned", "run",
    ]  # fmt: skip
    assert (result["status"], result["added"]) == ("success", 1)
    assert json.loads(connected("records", "Order", "--json")) == [
        {"id": "1", "name": "a", "total": 2, "_state": "added", "_cursor": 1}
    ]
    assert connected("records", "Order", "--format", "csv") == "id,name,total,_state,_cursor\n1,a,2,added,1\n"
    connected("records", "Ordr", code=2)
    assert "did you mean `Order`?" in connected.err


def test_calls_and_raw_calls(connected: Terapi, api: Api) -> None:
    api.on("/orders/7", Reply({"id": "7"}))
    assert json.loads(connected("call", "get_order", "--with", "id=7")) == {"id": "7"}
    connected("call", "get_ordr", code=2)
    assert "did you mean `get_order`?" in connected.err
    api.on(
        "/echo",
        lambda seen: Reply(
            {
                "method": seen.method,
                "query": seen.query,
                "x": seen.headers.get("x-a"),
                "body": seen.body.decode(),
            }
        ),
    )
    told = json.loads(connected("proxy", "put", "/echo", "-d", '{"a": 1}', "-H", "X-A: b", "-q", "k=v w"))
    assert told == {"method": "PUT", "query": {"k": "v w"}, "x": "b", "body": '{"a": 1}'}
    connected("proxy", "GET", "/nothing", code=1)
    connected("proxy", "GET", "https://evil.test/", code=1)
    assert "are not sent to evil.test" in connected.err


def test_a_workflow_runs(connected: Terapi, api: Api) -> None:
    def create(seen: Seen) -> Reply:
        return Reply({"id": len(json.loads(seen.body).get("note", ""))})

    api.on("/orders", create)
    result = connected.json(
        "run", "place-order", "--input", "name=tea", "--input", '{"notes": ["ab", "abc"]}'
    )
    assert (result["status"], result["output"]) == ("success", {"id": 0, "notes": [2, 3]})
    assert json.loads(api.seen[0].body) == {"name": "TEA"}


def test_a_workflow_that_fails_says_where(connected: Terapi) -> None:
    result = connected.json("run", "place-order", "--input", "name=forbidden", code=1)
    error = result["error"]
    assert isinstance(error, dict)
    assert (error["message"], error["where"]) == (
        "forbidden is not allowed",
        "workflows/place-order.yaml:9:5",
    )
    connected("run", "place-order", code=2)
    assert "`input` of `place-order`: `name` is missing" in connected.err


def test_a_dry_run_sends_nothing_that_writes(connected: Terapi, api: Api) -> None:
    result = connected.json("run", "place-order", "--input", "name=tea", "--dry-run")
    steps = result["steps"]
    assert isinstance(steps, list)
    shown = steps[2]["requests"][0]
    assert (shown["method"], shown["body"]) == ("POST", '{"name": "TEA"}')
    assert shown["headers"]["Authorization"] == "•••"
    assert api.seen == []


def test_every_command_says_what_its_list_says() -> None:
    for name, entry in COMMANDS.items():
        command = cli.get_command(None, name) if name in cli.list_commands(None) else None  # type: ignore[attr-defined, arg-type]
        if command is not None:
            assert (command.help or "").partition("\n")[0] == entry.help
            assert command.epilog is not None
            assert command.epilog.startswith("Example: terapi ")


def test_validate_tells_each_problem_and_exits_with_3(terapi: Terapi) -> None:
    assert terapi("validate") == "3 files valid\n"
    (terapi.folder / "syncs/orders.yaml").write_text("sync: [\n")
    assert "syncs/orders.yaml:2:1: error: " in terapi("validate", code=3)
    found = terapi.json("validate", code=3)
    assert (found["valid"], found["files"]) == (False, 3)
    assert terapi("validate", "workflows") == "1 file valid\n"
    terapi("sync", code=3)
    assert "error: 1 problem in the definitions" in terapi.err


def test_outside_of_a_project_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    terapi = Terapi(tmp_path / "empty")
    terapi("validate", code=2)
    assert "next: run `terapi init`" in terapi.err


def test_a_new_project_is_valid_and_is_not_overwritten(tmp_path: Path) -> None:
    terapi = Terapi(tmp_path)
    terapi("init", "shop")
    assert Terapi(tmp_path / "shop")("validate").endswith(" files valid\n")
    terapi("init", "shop", code=2)
    assert "has a providers.yaml already" in terapi.err
