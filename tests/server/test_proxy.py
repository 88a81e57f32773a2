"""`/proxy/…`: the same call at the API, its answer unchanged, streamed both ways."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest

from runner.auth.connect import NewConnection
from runner.auth.credentials import Credentials
from runner.calls.access import Access
from runner.server import upload
from tests.api import Api, Reply, Seen
from tests.server.conftest import PLACE_HEADERS
from tests.server.served import Served
from tests.server.upstream import Line, Talk, upstream


def echo(seen: Seen) -> Reply:
    return Reply(
        {
            "method": seen.method,
            "query": seen.query,
            "headers": seen.headers,
            "body": seen.body.decode("latin-1"),
        }
    )


def proxied(served: Served, method: str = "GET", path: str = "/orders", **given: object) -> httpx.Response:
    headers = {**PLACE_HEADERS, **given.pop("headers", {})}  # type: ignore[dict-item]
    return served(method, f"/proxy{path}", headers=headers, **given)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_call_goes_through_with_the_right_token(served: Served, api: Api, method: str) -> None:
    api.on("/orders", echo)
    found = proxied(
        served, method, "/orders?a=1&b=x%20y", content=b'{"n": 1}' if method != "GET" else None,
        headers={"Content-Type": "application/json", "Nango-Proxy-X-Own": "mine", "X-Not-Passed": "1"},
    )  # fmt: skip
    told = found.json()
    assert (found.status_code, told["method"], told["query"]) == (200, method, {"a": "1", "b": "x y"})
    assert told["body"] == ("" if method == "GET" else '{"n": 1}')
    headers = told["headers"]
    assert headers["authorization"] == "Bearer access-token-1"
    assert (headers["x-own"], headers["content-type"]) == ("mine", "application/json")
    assert not {"x-not-passed", "connection-id", "provider-config-key", "nango-proxy-x-own"} & set(headers)


def test_head_and_options_go_through(served: Served, api: Api) -> None:
    api.on("/orders", Reply({"a": 1}, 200, {"X-Count": "7"}))
    found = proxied(served, "HEAD")
    assert (found.status_code, found.headers["x-count"], found.content) == (200, "7", b"")
    assert found.headers["content-length"] == "8"


@pytest.mark.parametrize("status", [201, 204, 304, 400, 404, 409, 418, 429, 500, 503])
def test_the_apis_status_and_body_are_the_answer(served: Served, api: Api, status: int) -> None:
    body = b"" if status in (204, 304) else b"<p>whatever it says</p>"
    api.on("/orders", Reply(body, status, {"Content-Type": "text/html", "X-Request-Id": "r-1"}))
    found = proxied(served)
    assert (found.status_code, found.content, found.headers["x-request-id"]) == (status, body, "r-1")


@pytest.fixture
def at(access: Access, served: Served) -> Iterator[Callable[[Talk], Served]]:
    """Has the connection `demo` call an API of bytes."""
    opened = []

    def talk(talk: Talk) -> Served:
        context = upstream(talk)
        opened.append(context)
        place = NewConnection(id="demo", config={"url": context.__enter__()}, allow_local=True)
        held = Credentials(type="OAUTH2", access_token="access-token-1", refresh_token="refresh-token-1")
        access.connect.keep(access.project.provider("shop"), place, held)
        return served

    yield talk
    for context in opened:
        context.__exit__(None, None, None)


At = Callable[[Talk], Served]


@pytest.mark.parametrize(
    "path",
    [
        "/plain",
        "/a%2Fb/c%20d",
        "/double//slashes",
        "/a;b=c,d@e:f!$&'()*+~",
        "/%E2%82%AC",
        "/q?x=a+b&y=%2B&z=%26%3D&empty=&flag",
        "/query?q=SELECT%20Id%20FROM%20Contact%20WHERE%20Name%20%3D%20'O%5C'Neil'",
    ],
)
def test_a_path_goes_through_to_the_letter(at: At, path: str) -> None:
    paths = []

    def talk(line: Line) -> None:
        paths.append(line.request()[0])
        line.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    served = at(talk)
    raw = httpx.Request("GET", served.url, headers={**PLACE_HEADERS, **served.client.headers})
    raw.url = httpx.URL(served.url).copy_with(raw_path=f"/proxy{path}".encode())
    assert served.client.send(raw).content == b"ok"
    assert paths == [f"GET {path} HTTP/1.1"]


def test_headers_come_back_as_they_were_but_for_those_of_the_connection(at: At) -> None:
    def talk(line: Line) -> None:
        line.request()
        line.send(
            "HTTP/1.1 200 Fine\r\nDate: Tue, 01 Jan 2030 00:00:00 GMT\r\nServer: theirs\r\nSet-Cookie: a=1\r\n"
            "Set-Cookie: b=2\r\nX-Name: \xc3\xa9\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n"
            "Access-Control-Allow-Origin: *\r\nContent-Length: 2\r\n\r\nok"
        )

    found = proxied(at(talk))
    pairs = [(name.decode(), value.decode()) for name, value in found.headers.raw]
    assert pairs == [
        ("date", "Tue, 01 Jan 2030 00:00:00 GMT"),
        ("server", "theirs"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("x-name", "é"),
        ("content-length", "2"),
    ]


def test_what_a_caller_may_not_set_is_left_out(at: At) -> None:
    heads = []

    def talk(line: Line) -> None:
        heads.extend(line.request())
        line.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    served = at(talk)
    given = {
        "Nango-Proxy-Host": "evil.test",
        "Nango-Proxy-Connection": "close",
        "Nango-Proxy-Content-Length": "9",
    }
    proxied(served, headers={**given, "Cookie": "c=1", "Nango-Proxy-Authorization": "Own mine"})
    names = [line.partition(":")[0].lower() for line in heads[1:]]
    assert names.count("host") == names.count("authorization") == 1
    assert "authorization: own mine" in [line.lower() for line in heads]
    assert not {"connection", "content-length", "cookie"} & set(names)
    assert not any("evil.test" in line for line in heads)


def test_an_answer_comes_while_it_is_still_being_sent(at: At) -> None:
    first_came = threading.Event()

    def talk(line: Line) -> None:
        line.request()
        line.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        if first_came.wait(20):
            line.send("6\r\nsecond\r\n0\r\n\r\n")

    served = at(talk)
    with served.client.stream("GET", "/proxy/slow", headers=PLACE_HEADERS) as found:
        pieces = found.iter_bytes()
        assert next(pieces) == b"first"
        first_came.set()
        assert b"".join(pieces) == b"second"


@pytest.mark.parametrize("length", [False, True])
def test_a_long_body_goes_while_it_is_still_coming(
    at: At, monkeypatch: pytest.MonkeyPatch, length: bool
) -> None:
    monkeypatch.setattr(upload, "HELD", 100)
    first_went = threading.Event()
    sent = [b"a" * 200, b"b" * 50]

    def talk(line: Line) -> None:
        line.request()
        start = b"" if line.header("transfer-encoding") is None else b"c8\r\n"
        assert line.read(len(start) + 200) == start + sent[0]
        first_went.set()
        rest = line.read(50) if not start else line.read(2 + 4 + 50)
        told = {"end": rest[-50:].decode(), "length": line.header("content-length")}
        body = json.dumps(told)
        line.send(f"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n{body}")

    def pieces() -> Iterator[bytes]:
        yield sent[0]
        assert first_went.wait(20)
        yield sent[1]

    found = proxied(at(talk), "POST", content=pieces(), headers={"Content-Length": "250"} if length else {})
    assert found.json() == {"end": "b" * 50, "length": "250" if length else None}


def test_a_body_of_megabytes_arrives_whole(at: At) -> None:
    body = bytes(range(256)) * 4096 * 5

    def talk(line: Line) -> None:
        line.request()
        got = line.body()
        line.send(f"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {len(got)}\r\n\r\n")
        line.send(got)

    assert proxied(at(talk), "PUT", content=body).content == body


def test_an_answer_that_breaks_off_is_not_taken_for_whole(at: At) -> None:
    def talk(line: Line) -> None:
        line.request()
        line.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")

    served = at(talk)
    with pytest.raises(httpx.RemoteProtocolError):
        proxied(served)
    assert "was cut short" in served.log.wait("error: ")
    assert not any("Traceback" in line for line in served.log.lines)
    assert served("GET", "/health").status_code == 200


def test_a_caller_who_leaves_ends_the_call(at: At) -> None:
    left = threading.Event()

    def talk(line: Line) -> None:
        line.request()
        line.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        if line.gone():
            left.set()

    served = at(talk)
    with served.client.stream("GET", "/proxy/slow", headers=PLACE_HEADERS) as found:
        assert next(found.iter_bytes()) == b"first"
    assert left.wait(20)
    assert served("GET", "/health").status_code == 200
    assert served.log.lines == []


PACKED = gzip.compress(b'{"a": 1}')


def packed(seen: Seen) -> Reply:
    return Reply(PACKED, 200, {"Content-Encoding": "gzip", "X-Asked": seen.headers["accept-encoding"]})


def test_a_packed_answer_comes_as_it_was_packed(served: Served, api: Api) -> None:
    api.on("/orders", packed)
    headers = {**PLACE_HEADERS, "Accept-Encoding": "gzip, br"}
    with served.client.stream("GET", "/proxy/orders", headers=headers) as found:
        assert found.headers["x-asked"] == "gzip, br"
        assert b"".join(found.iter_raw()) == PACKED


def test_on_wish_it_comes_unpacked(served: Served, api: Api) -> None:
    api.on("/orders", packed)
    found = proxied(served, headers={"Decompress": "true"})
    assert found.headers["x-asked"] == "identity"
    assert "content-encoding" not in found.headers
    assert found.json() == {"a": 1}


def test_who_can_unpack_nothing_is_sent_nothing_packed(served: Served, api: Api) -> None:
    api.on("/orders", lambda seen: Reply(seen.headers["accept-encoding"]))
    with served.client.stream("GET", "/proxy/orders", headers=PLACE_HEADERS) as found:
        assert found.request.headers.pop("accept-encoding")
    plain = httpx.Client(headers=served.client.headers)
    del plain.headers["accept-encoding"]
    assert plain.get(f"{served.url}/proxy/orders", headers=PLACE_HEADERS).json() == "identity"


def refused_once(seen: Seen) -> Reply:
    good = seen.headers["authorization"] == "Bearer fresh"
    return Reply({"body": seen.body.decode()}, 200 if good else 401)


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_a_refused_token_is_renewed_and_the_call_made_again(served: Served, api: Api, method: str) -> None:
    api.on("/orders", refused_once)
    api.on("/token", Reply({"access_token": "fresh"}))
    found = proxied(served, method, content=b"the body")
    assert (found.status_code, found.json()) == (200, {"body": "the body"})
    assert api.paths() == [f"{method} /orders", "POST /token", f"{method} /orders"]


def test_a_long_body_is_sent_once_and_the_next_call_has_the_new_token(
    served: Served, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "HELD", 4)
    api.on("/orders", refused_once)
    api.on("/token", Reply({"access_token": "fresh"}))
    assert proxied(served, "POST", content=b"longer than four").status_code == 401
    assert proxied(served, "POST", content=b"longer than four").json() == {"body": "longer than four"}


def test_a_token_that_cannot_be_renewed_is_told(served: Served, api: Api) -> None:
    api.on("/orders", refused_once)
    api.on("/token", Reply({"error": "invalid_grant"}, 400))
    found = proxied(served)
    assert (found.status_code, found.json()["error"]["code"]) == (400, "server_error")
    assert "needs reconnecting" in found.json()["error"]["message"]
    assert "refresh-token-1" not in found.text


@pytest.mark.parametrize(
    ("headers", "answers", "status", "calls"),
    [
        ({}, [503, 200], 503, 1),
        ({"Retries": "0"}, [503, 200], 503, 1),
        ({"Retries": "2"}, [503, 500, 200], 200, 3),
        ({"Retries": "2"}, [429, 502, 503, 200], 503, 3),
        ({"Retries": "3"}, [404, 200], 404, 1),
        ({"Retries": "3", "Retry-On": "404, 409"}, [404, 409, 200], 200, 3),
        ({"Retry-On": "404"}, [404, 200], 404, 1),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_call_is_tried_again_as_it_is_wished(
    served: Served,
    api: Api,
    method: str,
    headers: dict[str, str],
    answers: list[int],
    status: int,
    calls: int,
) -> None:
    api.on("/orders", [Reply({"n": n}, n) for n in answers])
    found = proxied(served, method, content=b"x" if method == "POST" else None, headers=headers)
    assert (found.status_code, len(api.seen)) == (status, calls)


def test_a_redirect_within_the_api_is_followed(served: Served, api: Api) -> None:
    api.on("/orders", Reply(b"", 302, {"Location": "/elsewhere"}))
    api.on("/elsewhere", echo)
    assert proxied(served).json()["headers"]["authorization"] == "Bearer access-token-1"


@pytest.mark.parametrize(
    ("location", "headers"),
    [
        ("https://files.elsewhere.test/signed?x=1", {}),
        ("/elsewhere", {"Forward-Headers-On-Redirect": "false"}),
        ("http://127.0.0.1:1/", {}),
        ("//evil.test/", {}),
    ],
)
def test_a_redirect_elsewhere_is_the_answer(
    served: Served, api: Api, location: str, headers: dict[str, str]
) -> None:
    api.on("/orders", Reply(b"", 302, {"Location": location}))
    found = proxied(served, headers=headers)
    assert (found.status_code, found.headers["location"], len(api.seen)) == (302, location, 1)


def test_another_base_url_must_be_one_of_the_providers(served: Served, api: Api) -> None:
    api.on("/v2/orders", echo)
    found = proxied(served, path="/orders?x=1", headers={"Base-Url-Override": f"{api.url}/v2/"})
    assert found.json()["query"] == {"x": "1"}
    for base in (
        "https://evil.test",
        "http://169.254.169.254",
        "nonsense",
        "file:///etc",
        "https://evil.test#",
    ):
        headers = {**PLACE_HEADERS, "Base-Url-Override": base}
        expected = (400, "base_url_override_not_allowed")
        assert served.refusal("GET", "/proxy/orders", headers=headers) == expected
    assert len(api.seen) == 1


@pytest.mark.parametrize("path", ["/@evil.test/", "/https://evil.test/", "//evil.test/", "/\\evil.test/"])
def test_a_path_is_never_another_host(served: Served, api: Api, path: str) -> None:
    assert proxied(served, path=path).status_code == 404
    assert len(api.seen) == 1


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Connection-Id": "nobody"}, (400, "server_error")),
        ({"Provider-Config-Key": "nope"}, (404, "unknown_provider_config")),
        ({"Retries": "many"}, (400, "invalid_headers")),
        ({"Retries": "-1"}, (400, "invalid_headers")),
        ({"Retries": "21"}, (400, "invalid_headers")),
        ({"Retry-On": "sometimes"}, (400, "invalid_headers")),
        ({"Nango-Proxy-X": "a\tb"}, (404, None)),
    ],
)
def test_what_cannot_be_passed_on_is_refused(
    served: Served, headers: dict[str, str], expected: tuple[int, str | None]
) -> None:
    found = proxied(served, headers=headers)
    error = found.json()["error"]
    assert (found.status_code, error["code"] if isinstance(error, dict) else None) == expected


def test_an_api_out_of_reach_is_told(served: Served, api: Api) -> None:
    api.close()
    found = proxied(served)
    assert (found.status_code, found.json()["error"]["code"]) == (400, "network")


def test_a_body_too_long_is_refused(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    def talk(line: Line) -> None:
        line.request()
        line.body()

    monkeypatch.setattr(upload, "HELD", 10)
    monkeypatch.setattr(upload, "MOST", 100)
    found = proxied(at(talk), "POST", content=iter([b"x" * 60, b"x" * 60]))
    assert (found.status_code, found.json()["error"]["code"]) == (413, "payload_too_large")


def test_a_caller_who_leaves_while_sending_ends_the_call(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "HELD", 10)
    began, left = threading.Event(), threading.Event()

    def talk(line: Line) -> None:
        line.request()
        line.read(50)
        began.set()
        if line.gone():
            left.set()

    served = at(talk)
    headers = {
        **PLACE_HEADERS,
        "Authorization": served.client.headers["authorization"],
        "Content-Length": "1000",
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection(("127.0.0.1", int(served.url.rpartition(":")[2])), timeout=20) as caller:
        caller.sendall(f"POST /proxy/slow HTTP/1.1\r\nHost: x\r\n{head}\r\n{'x' * 50}".encode())
        assert began.wait(20)
    assert left.wait(20)
    assert served("GET", "/health").status_code == 200
    assert not any("Traceback" in line for line in served.log.lines)
