"""Whatever is sent, the org answers: never with a fault of its own, always in a shape that it has."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.emulator.testing import Org, start_org
from tests.emulator.conftest import VERSION

fuzz = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def org() -> Iterator[Org]:
    with start_org(records=20) as running:
        yield running


@pytest.fixture(scope="module")
def client(org: Org) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {org.token('full refresh_token')}"}
    with httpx.Client(base_url=org.url, headers=headers, timeout=30) as found:
        yield found


@pytest.fixture(scope="module")
def controlled() -> Iterator[Org]:
    """Another org, as this one loses its tokens and its time."""
    with start_org(records=0) as running:
        yield running


def check(answer: httpx.Response) -> httpx.Response:
    """An answer that is one: no fault of the org's own, and a body that can be read."""
    assert answer.status_code < 500, (answer.request.method, answer.request.url, answer.text[:500])
    kind = answer.headers.get("Content-Type", "")
    if answer.content and kind.startswith("application/json"):
        orjson.loads(answer.content)
    if answer.content and kind.startswith("application/xml"):
        ET.fromstring(answer.content)
    return answer


ID, CONTACT = "001Hs0000000001IAA", "003Hs0000000001IAA"
segments = st.sampled_from(
    "sobjects Account Contact Milestone__c Profile query queryAll search parameterizedSearch composite batch tree graph "
    "quickActions NewCase describe layouts compactLayouts recent limits updated deleted suggestions scopeOrder defaultValues "
    f"External_Id__c Id Name Owner Contacts {ID} {CONTACT} 01gHs0000000001IAA-200 .xml x.json".split()
) | st.text(max_size=8)
paths = st.lists(segments, max_size=6).map(lambda parts: "/".join(quote(part, safe="") for part in parts))
methods = st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS"])
names = st.sampled_from(
    [
        "q",
        "explain",
        "fields",
        "ids",
        "allOrNone",
        "start",
        "end",
        "limit",
        "sobject",
        "in",
        "_HttpMethod",
        "updateOnly",
        "records",
        "attributes",
        "type",
        "referenceId",
        "Name",
        "LastName",
        "AccountId",
        "Account",
        "External_Id__c",
        "Id",
        "id",
        "Description",
        "Birthdate",
        "AnnualRevenue",
        "NumberOfEmployees",
        "DoNotCall",
        "Status__c",
        "Skills__c",
        "compositeRequest",
        "method",
        "url",
        "body",
        "batchRequests",
        "graphs",
        "graphId",
        "contextId",
        "record",
        "fields",
        "sobjects",
    ]
) | st.text(max_size=6)
texts = st.text(max_size=12) | st.sampled_from(
    [ID, CONTACT, "GET", "POST", "Account", "Contact", "ref1", f"{VERSION}/sobjects/Account", f"{VERSION}/query?q=x", "@{ref1.id}",
     "@{ref1[9].x}", "2026-01-01", "2026-01-01T00:00:00Z", "SELECT Id FROM Account", "FIND {acme}", "true", "1e999", "\ud800"]
)  # fmt: skip
scalars = st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats(allow_nan=False) | texts
bodies = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6),
    max_leaves=25,
)


def dumped(body: object) -> bytes:
    """JSON as lenient clients write it: half characters and infinite numbers too."""
    import json

    return json.dumps(body).encode()


@fuzz
@given(methods, paths, st.dictionaries(names, texts, max_size=4), bodies)
def test_any_call(client: httpx.Client, method: str, path: str, query: dict[str, str], body: object) -> None:
    params = {
        name.encode("utf-8", "replace").decode(): value.encode("utf-8", "replace")
        for name, value in query.items()
    }
    url = f"{VERSION}/{path}"
    check(client.request(method, url, params=params, content=dumped(body)))  # type: ignore[arg-type]


calls = st.sampled_from(
    [
        ("POST", "/sobjects/Account"),
        ("POST", "/sobjects/Milestone__c"),
        ("PATCH", f"/sobjects/Contact/{CONTACT}"),
        ("PATCH", "/sobjects/Contact/External_Id__c/x"),
        ("POST", "/composite"),
        ("POST", "/composite/batch"),
        ("POST", "/composite/graph"),
        ("POST", "/composite/tree/Account"),
        ("POST", "/composite/sobjects"),
        ("PATCH", "/composite/sobjects"),
        ("PATCH", "/composite/sobjects/Account/External_Id__c"),
        ("POST", "/composite/sobjects/Account"),
        ("POST", "/parameterizedSearch"),
        ("POST", "/quickActions/NewCase"),
        ("POST", "/sobjects/Account/quickActions/NewContact"),
    ]
)


