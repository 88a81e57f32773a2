"""Bulk API 1.0, as older clients speak it: XML, JSON and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from runner.emulator.testing import Org, start_org
from runner.emulator.xml import Element, parse
from tests.emulator.bulk import table

DATALOAD = "http://www.force.com/2009/06/asyncapi/dataload"
MEDIA = {"CSV": "text/csv", "XML": "application/xml", "JSON": "application/json"}


class Bulk1:
    """Speaks XML, unless a job is one of JSON."""

    def __init__(self, org: Org) -> None:
        headers = {"X-SFDC-Session": org.token()}
        self.http = httpx.Client(base_url=f"{org.url}/services/async/62.0", headers=headers, timeout=30)

    def job(self, operation: str, content_type: str = "CSV", name: str = "Contact", **headers: str) -> str:
        body = {"operation": operation, "object": name, "contentType": content_type}
        answer = self.http.post("/job", json=body, headers=headers)
        assert (answer.status_code, answer.json()["state"]) == (201, "Open"), answer.text
        return str(answer.json()["id"])

    def upsert_job(self, key: str = "External_Id__c") -> str:
        body = {"operation": "upsert", "object": "Contact", "contentType": "CSV", "externalIdFieldName": key}
        return str(self.http.post("/job", json=body).json()["id"])

    def add_chunked(self, job: str, soql: str) -> str:
        """A batch in whose place others come; its id."""
        root = parse(self.post(job, soql).content)
        assert root.value("state") == "NotProcessed"
        return root.value("id")

    def add(self, job: str, body: str, content_type: str = "CSV") -> str:
        """A batch; its id."""
        answer = self.post(job, body, content_type)
        assert answer.status_code == 201, answer.text
        if content_type == "JSON":
            return str(answer.json()["id"])
        root = parse(answer.content)
        assert (root.name, root.value("jobId"), root.value("state")) == ("batchInfo", job, "Queued")
        return root.value("id")

    def post(self, job: str, body: str, content_type: str = "CSV") -> httpx.Response:
        headers = {"Content-Type": MEDIA[content_type]}
        return self.http.post(f"/job/{job}/batch", content=body.encode(), headers=headers)

    def batches(self, job: str) -> list[Element]:
        return parse(self.http.get(f"/job/{job}/batch").content).children

    def batch(self, job: str, batch: str) -> Element:
        return parse(self.http.get(f"/job/{job}/batch/{batch}").content)

    def get(self, job: str, batch: str, rest: str = "result") -> httpx.Response:
        return self.http.get(f"/job/{job}/batch/{batch}/{rest}".rstrip("/"))

    def change(self, job: str, state: str) -> httpx.Response:
        return self.http.post(f"/job/{job}", json={"state": state})

    def texts(self, job: str, batch: str) -> list[str]:
        """What all results of a query say."""
        listed = self.get(job, batch)
        as_json = listed.headers["Content-Type"] == MEDIA["JSON"]
        found = listed.json() if as_json else [child.text for child in parse(listed.content).children]
        return [self.get(job, batch, f"result/{result}").text for result in found]


@pytest.fixture(scope="module")
def org() -> Iterator[Org]:
    with start_org(records=0) as running:
        acme = running.create("Account", Name="A & <B>", External_Id__c="A-1")
        running.create("Contact", LastName="Byron", AccountId=acme, Birthdate="1970-01-02", DoNotCall=True)
        running.create("Contact", LastName="Alone")
        yield running


@pytest.fixture
def bulk(org: Org) -> Bulk1:
    return Bulk1(org)


SOQL = "SELECT LastName, Birthdate, DoNotCall, Account.Name FROM Contact WHERE LastName IN ('Byron', 'Alone') ORDER BY LastName"


def test_a_query_in_csv(bulk: Bulk1) -> None:
    job = bulk.job("query")
    batch = bulk.add(job, SOQL)
    told = bulk.batch(job, batch)
    assert (told.value("state"), told.value("numberRecordsProcessed")) == ("Completed", "2")
    assert bulk.texts(job, batch) == [
        '"LastName","Birthdate","DoNotCall","Account.Name"\n'
        '"Alone","","false",""\n"Byron","1970-01-02","true","A & <B>"\n'
    ]
    assert bulk.get(job, batch, "request").text == SOQL


def test_a_query_in_json_has_dates_in_milliseconds(org: Org, bulk: Bulk1) -> None:
    job = bulk.job("query", "JSON")
    batch = bulk.add(job, SOQL.replace("LastName,", "LastName, CreatedDate,", 1), "JSON")
    told = bulk.get(job, batch, "").json()
    assert (told["state"], told["stateMessage"], told["numberRecordsProcessed"]) == ("Completed", None, 2)
    results = bulk.get(job, batch).json()
    alone, byron = bulk.get(job, batch, f"result/{results[0]}").json()
    assert (alone["Account"], alone["Birthdate"], byron["Birthdate"]) == (None, None, 86_400_000)
    assert byron["Account"]["Name"] == "A & <B>"
    assert byron["attributes"]["type"] == "Contact"
    assert byron["CreatedDate"] % 1000 == 0


def test_a_query_in_xml(bulk: Bulk1) -> None:
    job = bulk.job("query", "XML")
    root = parse(bulk.texts(job, bulk.add(job, SOQL, "XML"))[0].encode())
    assert (root.name, [child.name for child in root.children]) == ("queryResult", ["records", "records"])
    alone, byron = root.children
    assert (alone.value("type"), alone.value("LastName"), byron.value("DoNotCall")) == (
        "Contact",
        "Alone",
        "true",
    )
    birthdate, account = alone.child("Birthdate"), byron.child("Account")
    assert birthdate is not None
    assert birthdate.is_nil
    assert account is not None
    assert (account.value("type"), account.value("Name")) == ("Account", "A & <B>")


@pytest.mark.parametrize("content_type", ["JSON", "XML"])
def test_a_query_without_records(bulk: Bulk1, content_type: str) -> None:
    job = bulk.job("query", content_type, "Lead")
    text = bulk.texts(job, bulk.add(job, "SELECT Id FROM Lead", content_type))[0]
    records = json.loads(text) if content_type == "JSON" else parse(text.encode()).children
    assert records == []


def test_a_result_of_more_rows_than_an_answer_has_comes_in_parts() -> None:
    with start_org(records=25, result_rows=10) as running:
        bulk = Bulk1(running)
        job = bulk.job("query")
        texts = bulk.texts(job, bulk.add(job, "SELECT Id FROM Contact"))
        assert [len(table(text)) for text in texts] == [10, 10, 5]
        assert len({row["Id"] for text in texts for row in table(text)}) == 25


STATE_MESSAGES = {
    "SELECT Nope FROM Contact": "InvalidBatch : Failed to process query: INVALID_FIELD: ",
    "SELECT Id, (SELECT Id FROM Contacts) FROM Account": "FeatureNotEnabled : Aggregate Relationships not supported in Bulk Query with CSV content type",
    "no query": "InvalidBatch : Failed to process query: MALFORMED_QUERY: ",
}


@pytest.mark.parametrize(("soql", "message"), STATE_MESSAGES.items())
def test_a_query_that_cannot_be_answered_fails_its_batch(bulk: Bulk1, soql: str, message: str) -> None:
    job = bulk.job("query")
    batch = bulk.add(job, soql)
    told = bulk.batch(job, batch)
    assert told.value("state") == "Failed"
    assert told.value("stateMessage").startswith(message.strip())
    assert bulk.get(job, batch).status_code == 400
    assert parse(bulk.http.get(f"/job/{job}").content).value("numberBatchesFailed") == "1"


def test_pk_chunking_makes_a_batch_for_each_span_of_ids() -> None:
    with start_org(records=25) as running:
        bulk = Bulk1(running)
        job = bulk.job("query", **{"Sforce-Enable-PKChunking": "chunkSize=10; parent=Contact"})
        asked = bulk.add_chunked(job, "SELECT Id FROM Contact WHERE LastName != 'Nobody'")
        batches = bulk.batches(job)
        assert [batch.value("state") for batch in batches] == [
            "NotProcessed",
            "Completed",
            "Completed",
            "Completed",
        ]
        assert batches[0].value("id") == asked
        rows = [
            row["Id"]
            for batch in batches[1:]
            for text in bulk.texts(job, batch.value("id"))
            for row in table(text)
        ]
        assert rows == [row["Id"] for row in running.query("SELECT Id FROM Contact ORDER BY Id")]


def test_pk_chunking_wants_no_order(bulk: Bulk1) -> None:
    job = bulk.job("query", **{"Sforce-Enable-PKChunking": "true"})
    root = parse(bulk.post(job, "SELECT Id FROM Contact ORDER BY Id").content)
    assert (root.value("state"), root.value("stateMessage").partition(" : ")[0]) == (
        "Failed",
        "FeatureNotEnabled",
    )


XML_BATCH = f"""<?xml version="1.0" encoding="UTF-8"?>
<sObjects xmlns="{DATALOAD}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <sObject><LastName>One &amp; two</LastName><Account><External_Id__c>A-1</External_Id__c></Account></sObject>
  <sObject><FirstName>Nameless</FirstName><Title xsi:nil="true"/></sObject>
