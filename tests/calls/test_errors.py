"""What can go wrong with a call: its kind, whether it is tried again, and what a person is told.

Each row is a real answer over HTTP. `{api}` stands for the address of the API.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from runner.auth.connect import NewConnection
from runner.auth.credentials import Credentials
from runner.calls.access import Access
from runner.calls.client import Client
from runner.definitions.exchange import Outgoing
from runner.definitions.project import Project
from runner.errors import CallError
from runner.store import Connection
from tests.api import Api, Reply
from tests.calls.test_client import run
from tests.conftest import Waits

SHOP = """
shop:
  auth_mode: API_KEY
  base_url: "{{ config.url }}"
  hosts: [api.shop.test, localhost, no-such-host.invalid]
  connection_config: {url: {type: string, format: uri}}
  credentials: {apiKey: {title: API key, secret: true}}
  headers: {X-Key: "{{ credentials.apiKey }}"}
  retry: {attempts: 3, initial: 1s, max: 60s}
  errors:
    - {when: response.body.code == 'BUSY', kind: busy, retry: true}
    - {when: response.body.code == 'NEVER', kind: unavailable, retry: false}
  operations:
    read: {request: {path: /x, timeout: 300ms}}
    write: {request: {method: POST, path: /x, timeout: 300ms, json: {a: 1}}}
    ask: {writes: false, request: {method: POST, path: /x, timeout: 300ms, json: {query: "{ orders }"}}}
    act: {writes: true, request: {path: /x, timeout: 300ms}}
    replace: {request: {method: PUT, path: /x, timeout: 300ms, json: {a: 1}}}
    pages: {request: {path: /x}, records: response.body.records, paginate: {next_url: response.body.next}}
