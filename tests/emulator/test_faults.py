"""The faults of the real service, called up over HTTP, and the control API that calls them."""

from __future__ import annotations

import json

import httpx
import pytest

from runner.emulator.errors import OptionError
from runner.emulator.faults import parse
from runner.emulator.testing import Org, start_org
from tests.emulator.conftest import client_of

QUERY = "/query?q=SELECT+Id+FROM+Contact"


def statuses(api: httpx.Client, calls: int, path: str = "/limits") -> list[int]:
    return [api.get(path).status_code for _ in range(calls)]


def test_a_status_with_its_code_and_when_to_come_back(org: Org, api: httpx.Client) -> None:
    org.fault("status:code=503,retry_after=2")
    answer = api.get("/limits")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.json() == [{"message": "This fault was asked for.", "errorCode": "SERVER_UNAVAILABLE"}]


def test_a_status_of_another_name(org: Org, api: httpx.Client) -> None:
    org.fault("status:code=400,errorCode=QUERY_TIMEOUT")
    assert api.get("/limits").json()[0]["errorCode"] == "QUERY_TIMEOUT"


def test_where_when_and_how_often_a_fault_strikes(org: Org, api: httpx.Client) -> None:
    org.fault("status:path=/query,method=get,after=1,count=2")
    assert statuses(api, 2) == [200, 200]
    assert statuses(api, 5, QUERY) == [200, 503, 503, 200, 200]


def test_the_same_seed_strikes_the_same_requests() -> None:
    found = []
    for seed in (1, 1, 2):
        with start_org(records=0) as org, client_of(org) as api:
            org.fault(f"status:probability=0.5,seed={seed}")
            found.append(statuses(api, 20))
    assert found[0] == found[1] != found[2]
    assert {200, 503} == set(found[0])


def test_html_with_200(org: Org, api: httpx.Client) -> None:
    org.fault("html:count=1")
    answer = api.get("/limits")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html;charset=UTF-8")
    assert b"<html" in answer.content
    assert api.get("/limits").json()["DailyApiRequests"]


def test_json_that_stops_in_the_middle(org: Org, api: httpx.Client) -> None:
    org.fault("invalid_json:count=1")
    answer = api.get("/limits")
    assert len(answer.content) == int(answer.headers["Content-Length"])
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_fewer_bytes_than_announced(org: Org, api: httpx.Client) -> None:
    org.fault("truncate:count=1")
    with pytest.raises(httpx.RemoteProtocolError, match="received"):
        api.get("/limits")
    assert api.get("/limits").status_code == 200


def test_a_connection_that_is_reset(org: Org, api: httpx.Client) -> None:
    org.fault("reset:count=1")
    with pytest.raises(httpx.TransportError):
        api.get("/limits")
    assert api.get("/limits").status_code == 200
    assert [seen.status for seen in org.log("/limits")] == [0, 200]


def test_a_token_that_ends_on_the_way(org: Org, api: httpx.Client) -> None:
    org.fault("expire:after=1,count=1")
    assert statuses(api, 3) == [200, 401, 401]


def test_a_next_page_on_another_host(org: Org, api: httpx.Client) -> None:
    for number in range(300):
        org.create("Account", Name=f"Account {number}")
    org.fault("foreign_page:count=1")
    options = {"Sforce-Query-Options": "batchSize=200"}
    told = [api.get("/query?q=SELECT+Id+FROM+Account", headers=options).json() for _ in range(2)]
    assert told[0]["nextRecordsUrl"].startswith("https://elsewhere.example.com/services/data/")
    assert told[1]["nextRecordsUrl"].startswith("/services/data/")