@fuzz
@given(calls, st.dictionaries(names, bodies, max_size=6))
def test_any_body(client: httpx.Client, call: tuple[str, str], body: dict[str, object]) -> None:
    method, path = call
    check(client.request(method, VERSION + path, content=dumped(body)))


parts = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "POST", "PATCH", "DELETE"]),
        "url": st.sampled_from(
            [
                "/sobjects/Account",
                "/sobjects/Contact/@{a.id}",
                "/query?q=SELECT+Id+FROM+Contact",
                "/composite/sobjects",
                "/limits",
            ]
        ).map(lambda path: VERSION + path),
        "referenceId": st.sampled_from(["a", "b", "c", "d"]),
    },
    optional={
        "body": st.dictionaries(names, scalars, max_size=3),
        "httpHeaders": bodies,
        "richInput": bodies,
    },
)


@fuzz
@given(st.lists(parts, max_size=4, unique_by=lambda part: part["referenceId"]), st.booleans())
def test_any_composite(client: httpx.Client, requests: list[dict[str, object]], all_or_none: bool) -> None:
    body = {"compositeRequest": requests, "allOrNone": all_or_none}
    answer = check(client.post(f"{VERSION}/composite", content=dumped(body)))
    outcomes = answer.json()["compositeResponse"] if answer.status_code == 200 else []
    failed = [outcome["httpStatusCode"] >= 400 for outcome in outcomes]
    assert all(outcome["httpStatusCode"] < 500 for outcome in outcomes)
    if all_or_none and any(failed):
        assert all(failed)
    check(
        client.post(
            f"{VERSION}/composite/batch",
            content=dumped({"batchRequests": requests, "haltOnError": all_or_none}),
        )
    )


header_values = st.text(
    st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=20
)
headers = st.fixed_dictionaries(
    {},
    optional={
        "Accept": header_values | st.sampled_from(["application/xml", "text/xml;q=x,*/*", ",;,"]),
        "Content-Type": header_values | st.sampled_from(["application/xml", "text/xml; charset=x"]),
        "Content-Encoding": header_values | st.sampled_from(["gzip", "deflate", "gzip, gzip"]),
        "If-Modified-Since": header_values | st.just("Mon, 01 Jan 0001 00:00:00 GMT"),
        "If-Unmodified-Since": header_values | st.just("Fri, 31 Dec 9999 23:59:59 -9999"),
        "If-None-Match": header_values | st.sampled_from(["*", 'W/"x"', ",,,"]),
        "If-Match": header_values,
        "Sforce-Query-Options": header_values
        | st.sampled_from(["batchSize=0", "batchSize=999999", "batchSize=-1"]),
        "Sforce-Duplicate-Rule-Header": header_values,
        "Host": st.sampled_from(
            ["", "login.salesforce.com", "acme.my.salesforce.com", "x:y:z", "[::1", "\xff"]
        ),
        "X-Forwarded-Proto": header_values,
        "Cookie": header_values,
    },
)
targets = st.sampled_from(
    [("GET", f"/sobjects/Contact/{CONTACT}"), ("PATCH", f"/sobjects/Contact/{CONTACT}"), ("GET", "/sobjects/Account/describe"),
     ("GET", "/query?q=SELECT+Id,(SELECT+Id+FROM+Contacts)+FROM+Account"), ("POST", "/sobjects/Account"), ("GET", "/nothing")]
)  # fmt: skip


@fuzz
@given(
    targets, headers, st.binary(max_size=40) | st.sampled_from([b"<a><Name>x</Name></a>", b"\x1f\x8b\x08"])
)
def test_any_headers(
    client: httpx.Client, target: tuple[str, str], sent: dict[str, str], body: bytes
) -> None:
    encoded = {name: value.strip().encode("latin-1") for name, value in sent.items()}
    method, path = target
    content = body if method != "GET" else None
    check(client.request(method, VERSION + path, headers=encoded, content=content))  # type: ignore[arg-type]


tags = st.sampled_from(["a", "Name", "records", "attributes", "type", "Account", "x:y"])


@st.composite
def documents(draw: st.DrawFn, depth: int = 0) -> str:
    name = draw(tags)
    inner = draw(st.lists(documents(depth + 1), max_size=3)) if depth < 4 else []
    text = (
        draw(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6))
        .replace("&", "&amp;")
        .replace("<", "&lt;")
    )
    return f"<{name}>{text}{''.join(inner)}</{name}>"


@fuzz
@given(documents() | st.text(max_size=30))
def test_any_xml(client: httpx.Client, document: str) -> None:
    sent = {"Content-Type": "application/xml", "Accept": "application/xml"}
    for path in ("/sobjects/Account", "/composite/sobjects", "/composite/tree/Account"):
        check(client.post(VERSION + path, headers=sent, content=document.encode("utf-8", "replace")))


