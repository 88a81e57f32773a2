"""The faults of the real service, called up over HTTP, and the control API that calls them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import httpx
import pytest

from runner.emulator.errors import OptionError
from runner.emulator.faults import Faults, parse
from runner.emulator.testing import Org, start_org
from tests.emulator.bulk import Bulk2, table
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


ERRORS = {
    "REQUEST_LIMIT_EXCEEDED": (403, "TotalRequests Limit exceeded."),
    "QUERY_TIMEOUT": (400, "Your query request was running for too long."),
    "SERVER_UNAVAILABLE": (503, "Server Too Busy"),
}


@pytest.mark.parametrize(("code", "said"), ERRORS.items())
def test_an_error_of_the_real_service(org: Org, api: httpx.Client, code: str, said: tuple[int, str]) -> None:
    org.fault(f"error:code={code},count=1")
    answer = api.get("/limits")
    assert (answer.status_code, answer.json()[0]["message"], answer.json()[0]["errorCode"]) == (*said, code)


def test_each_api_is_refused_in_its_own_shape(org: Org) -> None:
    org.fault("error:code=REQUEST_LIMIT_EXCEEDED,path=/services/")
    in_xml = httpx.get(f"{org.url}/services/async/62.0/job/750")
    assert b"<exceptionCode>RequestLimitExceeded</exceptionCode>" in in_xml.content
    in_json = httpx.get(
        f"{org.url}/services/async/62.0/job/750", headers={"Content-Type": "application/json"}
    )
    assert in_json.json()["exceptionCode"] == "RequestLimitExceeded"
    over_soap = httpx.post(f"{org.url}/services/Soap/u/62.0", content=b"")
    assert b"<faultcode>sf:REQUEST_LIMIT_EXCEEDED</faultcode>" in over_soap.content


def test_a_latency_with_jitter_is_the_same_for_a_seed() -> None:
    faults = [Faults(("latency:ms=100,jitter=50,seed=3",)) for _ in range(2)]
    waits = [[each.strike("GET", "/services/data")[0] for _ in range(20)] for each in faults]
    assert waits[0] == waits[1]
    assert all(0.1 <= wait <= 0.15 for wait in waits[0])
    assert len(set(waits[0])) > 10


def test_a_body_that_stalls(org: Org, api: httpx.Client) -> None:
    org.fault("stall:seconds=600,count=1")
    with api.stream("GET", "/limits", timeout=1.0) as answer, pytest.raises(httpx.ReadTimeout):
        answer.read()
    org.fault("stall:seconds=0,count=1")
    with pytest.raises(httpx.RemoteProtocolError):
        api.get("/limits")
    assert api.get("/limits").status_code == 200


@pytest.fixture
def accounts() -> Iterator[Org]:
    """1,000 contacts, which a query gives in five pages."""
    with start_org(records=1_000) as running:
        yield running


def pages(org: Org) -> list[list[str]]:
    """The ids of each page."""
    found, url = [], "/services/data/v62.0/query?q=SELECT+Id+FROM+Contact+ORDER+BY+Id"
    headers = {"Authorization": f"Bearer {org.token()}", "Sforce-Query-Options": "batchSize=200"}
    while url:
        answer = httpx.get(org.url + url, headers=headers).json()
        found.append([record["Id"] for record in answer["records"]])
        url = answer.get("nextRecordsUrl", "")
    return found


def test_rows_that_come_again_on_the_next_page(accounts: Org) -> None:
    plain = pages(accounts)
    accounts.fault("duplicate:rows=2")
    found = pages(accounts)
    assert [len(page) for page in found] == [200, 202, 202, 202, 202]
    assert [page[:2] for page in found[1:]] == [page[-2:] for page in plain[:-1]]
    assert [page[2:] for page in found[1:]] == plain[1:]


def test_rows_in_another_order(accounts: Org) -> None:
    plain = pages(accounts)
    accounts.fault("shuffle:seed=4,count=1")
    found = pages(accounts)
    assert (found[0] != plain[0], sorted(found[0]), found[1:]) == (True, plain[0], plain[1:])


def test_a_locator_that_has_expired(accounts: Org) -> None:
    api = client_of(accounts)
    accounts.fault("locator:count=1")
    first = api.get(
        "/query?q=SELECT+Id+FROM+Contact", headers={"Sforce-Query-Options": "batchSize=200"}
    ).json()
    url = accounts.url + first["nextRecordsUrl"]
    assert api.get(url).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
    assert api.get(url).status_code == 200


def test_pages_of_a_bulk_query_have_these_faults_too(accounts: Org) -> None:
    bulk = Bulk2(accounts)
    job = bulk.query("SELECT Id FROM Contact ORDER BY Id")
    plain = [row["Id"] for row in table(bulk.results(job).text)]
    accounts.fault("duplicate:path=/results")
    first = bulk.results(job, maxRecords=400)
    again = bulk.results(job, maxRecords=400, locator=first.headers["Sforce-Locator"])
    assert [row["Id"] for row in table(again.text)] == plain[399:800]
    accounts.clear_faults()
    accounts.fault("locator:count=1")
    refused = bulk.results(job, locator=first.headers["Sforce-Locator"])
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")
    accounts.fault("foreign_page:count=1")
    url = bulk.http.get(f"{bulk.base}/query/{job}/resultPages").json()["resultPages"][0]["resultUrl"]
    assert url.startswith("https://elsewhere.example.com/services/data/")


def test_a_clock_that_is_ahead_of_the_records(org: Org, api: httpx.Client) -> None:
    org.fault("skew:seconds=3600,count=1")
    ahead, right = (parsedate_to_datetime(api.get("/limits").headers["Date"]) for _ in range(2))
    assert 3590 < (ahead - right).total_seconds() <= 3600


def test_an_org_that_moves_when_a_token_is_renewed(org: Org, api: httpx.Client) -> None:
    org.fault("move:count=1")
    form = {
        "grant_type": "refresh_token",
        "refresh_token": org.refresh_token(),
        "client_id": org.client_id,
        "client_secret": org.client_secret,
    }
    told = httpx.post(f"{org.url}/services/oauth2/token", data=form).json()
    assert told["instance_url"] == org.url.replace("127.0.0.1", "localhost")
    gone = api.get("/limits")
    assert (gone.status_code, b"URL No Longer Exists" in gone.content) == (404, True)
    headers = {"Authorization": f"Bearer {told['access_token']}"}
    assert httpx.get(f"{told['instance_url']}/services/data/v62.0/limits", headers=headers).status_code == 200


def test_single_records_that_cannot_be_written(org: Org, api: httpx.Client) -> None:
    org.fault("row:object=Contact,after=1,count=2")
    bulk = Bulk2(org)
    job = bulk.ingest("LastName\nA\nB\nC\nD\n")
    assert [row["LastName"] for row in bulk.succeeded(job)] == ["A", "D"]
    error = "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1 records:--"
    assert [row["sf__Error"] for row in bulk.failed(job)] == [error, error]
    org.fault("row:code=DUPLICATES_DETECTED,object=Lead,count=1")
    assert (
        api.post("/sobjects/Lead", json={"LastName": "x", "Company": "y"}).json()[0]["errorCode"]
        == "DUPLICATES_DETECTED"
    )


def test_what_commits_late_has_an_older_stamp(org: Org, api: httpx.Client) -> None:
    kept = str(org.query("SELECT Id FROM Contact")[0]["Id"])
    org.fault("late:seconds=120,count=3")
    made = api.post("/sobjects/Contact", json={"LastName": "Late"}).json()["id"]
    api.patch(f"/sobjects/Contact/{kept}", json={"Title": "Late"})
    other = str(org.query("SELECT Id FROM Contact")[1]["Id"])
    api.delete(f"/sobjects/Contact/{other}")
    began = org.now()
    seen = {str(row["Id"]): row["Title"] for row in org.query("SELECT Id, Title FROM Contact")}
    assert (made in seen, seen[kept] == "Late", other in seen) == (False, False, True)
    new = api.post("/sobjects/Contact", json={"LastName": "Prompt"}).json()["id"]
    assert new > made
    org.advance(121)
    api.get("/limits")
    rows = {str(row["Id"]): row for row in org.query("SELECT Id, Title, SystemModstamp FROM Contact")}
    assert (rows[kept]["Title"], other in rows) == ("Late", False)
    assert str(rows[made]["SystemModstamp"]) <= began < org.now()


def test_bulk_uploads_can_commit_late_too(org: Org) -> None:
    org.fault("late:path=/jobs/ingest,method=PATCH")
    bulk = Bulk2(org)
    job = bulk.ingest("LastName\nLate\n")
    assert bulk.info("ingest", job)["numberRecordsProcessed"] == 1
    assert org.query("SELECT Id FROM Contact WHERE LastName = 'Late'") == []
    assert control(org, "POST", "/commit").json() == {"committed": 1}
    assert len(org.query("SELECT Id FROM Contact WHERE LastName = 'Late'")) == 1


WRONG = {
    "sttus:code=503": "'sttus' is no fault; there are",
    "status:kode=503": "'kode' in the fault 'status:kode=503' is not known; status takes after, code",
    "status:code": "'code' in the fault 'status:code' is not known",
    "status:code=many": "code in the fault 'status:code=many' is no number: 'many'",
    "status:code=99": "code in the fault 'status:code=99' must be 200 to 599",
    "latency:ms=-1": "ms in the fault 'latency:ms=-1' must be 0 to 600,000",
    "reset:probability=2": "probability in the fault 'reset:probability=2' must be 0 to 1",
    "job:becomes=rich": "becomes in the fault 'job:becomes=rich' must be one of failed, aborted, stuck, vanished",
    "error:code=NOPE": "code in the fault 'error:code=NOPE' must be one of REQUEST_LIMIT_EXCEEDED, ",
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


def test_policies_change_while_it_runs(org: Org, api: httpx.Client) -> None:
    said = control(
        org, "POST", "/policies", json={"api_limit": 1, "hidden_fields": "Contact.Title, Lead.Title"}
    ).json()
    assert (said["api_limit"], said["hidden_fields"]) == (1, ["Contact.Title", "Lead.Title"])
    assert statuses(api, 2) == [200, 403]
    assert control(org, "POST", "/policies", json={"api_limit": None}).json()["api_limit"] is None
    assert api.get("/query?q=SELECT+Title+FROM+Contact").status_code == 400
    for body in (
        {"records": 5},
        {"api_limit": "many"},
        {"hidden_fields": ["Contact"]},
        {"introspection": "maybe"},
    ):
        answer = control(org, "POST", "/policies", json=body)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_ARGUMENT")


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


def test_records_are_written_by_the_control_api(org: Org) -> None:
    told = control(
        org, "POST", "/records", json={"object": "Lead", "create": [{"LastName": "x", "Company": "y"}]}
    ).json()
    made = told["created"][0]
    assert org.query(f"SELECT LastName FROM Lead WHERE Id = '{made}'")[0]["LastName"] == "x"
    control(org, "POST", "/records", json={"object": "Lead", "update": [{"Id": made, "Title": "z"}]})
    assert org.query(f"SELECT Title FROM Lead WHERE Id = '{made}'")[0]["Title"] == "z"
    control(org, "POST", "/records", json={"object": "Lead", "delete": [made]})
    assert org.query(f"SELECT Id FROM Lead WHERE Id = '{made}'") == []
    control(org, "POST", "/records", json={"object": "Lead", "undelete": [made]})
    late = {"object": "Lead", "update": [{"Id": made, "Title": "late"}], "late_seconds": 60}
    control(org, "POST", "/records", json=late)
    assert org.query(f"SELECT Title FROM Lead WHERE Id = '{made}'")[0]["Title"] == "z"
    assert control(org, "POST", "/commit").json() == {"committed": 1}
    assert org.query(f"SELECT Title FROM Lead WHERE Id = '{made}'")[0]["Title"] == "late"


RECORDS: dict[str, tuple[object, str]] = {
    "no object": ({"create": [{}]}, "INVALID_TYPE"),
    "no list": ({"object": "Lead", "create": {}}, "INVALID_ARGUMENT"),
    "no record": ({"object": "Lead", "create": ["x"]}, "INVALID_ARGUMENT"),
    "no id": ({"object": "Lead", "delete": [1]}, "INVALID_ARGUMENT"),
    "not to be": ({"object": "Lead", "create": [{"LastName": "x"}]}, "REQUIRED_FIELD_MISSING"),
    "no seconds": ({"object": "Lead", "create": [], "late_seconds": "soon"}, "INVALID_ARGUMENT"),
}


@pytest.mark.parametrize(("said", "code"), RECORDS.values(), ids=RECORDS)
def test_records_that_cannot_be_written_are_told(org: Org, said: object, code: str) -> None:
    answer = control(org, "POST", "/records", json=said)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'"clear"'])
def test_what_is_no_object_is_refused(org: Org, body: bytes) -> None:
    answer = control(org, "POST", "/faults", content=body)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