def test_a_fault_strikes_oauth_where_it_is_told_to(org: Org) -> None:
    org.fault("status:code=500,path=/oauth2/token")
    answer = httpx.post(f"{org.url}/services/oauth2/token", data={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()["error"]) == (500, "server_error")


WRONG = {
    "sttus:code=503": "'sttus' is no fault; there are",
    "status:kode=503": "'kode' in the fault 'status:kode=503' is not known; status takes after, code",
    "status:code": "'code' in the fault 'status:code' is not known",
    "status:code=many": "A number in the fault 'status:code=many' is none",
    "status:code=99": "is out of range: probability 0 to 1, code 200 to 599, ms from 0",
    "latency:ms=-1": "is out of range",
    "reset:probability=2": "is out of range",
}


@pytest.mark.parametrize(("spec", "said"), WRONG.items(), ids=list(WRONG))
def test_what_is_no_fault_is_told_with_what_would_be(spec: str, said: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse(spec)
    assert said in str(caught.value)


def control(org: Org, method: str, path: str, **kwargs: object) -> httpx.Response:
    headers = {"X-Emulator-Token": org.control_token}
    return httpx.request(method, f"{org.url}/emulator{path}", headers=headers, **kwargs)  # type: ignore[arg-type]


def test_nobody_controls_the_org_without_its_token(org: Org) -> None:
    for path in ("/faults", "/log"):
        answer = httpx.get(f"{org.url}/emulator{path}", headers={"X-Emulator-Token": "wrong"})
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, "INSUFFICIENT_ACCESS")


def test_faults_are_turned_on_and_off_while_it_runs(org: Org, api: httpx.Client) -> None:
    spec = "status:code=503,path=/limits"
    assert control(org, "POST", "/faults", json={"add": [spec]}).json() == {
        "faults": [{"fault": spec, "struck": 0}]
    }
    assert statuses(api, 1) == [503]
    assert control(org, "GET", "/faults").json()["faults"][0]["struck"] == 1
    assert control(org, "POST", "/faults", json={"clear": True}).json() == {"faults": []}
    assert statuses(api, 1) == [200]
    answer = control(org, "POST", "/faults", json={"add": ["nonsense"]})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_FAULT")


def test_the_clock_goes_forward_only(org: Org) -> None:
    before = org.now()
    after = control(org, "POST", "/clock", json={"advance_seconds": 3600}).json()["now"]
    assert after > before
    for seconds in (-1, "many", 10**12):
        assert control(org, "POST", "/clock", json={"advance_seconds": seconds}).status_code == 400


def test_a_record_is_held(org: Org, api: httpx.Client) -> None:
    account = org.create("Account", Name="Acme")
    assert control(org, "POST", "/locks", json={"id": account[:15], "seconds": 5}).json() == {"held": account}
    answer = api.patch(f"/sobjects/Account/{account}", json={"Phone": "1"})
    assert answer.json()[0]["errorCode"] == "UNABLE_TO_LOCK_ROW"
    control(org, "DELETE", "/locks")
    assert api.patch(f"/sobjects/Account/{account}", json={"Phone": "1"}).status_code == 204
    for body in ({}, {"id": "x"}, {"id": account, "seconds": 0}, {"id": account, "seconds": "long"}):
        assert control(org, "POST", "/locks", json=body).status_code == 400


def test_tokens_are_ended(org: Org, api: httpx.Client) -> None:
    api.get("/limits")
    assert control(org, "POST", "/tokens/expire").json() == {"expired": 1}
    assert statuses(api, 1) == [401]


def test_the_log_tells_what_was_asked_but_no_secret(org: Org, api: httpx.Client) -> None:
    api.get("/limits?a=b")
    httpx.get(f"{org.url}/services/oauth2/userinfo?access_token=secret")
    seen = control(org, "GET", "/log").json()["requests"]
    assert [(one["method"], one["query"], one["status"]) for one in seen] == [
        ("GET", "a=b", 200),
        ("GET", "", 403),
    ]
    control(org, "DELETE", "/log")
    assert control(org, "GET", "/log").json() == {"requests": []}


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'"clear"'])
def test_what_is_no_object_is_refused(org: Org, body: bytes) -> None:
    answer = control(org, "POST", "/faults", content=body)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