"""
TROUBLE = "the API has trouble: try again later"
REACH = "check the address and the network; behind a proxy set HTTPS_PROXY"
HOSTS = (
    "its hosts are api.shop.test, localhost, no-such-host.invalid; if the API really has another, add it to its "
    "`hosts`"
)
DOCS = "against the API's documentation"
#: what is said of a kind where the failure itself has nothing to say
GENERAL = {
    "token_expired": "the API does not accept the credentials: connect again",
    "not_found": "check the path, and the names and ids in it",
    "bad_request": f"hold what was sent {DOCS}",
    "conflict": "it is there already, or was changed meanwhile: read it, and decide then",
    "redirect": "call the address that it names, or correct the base URL",
    "timeout": "the API has trouble: try again later",
    "disconnected": "try again later; where it stays so, check the base URL, and what lies between",
    "truncated": "try again; where it stays so, ask for less at a time",
    "bad_answer": f"check the base URL, and hold the answer {DOCS}",
    "bad_encoding": "ask for another with the header `Accept-Encoding`",
    "unavailable": "the API has trouble: try again later",
    "bad_url": "an address is such as `https://api.example.com/path`",
    "rate_limited": "call less often, or less at once with `limits.concurrency` of the provider",
}
PAGE = "a login or maintenance page, most likely: check the base URL, and whether the API is up"
RIGHTS = "the connected user or app may not do this: look at its rights and scopes"
LESS = "call less often, or less at once with `limits.concurrency` of the provider"
JSON = b'{"ok": true}'
HTML = b"<!doctype html><html><head><title>Log in</title></head><body><h1>Shop</h1></body></html>"


class Row(NamedTuple):
    name: str
    reply: Reply
    kind: str
    retried: bool
    message: str
    #: what to do; the kind's general one by default
    hint: str | None = None
    operation: str = "read"


def said(status: int, **headers: str) -> Reply:
    return Reply({"message": "it says so"}, status, headers)


def packed(content: bytes, encoding: str) -> Reply:
    return Reply(content, headers={"Content-Encoding": encoding})


def elsewhere(location: str, status: int = 302) -> Reply:
    return Reply(b"", status, {"Location": location})


ROWS = [
    Row("400", said(400), "bad_request", False, "{api}/x answered 400: it says so"),
    Row("401", said(401), "unauthorized", False, "{api}/x answered 401: it says so",
        "the API does not accept the credentials: connect again"),
    Row("403", said(403), "forbidden", False, "{api}/x answered 403: it says so", RIGHTS),
    Row("404", said(404), "not_found", False, "{api}/x answered 404: it says so",
        "check the path, and the names and ids in it"),
    Row("405", said(405), "bad_request", False, "{api}/x answered 405: it says so"),
    Row("409", said(409), "conflict", False, "{api}/x answered 409: it says so"),
    Row("410", said(410), "not_found", False, "{api}/x answered 410: it says so",
        "check the path, and the names and ids in it"),
    Row("412", said(412), "conflict", False, "{api}/x answered 412: it says so"),
    Row("413", said(413), "too_large", False, "{api}/x answered 413: it says so", "send less at a time"),
    Row("418", said(418), "bad_request", False, "{api}/x answered 418: it says so"),
    Row("422", said(422), "bad_request", False, "{api}/x answered 422: it says so"),
    Row("429", said(429), "rate_limited", True, "{api}/x answered 429: it says so", LESS),
    Row("500", said(500), "server_error", True, "{api}/x answered 500: it says so", TROUBLE),
    Row("502", said(502), "server_error", True, "{api}/x answered 502: it says so", TROUBLE),
    Row("503", said(503), "unavailable", True, "{api}/x answered 503: it says so", TROUBLE),
    Row("504", said(504), "timeout", True, "{api}/x answered 504: it says so", TROUBLE),
    Row("599", said(599), "server_error", True, "{api}/x answered 599: it says so", TROUBLE),
    Row("an error that is a page", Reply(HTML, 502), "server_error", True, "{api}/x answered 502: Log in", TROUBLE),
    Row("an error page without a title", Reply(b"<html><style>a{}</style><h1>Bad &amp; gone</h1></html>", 502),
        "server_error", True, "{api}/x answered 502: Bad & gone", TROUBLE),
    Row("an error without a body", Reply(b"", 500), "server_error", True, "{api}/x answered 500: an empty body",
        TROUBLE),
    Row("an error in text", Reply(b"no such\n thing", 404), "not_found", False, "{api}/x answered 404: no such thing",
        "check the path, and the names and ids in it"),
    Row("an error in an odd form", Reply({"fault": 7}, 400), "bad_request", False,
        '{api}/x answered 400: {"fault": 7}'),
    Row("an error as OAuth has it", Reply({"error": "invalid", "error_description": "no"}, 400), "bad_request",
        False, "{api}/x answered 400: invalid: no"),
    Row("an error within an error", Reply({"error": {"code": 7, "message": "no"}}, 400), "bad_request", False,
        "{api}/x answered 400: 7: no"),
    Row("an error as RFC 9457 has it", Reply({"title": "No", "detail": "none left"}, 400), "bad_request", False,
        "{api}/x answered 400: No: none left"),
    Row("a list of errors", Reply([{"errorCode": "BAD", "message": "no"}], 400), "bad_request", False,
        "{api}/x answered 400: BAD: no"),
    Row("a long error", Reply(b"x" * 1000, 400), "bad_request", False, "{api}/x answered 400: " + "x" * 300 + "…"),
    Row("a page with 200", Reply(HTML), "not_json", False,
        "{api}/x answered 200 with an HTML page instead of JSON", PAGE),
    Row("text with 200", Reply(b"fine", headers={"Content-Type": "text/plain; charset=utf-8"}), "not_json", False,
        "{api}/x answered 200 with something else than JSON (text/plain)",
        "check the path; an operation that gives text says `format: text`"),
    Row("JSON that breaks off", Reply(b'{"ok": tr'), "truncated", True,
        "the JSON that {api}/x answered ends too early or is broken"),
    Row("fewer bytes than announced", Reply({"a": "b" * 99}, cut=9), "truncated", True,
        "the answer of {host} was cut short"),
    Row("no HTTP at all", Reply(b"SSH-2.0-OpenSSH_9.2\r\n", broken="raw"), "bad_answer", False,
        "{host} answered with something that is no HTTP"),
    Row("a reset", Reply(broken="reset"), "disconnected", True, "{host} ended the connection before it answered"),
    Row("no answer", Reply(broken="mute"), "timeout", True, "{host} did not answer within 0.3 s"),
    Row("a body that stalls", Reply({"a": "b" * 99}, broken="stall", cut=9), "timeout", True,
        "{host} did not answer within 0.3 s"),
    Row("gzip that is none", packed(JSON, "gzip"), "truncated", True,
        "the answer of {host} is packed in a way that cannot be unpacked"),
    Row("gzip that ends early", packed(gzip.compress(JSON)[:-4], "gzip"), "truncated", True,
        "the answer of {host} ends too early"),
    Row("br", packed(b"\x0b\x05\x80", "br"), "bad_encoding", False,
        "the answer of {host} is packed as `br`, which was not asked for"),
    Row("another host", elsewhere("https://evil.test/x"), "forbidden_host", False,
        "credentials of shop are not sent to evil.test", HOSTS),
    Row("another host, without a scheme", elsewhere("//evil.test/x"), "forbidden_host", False,
        "credentials of shop are not sent to evil.test", HOSTS),
    Row("the same host without TLS", elsewhere("http://api.shop.test/x"), "forbidden_host", False,
        "api.shop.test would be called without TLS", "use https://"),
    Row("a host hidden behind another", elsewhere("https://api.shop.test@evil.test/x"), "bad_url", False,
        "the address of evil.test has a user name in it",
        "leave it out: the connection's own credentials are sent"),
    Row("metadata of a cloud", elsewhere("http://169.254.169.254/latest"), "forbidden_host", False,
        "credentials of shop are not sent to 169.254.169.254", HOSTS),
    Row("a redirect loop", elsewhere("/x"), "redirect", False, "{api}/x redirects in circles"),
    Row("a redirect that is no address", elsewhere("http://[bad"), "bad_url", False,
        "'http://[bad' is no address"),
    Row("a redirect to nowhere", Reply(b"", 302), "redirect", False, "{api}/x answered 302: an empty body",
        "call the address that it names, or correct the base URL"),
    Row("a redirect of what writes", elsewhere("/y?token=secret"), "redirect", False,
        "{api}/x answered 302: see /y", "call the address that it names, or correct the base URL", "write"),
    Row("a next page on another host", Reply({"records": [], "next": "https://evil.test/2"}), "forbidden_host",
        False, "credentials of shop are not sent to evil.test", HOSTS, "pages"),
    Row("a next page that is no address", Reply({"records": [], "next": "http://[bad"}), "bad_url", False,
        "'http://[bad' is no address", None, "pages"),
    Row("what writes, 500", said(500), "server_error", False, "{api}/x answered 500: it says so", TROUBLE, "write"),
    Row("what writes, 502", said(502), "server_error", False, "{api}/x answered 502: it says so", TROUBLE, "write"),
    Row("what writes, 503", said(503), "unavailable", True, "{api}/x answered 503: it says so", TROUBLE, "write"),
    Row("what writes, 504", said(504), "timeout", False, "{api}/x answered 504: it says so", TROUBLE, "write"),
    Row("what writes, 429", said(429), "rate_limited", True, "{api}/x answered 429: it says so", LESS, "write"),
    Row("what writes, a reset", Reply(broken="reset"), "disconnected", False,
        "{host} ended the connection before it answered", None, "write"),
    Row("what writes, cut short", Reply({"a": "b" * 99}, cut=9), "truncated", False,
        "the answer of {host} was cut short", None, "write"),
    Row("what writes, again by its method", said(500), "server_error", True, "{api}/x answered 500: it says so",
        TROUBLE, "replace"),
    Row("what only reads by POST, 500", said(500), "server_error", True, "{api}/x answered 500: it says so", TROUBLE,
        "ask"),
    Row("a rule that says again", Reply({"code": "BUSY"}, 409), "busy", True, "{api}/x answered 409: BUSY", None,
        "write"),
    Row("a rule that says never", Reply({"code": "NEVER"}, 503), "unavailable", False,
        "{api}/x answered 503: NEVER"),
    Row("what writes by GET, 500", said(500), "server_error", False, "{api}/x answered 500: it says so", TROUBLE,
        "act"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "providers.yaml").write_text(SHOP)
    return tmp_path


@pytest.fixture
def connection(access: Access, api: Api) -> Connection:
    return connected(access, api.url)


def connected(access: Access, url: str, *, allow_local: bool = True) -> Connection:
    new = NewConnection(id="demo", config={"url": url}, allow_local=allow_local)
    given = Credentials(type="API_KEY", values={"apiKey": "the-api-key"})
    return access.connect.keep(access.project.provider("shop"), new, given)


def fails(access: Access, connection: Connection, operation: str = "read") -> CallError:
    async def work(client: Client) -> object:
        return await client.call(client.provider.operations[operation], {})

    with pytest.raises(CallError) as caught:
        run(access, connection, work)
    return caught.value


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_failure(access: Access, connection: Connection, api: Api, waits: Waits, row: Row) -> None:
    api.on("/x", row.reply)
    error = fails(access, connection, row.operation)
    message = row.message.replace("{api}", api.url).replace("{host}", api.url.removeprefix("http://"))
    assert (error.kind, error.message, error.hint) == (row.kind, message, row.hint or GENERAL.get(row.kind))
    assert len(waits.seconds) == (2 if row.retried else 0)


NOWHERE = [
    ("https://no-such-host.invalid", "network", True,
     "no-such-host.invalid cannot be reached: its name is not known", REACH),
    ("https://localhost:1", "forbidden_host", False, "localhost leads to a private address",
     "only a connection that was made with --allow-local may call this machine and private networks"),
    ("https://127.0.0.1:1", "forbidden_host", False, "credentials of shop are not sent to 127.0.0.1", HOSTS),
]  # fmt: skip


@pytest.mark.parametrize(("url", "kind", "retried", "message", "hint"), NOWHERE)
def test_each_place_that_cannot_be_called(
    access: Access, waits: Waits, url: str, kind: str, retried: bool, message: str, hint: str
) -> None:
    error = fails(access, connected(access, url, allow_local=False))
    assert (error.kind, error.message, error.hint) == (kind, message, hint)
    assert len(waits.seconds) == (2 if retried else 0)


@pytest.mark.parametrize("operation", ["read", "write"])
def test_a_refused_connection_is_tried_again_whatever_it_would_do(
    access: Access, connection: Connection, api: Api, waits: Waits, operation: str
) -> None:
    api.close()
    error = fails(access, connection, operation)
    host = api.url.removeprefix("http://")
    assert (error.kind, error.message) == ("network", f"{host} cannot be reached: Connection refused")
    assert (error.hint, len(waits.seconds)) == (REACH, 2)


def http_date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("value", "between"),
    [
        ("7", (7.0, 7.7)),
        ("1.5", (1.5, 1.65)),
        (" 7 ", (7.0, 7.7)),
        ("60", (60.0, 66.0)),
        ("0", (0.5, 1.0)),
        (lambda: http_date(30), (28.0, 33.0)),
        (lambda: http_date(-3600), (0.5, 1.0)),
        (lambda: str(int(datetime.now(UTC).timestamp()) + 30), (28.0, 33.0)),
        ("-5", (0.5, 1.0)),
        ("soon", (0.5, 1.0)),
        ("²", (0.5, 1.0)),
        ("", (0.5, 1.0)),
        ("Fri, 99 Foo 9999 99:99:99 GMT", (0.5, 1.0)),
    ],
)
def test_the_wait_that_the_api_asks_for(
    access: Access,
    connection: Connection,
    api: Api,
    waits: Waits,
    value: str | Callable[[], str],
    between: tuple[float, float],
) -> None:
    api.on("/x", lambda seen: Reply({}, 429, {"Retry-After": value if isinstance(value, str) else value()}))
    fails(access, connection)
    first, second = waits.seconds
    assert between[0] <= first <= between[1]
    assert between[0] <= second <= max(between[1], 2.0)


@pytest.mark.parametrize(("value", "asked"), [("61", 61), ("3600", 3600), (None, 7200)])
def test_a_wait_that_is_too_long_says_when_to_come_back(
    access: Access, connection: Connection, api: Api, waits: Waits, value: str | None, asked: int
) -> None:
    api.on("/x", Reply({}, 429, {"Retry-After": value or http_date(asked)}))
    hint = str(fails(access, connection).hint)
    began, _, rest = hint.removeprefix("try again after ").partition(", ")
    late = datetime.fromisoformat(began).timestamp() - datetime.now(UTC).timestamp()
    assert asked - 30 < late <= asked
    assert rest == f"as the API asks; that is more than the 60 s of `retry.max`. {LESS[0].upper()}{LESS[1:]}"
    assert waits.seconds == []


@pytest.mark.parametrize("value", ["99999999999999999999", "9" * 400])
def test_a_wait_beyond_all_bounds(
    access: Access, connection: Connection, api: Api, waits: Waits, value: str
) -> None:
    api.on("/x", Reply({}, 429, {"Retry-After": value}))
    assert str(fails(access, connection).hint).startswith("try again in ")
    assert waits.seconds == []


def test_waits_double_and_are_never_the_same_for_all(
    access: Access, connection: Connection, api: Api, waits: Waits, folder: Path
) -> None:
    (folder / "providers.yaml").write_text(SHOP.replace("attempts: 3", "attempts: 9").replace("60s", "10s"))
    access.project = Project.load(folder).checked()
    api.on("/x", Reply({}, 503))
    fails(access, connection)
    for longest, waited in zip([1, 2, 4, 8, 10, 10, 10, 10], waits.seconds, strict=True):
        assert longest / 2 <= waited <= longest
    assert len(set(waits.seconds[-4:])) == 4


TEXT = b'{"text": "' + b"packed well " * 100_000 + b'"}'


def raw_deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (gzip.compress(TEXT), "gzip"),
        (gzip.compress(TEXT), "X-GZip"),
        (gzip.compress(TEXT[:500]) + gzip.compress(TEXT[500:]), "gzip"),
        (gzip.compress(TEXT) + b"\0" * 100, "gzip"),
        (zlib.compress(TEXT), "deflate"),
        (raw_deflate(TEXT), "deflate"),
        (gzip.compress(zlib.compress(TEXT)), "deflate, gzip"),
        (TEXT, "identity"),
        (TEXT, ""),
    ],
)
def test_packed_answers_are_read(
    access: Access, connection: Connection, api: Api, content: bytes, encoding: str
) -> None:
    api.on("/x", packed(content, encoding))

    async def work(client: Client) -> object:
        return await client.call(client.provider.operations["read"], {})

    assert run(access, connection, work) == {"text": "packed well " * 100_000}
    assert api.seen[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        (Reply(b""), None),
        (Reply(b" \n"), None),
        (Reply(b"", 204), None),
        (Reply(JSON, headers={"Content-Type": "text/html"}), {"ok": True}),
        (Reply(JSON, 201), {"ok": True}),
        (packed(b"", "gzip"), None),
    ],
)
def test_odd_answers_that_are_fine(
    access: Access, connection: Connection, api: Api, reply: Reply, value: object
) -> None:
    api.on("/x", reply)

    async def work(client: Client) -> object:
        return await client.call(client.provider.operations["read"], {})

    assert run(access, connection, work) == value


@pytest.mark.parametrize(
    ("status", "method", "arrives"),
    [
        (301, "GET", "GET"),
        (302, "HEAD", "HEAD"),
        (303, "POST", "GET"),
        (307, "POST", "POST"),
        (308, "PUT", "PUT"),
    ],
)
def test_redirects_within_the_api_are_followed(
    access: Access, connection: Connection, api: Api, status: int, method: str, arrives: str
) -> None:
    api.on("/x", elsewhere("/y", status))
    api.on("/y", Reply({}))

    async def work(client: Client) -> int:
        request = Outgoing(method=method, url="/x", content=b"body" if method in ("POST", "PUT") else None)
        async with client.stream(request) as answer:
            return answer.status

    assert run(access, connection, work) == 200
    last = api.seen[-1]
    assert (last.method, last.path, last.headers["x-key"]) == (arrives, "/y", "the-api-key")
    assert last.body == (b"body" if arrives in ("POST", "PUT") else b"")


def test_a_secret_is_hidden_before_a_long_answer_is_cut_short(access: Access, api: Api, waits: Waits) -> None:
    key = "k" * 40 + "0123456789" * 40
    new = NewConnection(id="demo", config={"url": api.url}, allow_local=True)
    given = Credentials(type="API_KEY", values={"apiKey": key})
    connection = access.connect.keep(access.project.provider("shop"), new, given)
    api.on("/x", lambda seen: Reply(f"you sent {seen.headers['x-key']} {'x' * 300}".encode(), 400))
    message = fails(access, connection).message
    assert message.startswith(f"{api.url}/x answered 400: you sent ••• xxx")
    assert message.endswith("x…")
