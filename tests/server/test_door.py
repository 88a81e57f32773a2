"""The door: the key, paths that are not there, limits on what comes in, and faults of ours."""

from __future__ import annotations

import json
import socket
import sqlite3
from pathlib import Path

import httpx
import pytest

from runner.errors import StoreError, UsageError
from runner.server import connection as bounds
from runner.server import http as limits
from runner.server.app import routes
from runner.server.keys import load_key
from runner.server.serving import Options, listen
from tests.server.conftest import PLACE_HEADERS
from tests.server.served import KEY, Served


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "missing_auth_header"),
        ("", "malformed_auth_header"),
        (KEY, "malformed_auth_header"),
        ("Bearer", "malformed_auth_header"),
        (f"Basic {KEY}", "malformed_auth_header"),
        ("Bearer another-key-altogether", "unknown_account"),
        (f"Bearer {KEY}x", "unknown_account"),
        (f"Bearer {KEY[:-1]}", "unknown_account"),
        ("Bearer \u00e4", "unknown_account"),
    ],
)
@pytest.mark.parametrize("path", ["/connections", "/records/", "/proxy/orders"])
def test_without_the_key_nothing_is_told(served: Served, path: str, header: str | None, code: str) -> None:
    headers = {} if header is None else {"Authorization": header.encode()}
    found = httpx.get(f"{served.url}{path}", headers=headers)  # type: ignore[arg-type]
    error = found.json()["error"]
    assert (found.status_code, error["code"], error["payload"]) == (401, code, {})
    assert found.headers["www-authenticate"] == "Bearer"
    assert KEY not in found.text


def test_the_scheme_counts_in_any_case(served: Served) -> None:
    found = httpx.get(f"{served.url}/connections", headers={"Authorization": f"bearer {KEY}"})
    assert found.status_code == 200


def test_health_is_open(served: Served) -> None:
    found = httpx.get(f"{served.url}/health")
    assert (found.status_code, found.json()["status"], found.json()["worker"]) == (200, "ok", "working")
    assert "date" in found.headers
    assert "server" not in found.headers


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nothing", (404, "not_found")),
        ("GET", "/", (404, "not_found")),
        ("POST", "/connections", (405, "method_not_allowed")),
        ("GET", "/sync/trigger", (405, "method_not_allowed")),
        ("PUT", "/webhooks/shop", (405, "method_not_allowed")),
        ("TRACE", "/proxy/orders", (405, "method_not_allowed")),
    ],
)
def test_what_is_not_served_says_so(
    served: Served, method: str, path: str, expected: tuple[int, str]
) -> None:
    assert served.refusal(method, path) == expected


BODIES = [
    (b"", [], "expected JSON: "),
    (b"{", [], "expected JSON: "),
    (b"[]", [], "expected object, got array"),
    (b'{"provider_config_key": "shop", "nope": 1}', ["nope"], "it is not known here"),
    (b'{"syncs": []}', ["provider_config_key"], "it is missing"),
    (b'{"provider_config_key": 1}', ["provider_config_key"], "expected str, got int"),
    (b'{"provider_config_key": "shop", "syncs": [{"nam": "x"}]}', ["syncs", "0", "nam"], "it is not known here"),
    (b'{"provider_config_key": "shop", "syncs": ["a b"]}', ["syncs", "0"], "expected str matching regex "),
    (b'{"provider_config_key": "shop", "opts": {"reset": "yes"}}', ["opts", "reset"], "expected bool, got str"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "path", "message"), BODIES)
def test_a_body_is_read_strictly(served: Served, body: bytes, path: list[str], message: str) -> None:
    found = served("POST", "/sync/trigger", content=body)
    assert (found.status_code, found.json()["error"]["code"]) == (400, "invalid_body")
    [flaw] = found.json()["error"]["errors"]
    assert flaw["path"] == path
    assert flaw["message"].startswith(message)


def test_an_endpoint_without_a_query_takes_none(served: Served) -> None:
    body = {"provider_config_key": "shop"}
    assert served.refusal("POST", "/sync/trigger?x=1", json=body) == (400, "invalid_query_params")


@pytest.mark.parametrize("path", ["/sync/trigger", "/webhooks/shop"])
def test_a_body_has_its_bounds(served: Served, path: str) -> None:
    big = b" " * (limits.MAX_BODY + 1)
    assert served.refusal("POST", path, content=big) == (413, "payload_too_large")
    assert served("GET", "/connections").status_code == 200


def dial(served: Served) -> socket.socket:
    found = socket.create_connection(("127.0.0.1", int(served.url.rpartition(":")[2])), timeout=20)
    found.settimeout(20)
    return found


def everything(line: socket.socket) -> bytes:
    """What comes until the server ends the connection."""
    pieces = []
    while piece := line.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def test_an_endless_head_is_cut(served: Served) -> None:
    with dial(served) as line:
        line.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n")
        try:
            for _ in range(40):
                line.sendall(b"X-Filler: " + b"y" * 8000 + b"\r\n")
            answer = everything(line)
        except (BrokenPipeError, ConnectionResetError):
            answer = b"HTTP/1.1 431"
        assert answer.startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize("sent", [b"", b"GET /health HTTP/1.1\r\nHost"])
