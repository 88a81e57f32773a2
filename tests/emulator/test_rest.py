"""What every call of the REST API shares: versions, sessions, methods, limits, and how errors are told."""

from __future__ import annotations

import gzip

import httpx
import pytest

from runner.emulator.testing import Org, start_org
from tests.emulator.conftest import VERSION, client_of

Expected = tuple[int, str, str]


def error(response: httpx.Response) -> Expected:
    """Status, code and sentence of the one error."""
    (problem,) = response.json()
    return response.status_code, problem["errorCode"], problem["message"]


def test_versions_are_told_to_everybody(org: Org) -> None:
    versions = httpx.get(f"{org.url}/services/data").json()
    assert {"label": "Winter '25", "url": "/services/data/v62.0", "version": "62.0"} in versions
    assert all(set(version) == {"label", "url", "version"} for version in versions)


def test_a_version_lists_its_resources(api: httpx.Client) -> None:
    resources = api.get("").json()
    assert resources["sobjects"] == f"{VERSION}/sobjects"
    assert resources["query"] == f"{VERSION}/query"
    assert resources["identity"].startswith(str(api.base_url).removesuffix(f"{VERSION}/"))


REFUSED = {
    ("GET", "/nothing"): (404, "NOT_FOUND", "The requested resource does not exist"),
    ("GET", "/sobjects/Nothing"): (404, "NOT_FOUND", "The requested resource does not exist"),
    ("GET", "/../v1.0/limits"): (404, "NOT_FOUND", "The requested resource does not exist"),
    ("PUT", "/limits"): (
        405,
        "METHOD_NOT_ALLOWED",
        "HTTP Method 'PUT' not allowed. Allowed are GET,HEAD",
    ),
    ("DELETE", "/sobjects/Contact"): (
        405,
        "METHOD_NOT_ALLOWED",
        "HTTP Method 'DELETE' not allowed. Allowed are GET,HEAD,POST",
    ),
}


@pytest.mark.parametrize(("call", "expected"), REFUSED.items(), ids=map(" ".join, REFUSED))
def test_what_is_not_there(empty_org: Org, call: tuple[str, str], expected: Expected) -> None:
    with client_of(empty_org) as api:
        assert error(api.request(*call)) == expected


SESSIONS = [None, "Bearer", "Bearer nothing", "Basic bm90aGluZzpub3RoaW5n", "Bearer \u00e9"]


@pytest.mark.parametrize("header", SESSIONS)
def test_without_a_session_nothing_is_told(empty_org: Org, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode()}
    answer = httpx.get(f"{empty_org.url}{VERSION}/limits", headers=headers)
    assert error(answer) == (401, "INVALID_SESSION_ID", "Session expired or invalid")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "OAuth"])
def test_a_session_opens(empty_org: Org, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {empty_org.token()}"}
    assert httpx.get(f"{empty_org.url}{VERSION}/limits", headers=headers).status_code == 200


def test_a_session_ends_after_its_time() -> None:
    with start_org(records=0, session_lifetime=60) as org, client_of(org) as api:
        assert api.get("/limits").status_code == 200
        org.advance(61)
        assert error(api.get("/limits"))[:2] == (401, "INVALID_SESSION_ID")


def test_a_token_without_the_scope_for_it_does_not_open_the_api(empty_org: Org) -> None:
    with client_of(empty_org, empty_org.token(scope="id openid")) as api:
        assert error(api.get("/limits")) == (
            401,
            "INVALID_SESSION_ID",
            "This session is not valid for use with the REST API",
        )


def test_calls_are_counted_and_refused_beyond_the_limit() -> None:
    with start_org(records=0, api_limit=2) as org, client_of(org) as api:
        used = [api.get("/limits").headers["Sforce-Limit-Info"] for _ in range(2)]
        assert used == ["api-usage=1/2", "api-usage=2/2"]
        answer = api.get("/limits")
    assert error(answer) == (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    assert answer.headers["Sforce-Limit-Info"] == "api-usage=2/2"


def test_an_org_without_a_limit_of_its_own_shows_that_of_a_developer_edition(api: httpx.Client) -> None:
    answer = api.get("/limits")
    assert answer.headers["Sforce-Limit-Info"] == "api-usage=1/15000"
    assert answer.json()["DailyApiRequests"] == {"Max": 15000, "Remaining": 14999}


def test_the_date_is_the_orgs(org: Org, api: httpx.Client) -> None:
    before = api.get("/limits").headers["Date"]
    org.advance(86_400 * 400)
    assert api.get("/limits").headers["Date"] != before


def test_long_answers_are_compressed_for_who_takes_it(org: Org, api: httpx.Client) -> None:
    plain = api.get("/sobjects/Organization/describe", headers={"Accept-Encoding": "identity"})
    request = api.build_request("GET", "/sobjects/Organization/describe", headers={"Accept-Encoding": "gzip"})
    answer = api.send(request, stream=True)
    raw = b"".join(answer.iter_raw())
    assert "Content-Encoding" not in plain.headers
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content
    assert len(raw) == int(answer.headers["Content-Length"]) < len(plain.content)


def test_head_is_get_without_a_body(api: httpx.Client) -> None:
    answer = api.head("/limits")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == api.get("/limits").headers["Content-Length"]


def test_a_post_may_say_that_it_means_another_method(org: Org, api: httpx.Client) -> None:
    record_id = org.create("Contact", LastName="Byron")
    answer = api.post(f"/sobjects/Contact/{record_id}?_HttpMethod=PATCH", json={"LastName": "Lovelace"})
    assert answer.status_code == 204
    assert org.query(f"SELECT Name FROM Contact WHERE Id = '{record_id}'")[0]["Name"] == "Lovelace"