</sObjects>"""


def test_an_upload_in_xml(org: Org, bulk: Bulk1) -> None:
    job = bulk.job("insert", "XML")
    batch = bulk.add(job, XML_BATCH, "XML")
    good, bad = parse(bulk.get(job, batch).content).children
    assert (good.value("success"), good.value("created")) == ("true", "true")
    errors = bad.child("errors")
    assert errors is not None
    assert (bad.value("success"), errors.value("statusCode"), errors.value("fields")) == (
        "false",
        "REQUIRED_FIELD_MISSING",
        "LastName",
    )
    kept = org.query(f"SELECT LastName, Account.Name FROM Contact WHERE Id = '{good.value('id')}'")[0]
    assert (kept["LastName"], kept["Account"]["Name"]) == ("One & two", "A & <B>")  # type: ignore[index]
    told = bulk.batch(job, batch)
    assert (told.value("numberRecordsProcessed"), told.value("numberRecordsFailed")) == ("2", "1")


def test_a_parent_in_xml_may_say_of_what_object_it_is(org: Org, bulk: Bulk1) -> None:
    lead = org.create("Lead", LastName="x", Company="y", External_Id__c="L-1")
    job = bulk.job("insert", "XML", "Task")
    who = "<Who><type>Lead</type><External_Id__c>L-1</External_Id__c></Who>"
    batch = bulk.add(job, f"<sObjects><sObject><Subject>Call</Subject>{who}</sObject></sObjects>", "XML")
    made = parse(bulk.get(job, batch).content).children[0].value("id")
    assert org.query(f"SELECT WhoId FROM Task WHERE Id = '{made}'")[0]["WhoId"] == lead


def test_an_upload_in_json(org: Org, bulk: Bulk1) -> None:
    record = org.create("Contact", LastName="Byron", Title="Countess", Department="Engines")
    job = bulk.job("update", "JSON")
    body = f'[{{"Id": "{record}", "Title": null, "attributes": {{"type": "Contact"}}}}, {{"Id": "{record[:-3]}", "DoNotCall": true}}, {{"Title": "x"}}]'
    results = bulk.get(job, bulk.add(job, body, "JSON")).json()
    assert results[:2] == [{"success": True, "created": False, "id": record, "errors": []}] * 2
    assert results[2]["errors"][0]["statusCode"] == "MISSING_ARGUMENT"
    kept = org.query(f"SELECT Title, Department, DoNotCall FROM Contact WHERE Id = '{record}'")[0]
    assert (kept["Title"], kept["Department"], kept["DoNotCall"]) == (None, "Engines", True)


def test_an_upload_in_csv_with_either_end_of_line(org: Org, bulk: Bulk1) -> None:
    job = bulk.upsert_job()
    batch = bulk.add(job, "External_Id__c,LastName\r\nB-1,New\r\nB-1,Same\r\n,Nobody\r\n")
    assert bulk.get(job, batch).headers["Content-Type"].startswith("text/csv")
    rows = table(bulk.get(job, batch).text)
    assert [(row["Success"], row["Created"]) for row in rows] == [
        ("true", "true"),
        ("true", "false"),
        ("false", "false"),
    ]
    assert rows[2]["Error"] == "MISSING_ARGUMENT:External_Id__c not specified:--"
    assert [
        row["LastName"] for row in org.query("SELECT LastName FROM Contact WHERE External_Id__c = 'B-1'")
    ] == ["Same"]


UPLOADS = {
    "no list": ("JSON", '{"LastName": "x"}', "InvalidBatch : Unable to parse JSON: the batch must be a list of objects"),
    "half a list": ("JSON", '[{"LastName"', "InvalidBatch : Unable to parse JSON: "),
    "half an element": ("XML", "<sObjects><sObject>", "InvalidBatch : Unable to parse the XML: "),
    "entities that grow": (
        "XML",
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><sObjects><sObject><LastName>&b;</LastName></sObject></sObjects>',
        "InvalidBatch : Unable to parse the XML: a DOCTYPE is not allowed",
    ),
    "a file of the machine": (
        "XML",
        '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><sObjects><sObject><LastName>&f;</LastName></sObject></sObjects>',
        "InvalidBatch : Unable to parse the XML: a DOCTYPE is not allowed",
    ),
    "too deep": ("XML", "<sObjects>" + "<a>" * 60 + "</a>" * 60 + "</sObjects>", "InvalidBatch : Unable to parse the XML: elements"),
    "an unknown field": ("JSON", '[{"LastName": "x", "Nope": 1}]', "InvalidBatch : Field name not found : Nope"),
    "too many": ("CSV", "LastName\n" + "x\n" * 10_001, "InvalidBatch : Too many records: 10001; a batch may have 10000"),
}  # fmt: skip


@pytest.mark.parametrize(("content_type", "body", "message"), UPLOADS.values(), ids=UPLOADS)
def test_an_upload_that_fails_whole(
    org: Org, bulk: Bulk1, content_type: str, body: str, message: str
) -> None:
    before = len(org.query("SELECT Id FROM Contact"))
    job = bulk.job("insert", content_type)
    batch = bulk.add(job, body, content_type)
    answer = bulk.get(job, batch, "")
    told = (
        answer.json()
        if content_type == "JSON"
        else {"stateMessage": parse(answer.content).value("stateMessage")}
    )
    assert told["stateMessage"].startswith(message)
    assert len(org.query("SELECT Id FROM Contact")) == before


def test_a_job_is_closed_once_and_takes_no_more(bulk: Bulk1) -> None:
    job = bulk.job("query")
    assert bulk.change(job, "Closed").json()["state"] == "Closed"
    assert bulk.change(job, "Closed").json()["exceptionCode"] == "InvalidJobState"
    assert parse(bulk.post(job, SOQL).content).value("exceptionCode") == "InvalidJobState"
    assert bulk.change(job, "Nope").json()["exceptionCode"] == "InvalidJob"


def test_batches_of_an_aborted_job_are_not_processed() -> None:
    with start_org(records=1, bulk_polls=5) as running:
        bulk = Bulk1(running)
        job = bulk.job("query")
        batch = bulk.add(job, "SELECT Id FROM Contact")
        assert bulk.batch(job, batch).value("state") == "InProgress"
        assert parse(bulk.get(job, batch).content).value("exceptionMessage") == "Batch not completed"
        assert bulk.change(job, "Aborted").json()["state"] == "Aborted"
        assert bulk.batch(job, batch).value("state") == "NotProcessed"


def test_a_job_in_xml(bulk: Bulk1) -> None:
    body = f"""<?xml version="1.0" encoding="UTF-8"?>
    <jobInfo xmlns="{DATALOAD}"><operation>insert</operation><object>contact</object>
    <concurrencyMode>Serial</concurrencyMode><contentType>CSV</contentType></jobInfo>"""
    answer = bulk.http.post("/job", content=body, headers={"Content-Type": "application/xml; charset=UTF-8"})
    root = parse(answer.content)
    assert (root.value("object"), root.value("concurrencyMode"), root.value("apiVersion")) == (
        "Contact",
        "Serial",
        "62.0",
    )
    assert root.value("createdDate").endswith(".000Z")
    told = parse(bulk.http.get(f"/job/{root.value('id')}").content)
    assert (told.name, told.value("state"), told.value("numberBatchesTotal")) == ("jobInfo", "Open", "0")


JOBS = {
    "no json": (MEDIA["JSON"], "{", "InvalidJob"),
    "no object": (MEDIA["JSON"], '{"operation": "query", "contentType": "CSV"}', "InvalidJob"),
    "no operation": (MEDIA["JSON"], '{"object": "Contact"}', "InvalidJob"),
    "a format": (
        MEDIA["JSON"],
        '{"object": "Contact", "operation": "query", "contentType": "ZIP_CSV"}',
        "InvalidJob",
    ),
    "no key": (
        MEDIA["JSON"],
        '{"object": "Contact", "operation": "upsert", "contentType": "CSV"}',
        "InvalidJob",
    ),
    "no xml": (MEDIA["XML"], "jobInfo", "InvalidXML"),
    "another root": (MEDIA["XML"], "<job/>", "InvalidJob"),
    "nothing": (MEDIA["XML"], "", "InvalidXML"),
}


@pytest.mark.parametrize(("media", "body", "code"), JOBS.values(), ids=JOBS)
def test_a_job_that_cannot_be(bulk: Bulk1, media: str, body: str, code: str) -> None:
    answer = bulk.http.post("/job", content=body, headers={"Content-Type": media})
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, media)
    found = (
        answer.json()["exceptionCode"]
        if media == MEDIA["JSON"]
        else parse(answer.content).value("exceptionCode")
    )
    assert found == code


def test_what_there_is_not(bulk: Bulk1) -> None:
    job = bulk.job("query")
    assert parse(bulk.http.get("/job/nope").content).value("exceptionCode") == "InvalidJob"
    assert parse(bulk.get(job, "nope", "").content).value("exceptionCode") == "InvalidBatch"
    batch = bulk.add(job, SOQL)
    assert parse(bulk.get(job, batch, "result/nope").content).value("exceptionCode") == "InvalidBatch"
    assert bulk.http.put(f"/job/{job}").status_code == 404
    assert bulk.post(job, SOQL, "JSON").status_code == 400


def test_without_a_session(bulk: Bulk1) -> None:
    answer = bulk.http.get("/job/750", headers={"X-SFDC-Session": "nope"})
    assert answer.status_code == 400
    assert b"<exceptionCode>InvalidSessionId</exceptionCode>" in answer.content


def test_its_jobs_are_listed_by_bulk_api_2_0(org: Org, bulk: Bulk1) -> None:
    job = bulk.job("query")
    headers = {"Authorization": f"Bearer {org.token()}"}
    told = httpx.get(f"{org.url}/services/data/v62.0/jobs/query?jobType=Classic", headers=headers).json()
    assert (told["records"][0]["id"], told["records"][0]["jobType"], told["records"][0]["state"]) == (
        job,
        "Classic",
        "Open",
    )