def test_a_slow_head_is_cut(served: Served, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(bounds, "HEAD_SECONDS", 0.05)
    with dial(served) as line:
        line.sendall(sent)
        assert everything(line) == b""


def test_a_slow_body_is_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PATIENCE", 0.05)
    head = f"POST /sync/trigger HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 10\r\n\r\n{{"
    with dial(served) as line:
        line.sendall(head.encode())
        answer = everything(line)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"request_timeout" in answer


def test_what_is_no_http_is_refused(served: Served) -> None:
    with dial(served) as line:
        line.sendall(b"\x16\x03\x01\x00\xa5 no http at all\r\n\r\n")
        assert everything(line).startswith(b"HTTP/1.1 400")
    assert served("GET", "/health").status_code == 200


def test_a_fault_of_the_state_is_told_without_its_place(served: Served, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / ".terapi" / "terapi.db") as state:
        state.execute("ALTER TABLE connections RENAME TO elsewhere")
    found = served("GET", "/connections")
    assert (found.status_code, found.json()["error"]["code"]) == (503, "server_error")
    assert str(tmp_path) not in found.text
    assert str(tmp_path) in served.log.wait("error: ")
    assert found.headers["retry-after"] == "1"


def test_a_fault_of_ours_is_an_answer_and_a_line(served: Served, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / ".terapi" / "terapi.db") as state:
        state.execute("UPDATE connections SET metadata = 'no json'")
    found = served("GET", "/connections")
    assert (found.status_code, found.json()["error"]["code"]) == (500, "server_error")
    assert "error: GET /connections: JSONDecodeError: " in served.log.wait("error: ")
    assert not any("Traceback" in line for line in served.log.lines)


def test_headers_name_the_connection(served: Served) -> None:
    found = served("GET", "/records/?model=Order", headers={"Connection-Id": "demo"})
    assert found.json()["error"]["errors"] == [
        {"code": "invalid_type", "message": "it is missing", "path": ["provider-config-key"]}
    ]
    assert served.refusal("GET", "/proxy/x") == (400, "invalid_headers")
    assert served("GET", "/records/?model=Order", headers=PLACE_HEADERS).status_code == 200


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first, second = load_key(tmp_path, {}), load_key(tmp_path, {})
    assert first.file is not None
    secret = first.file.read_text().strip()
    assert len(secret) > 40
    assert first.fits(secret)
    assert second.fits(secret)
    assert not first.fits(secret[:-1])
    assert first.file.stat().st_mode & 0o777 == 0o600
    first.file.chmod(0o644)
    load_key(tmp_path, {})
    assert first.file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]
    assert secret not in repr(vars(first))


def test_a_given_key_is_kept_nowhere(tmp_path: Path) -> None:
    key = load_key(tmp_path, {"TERAPI_SECRET_KEY": "a-key-that-is-long-enough"})
    assert key.file is None
    assert key.fits("a-key-that-is-long-enough")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "given", ["short", "with a space in the middle", "tab\tin the middle of it", "ünïcode-is-not-for-headers"]
)
def test_a_key_that_cannot_be_one_is_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(UsageError, match="TERAPI_SECRET_KEY cannot be a key"):
        load_key(tmp_path, {"TERAPI_SECRET_KEY": given})


def test_a_damaged_key_is_told(tmp_path: Path) -> None:
    (tmp_path / "secret-key").write_text("\n")
    with pytest.raises(StoreError, match="is damaged"):
        load_key(tmp_path, {})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.test"])
def test_other_machines_are_let_in_only_with_a_given_key(tmp_path: Path, host: str) -> None:
    with pytest.raises(
        UsageError, match="can be reached from other machines, and TERAPI_SECRET_KEY is not set"
    ):
        listen(Options(host=host, port=0), load_key(tmp_path, {}))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_with_a_given_key_it_listens_anywhere(tmp_path: Path, host: str) -> None:
    key = load_key(tmp_path, {"TERAPI_SECRET_KEY": "a-key-that-is-long-enough"})
    with listen(Options(host=host, port=0), key) as listener:
        assert listener.getsockname()[1] > 0


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with listen(Options(port=0), load_key(tmp_path, {})) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(UsageError, match="is not to be had: Address already in use"):
            listen(Options(port=port), load_key(tmp_path, {}))


def test_every_path_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "server.md").read_text()
    for route in routes():
        assert route.path.partition("{")[0].rstrip("/") in page, route.path


def test_a_refusal_is_json(served: Served) -> None:
    found = served("GET", "/nothing")
    assert found.headers["content-type"] == "application/json"
    assert json.loads(found.content)["error"]["message"] == "GET /nothing is not served here"