form_names = st.sampled_from(
    [
        "grant_type",
        "response_type",
        "client_id",
        "client_secret",
        "code",
        "code_verifier",
        "code_challenge",
        "code_challenge_method",
        "redirect_uri",
        "scope",
        "state",
        "refresh_token",
        "username",
        "password",
        "assertion",
        "token",
        "format",
        "version",
        "access_token",
        "request",
        "decision",
        "user_code",
        "prompt",
        "nonce",
        "auto_approve",
    ]
) | st.text(max_size=5)
form_values = st.sampled_from(
    ["authorization_code", "refresh_token", "password", "device", "device_code", "client_credentials", "code", "api", "S256",
     "urn:ietf:params:oauth:grant-type:jwt-bearer", "http://localhost/x", "http://[", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "xml",
     "1", "CLIENT", "SECRET"]
) | st.text(max_size=12)  # fmt: skip
oauth_paths = st.sampled_from(
    [
        "/services/oauth2/token",
        "/services/oauth2/authorize",
        "/services/oauth2/introspect",
        "/services/oauth2/revoke",
        "/services/oauth2/login",
        "/services/oauth2/consent",
        "/services/oauth2/userinfo",
        "/setup/connect",
        "/id/keys",
        "/id/x/y",
        "/.well-known/openid-configuration",
        "/my/acme/services/oauth2/token",
        "/my",
        "/my/",
        "/my//",
    ]
)


@fuzz
@given(methods, oauth_paths, st.dictionaries(form_names, form_values, max_size=8), st.booleans())
def test_any_form(
    org: Org, client: httpx.Client, method: str, path: str, form: dict[str, str], basic: bool
) -> None:
    known = {"CLIENT": org.client_id, "SECRET": org.client_secret}
    sent = {
        name.encode("utf-8", "replace").decode(): known.get(value, value).encode("utf-8", "replace")
        for name, value in form.items()
    }
    extra = {"Authorization": "Basic Og=="} if basic else {}
    check(client.request(method, path, data=sent, headers=extra))  # type: ignore[arg-type]
    if method == "GET":
        check(client.get(path, params=sent))  # type: ignore[arg-type]


@fuzz
@given(st.binary(max_size=60))
def test_any_path_at_all(client: httpx.Client, raw: bytes) -> None:
    check(client.get(f"/{quote(raw)}"))
    check(client.get(f"{VERSION}/{quote(raw)}"))
    check(client.get(f"{VERSION}/sobjects/Account/External_Id__c/{quote(raw, safe='')}"))


@fuzz
@given(
    st.dictionaries(names, bodies, max_size=4),
    st.sampled_from(["faults", "clock", "tokens/expire", "locks", "policies"]),
)
def test_any_control(controlled: Org, client: httpx.Client, body: dict[str, object], call: str) -> None:
    body.pop("add", None)
    headers = {"X-Emulator-Token": controlled.control_token}
    check(client.post(f"{controlled.url}/emulator/{call}", content=dumped(body), headers=headers))


DEEP = {
    "lists": b"[" * 900 + b"]" * 900,
    "objects": b'{"a":' * 900 + b"1" + b"}" * 900,
    "a value": b'{"LastName":' + b"[" * 900 + b"]" * 900 + b"}",
    "a part": b'{"compositeRequest":[{"method":"POST","url":"/services/data/v62.0/sobjects/Account","referenceId":"a","body":'
    + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}]}",
    "an answer": b'{"compositeRequest":[{"method":"GET","url":"@{' + b"a." * 900 + b'}","referenceId":"a"}]}',
    "more than any parser takes": b"[" * 200_000,
}  # fmt: skip


@pytest.mark.parametrize("body", DEEP.values(), ids=list(DEEP))
@pytest.mark.parametrize(
    "path", ["/sobjects/Contact", "/composite", "/composite/tree/Account", "/parameterizedSearch"]
)
def test_what_is_nested_too_deep(client: httpx.Client, path: str, body: bytes) -> None:
    assert check(client.post(VERSION + path, content=body)).status_code == 400


def test_xml_that_is_nested_too_deep(client: httpx.Client) -> None:
    sent = {"Content-Type": "application/xml"}
    body = b"<a>" * 5_000 + b"</a>" * 5_000
    assert check(client.post(f"{VERSION}/sobjects/Account", content=body, headers=sent)).status_code == 400


def test_it_still_answers(client: httpx.Client) -> None:
    assert client.get(f"{VERSION}/limits").status_code == 200
