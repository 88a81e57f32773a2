"""Bulk API 2.0: queries and uploads, from the first request to the last row."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator

import pytest

from runner.emulator.bulk.selection import COMPOUND
from runner.emulator.objects import standard
from runner.emulator.testing import Org, start_org
from tests.emulator.bulk import Bulk2, table

ODD = 'He said "a, b"\r\nand left; ` ^ | \t 李'


@pytest.fixture(scope="module")
def org() -> Iterator[Org]:
    """Acme with three contacts, one of them deleted."""
    with start_org(records=0) as running:
        acme = running.create(
            "Account", Name="Acme", AnnualRevenue=1.5, NumberOfEmployees=3, External_Id__c="A-1"
        )
        running.create("Contact", LastName="Byron", AccountId=acme, Birthdate="1815-12-10", DoNotCall=True)
        running.create("Contact", LastName="Alone", Description=ODD)
        running.delete("Contact", running.create("Contact", LastName="Gone"))
        yield running


@pytest.fixture
def bulk(org: Org) -> Bulk2:
    return Bulk2(org)


def test_a_row_as_the_real_service_writes_it(org: Org, bulk: Bulk2) -> None:
    soql = "SELECT Name, Account.Name, Account.AnnualRevenue, Account.NumberOfEmployees, Birthdate, DoNotCall, SystemModstamp FROM Contact ORDER BY Name"
    answer = bulk.results(bulk.query(soql))
    stamps = [row["SystemModstamp"][:19] for row in org.query(soql)]  # type: ignore[index]
    assert answer.text.splitlines() == [
        '"Name","Account.Name","Account.AnnualRevenue","Account.NumberOfEmployees","Birthdate","DoNotCall","SystemModstamp"',
        f'"Alone","","","","","false","{stamps[0]}.000Z"',
        f'"Byron","Acme","1.5","3","1815-12-10","true","{stamps[1]}.000Z"',
    ]
    assert answer.headers["Content-Type"] == "text/csv; charset=UTF-8"
    assert answer.headers["Sforce-NumberOfRecords"] == "2"
    assert answer.headers["Sforce-Locator"] == "null"
    assert answer.headers["Sforce-Limit-Info"].startswith("api-usage=")


@pytest.mark.parametrize(
    ("name", "delimiter"),
    [("COMMA", ","), ("TAB", "\t"), ("PIPE", "|"), ("SEMICOLON", ";"), ("CARET", "^"), ("BACKQUOTE", "`")],
)
@pytest.mark.parametrize(("ending", "end"), [("LF", "\n"), ("CRLF", "\r\n")])
def test_the_form_of_the_csv(bulk: Bulk2, name: str, delimiter: str, ending: str, end: str) -> None:
    soql = "SELECT LastName, Description FROM Contact WHERE LastName = 'Alone'"
    answer = bulk.results(bulk.query(soql, columnDelimiter=name, lineEnding=ending))
    quoted = ODD.replace('"', '""')
    assert (
        answer.content.decode() == f'"LastName"{delimiter}"Description"{end}"Alone"{delimiter}"{quoted}"{end}'
    )


def test_query_all_sees_what_was_deleted(bulk: Bulk2) -> None:
    job = bulk.query("SELECT LastName, IsDeleted FROM Contact ORDER BY LastName", operation="queryAll")
    assert [row["IsDeleted"] for row in table(bulk.results(job).text)] == ["false", "false", "true"]


def test_before_version_50_columns_stand_by_the_alphabet(org: Org) -> None:
    old = Bulk2(org, "49.0")
    job = old.query("SELECT LastName, Account.Name, Id FROM Contact")
    assert old.results(job).text.splitlines()[0] == '"Account.Name","Id","LastName"'


def test_a_query_without_records_gives_the_header(bulk: Bulk2) -> None:
    answer = bulk.results(bulk.query("SELECT Id FROM Lead"))
    assert (answer.text, answer.headers["Sforce-NumberOfRecords"]) == ('"Id"\n', "0")


QUERIES = {
    "SELECT Id FROM": "MALFORMED_QUERY",
    "SELECT Nope FROM Contact": "INVALID_FIELD",
    "SELECT Id FROM Nope": "INVALID_TYPE",
    "SELECT Id, (SELECT Id FROM Contacts) FROM Account": "FEATURENOTENABLED",
    "SELECT count() FROM Contact": "API_ERROR",
    "SELECT LastName, count(Id) FROM Contact GROUP BY LastName": "API_ERROR",
    "SELECT Id FROM Contact LIMIT 5 OFFSET 2": "API_ERROR",
    "": "MALFORMED_QUERY",
}


@pytest.mark.parametrize(("soql", "code"), QUERIES.items())
def test_a_query_that_cannot_be_answered_makes_no_job(bulk: Bulk2, soql: str, code: str) -> None:
    answer = bulk.http.post(f"{bulk.base}/query", json={"operation": "query", "query": soql})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


BODIES: dict[str, tuple[str, object, str]] = {
    "no json": ("query", b"{", "JSON_PARSER_ERROR"),
    "a list": ("query", [], "JSON_PARSER_ERROR"),
    "an unknown name": ("query", {"operation": "query", "query": "SELECT Id FROM Lead", "colour": 1}, "JSON_PARSER_ERROR"),
    "no operation": ("query", {"query": "SELECT Id FROM Lead"}, "INVALIDOPERATION"),
    "a delimiter": ("query", {"operation": "query", "query": "SELECT Id FROM Lead", "columnDelimiter": ","}, "INVALIDVALUE"),
    "a type": ("query", {"operation": "query", "query": "SELECT Id FROM Lead", "contentType": "JSON"}, "INVALIDVALUE"),
    "a list for an operation": ("query", {"operation": ["query"], "query": "SELECT Id FROM Lead"}, "INVALIDOPERATION"),
    "an object for a delimiter": ("ingest", {"operation": "insert", "object": "Lead", "columnDelimiter": {"a": 1}}, "INVALIDVALUE"),
    "an ending": ("ingest", {"operation": "insert", "object": "Lead", "lineEnding": "CR"}, "INVALIDVALUE"),
    "an object": ("ingest", {"operation": "insert", "object": "Nope"}, "INVALIDENTITY"),
    "a query to write": ("ingest", {"operation": "query", "object": "Lead"}, "INVALIDOPERATION"),
    "no external id": ("ingest", {"operation": "upsert", "object": "Lead"}, "INVALIDJOB"),
    "not an external id": ("ingest", {"operation": "upsert", "object": "Lead", "externalIdFieldName": "Email"}, "INVALIDJOB"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "body", "code"), BODIES.values(), ids=BODIES)
def test_a_job_that_cannot_be(bulk: Bulk2, kind: str, body: object, code: str) -> None:
    sent = {"content": body} if isinstance(body, bytes) else {"json": body}
    answer = bulk.http.post(f"{bulk.base}/{kind}", **sent)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


@pytest.fixture(scope="module")
def many() -> Iterator[Org]:
    with start_org(records=2_300, result_rows=500) as running:
        yield running


def test_pages_follow_one_another_by_their_locators(many: Org) -> None:
    bulk = Bulk2(many)
    job = bulk.query("SELECT Id FROM Contact")
    found: list[str] = []
    answer = bulk.results(job, maxRecords=300)
    sizes = [answer.headers["Sforce-NumberOfRecords"]]
    found += [row["Id"] for row in table(answer.text)]
    while (locator := answer.headers["Sforce-Locator"]) != "null":
        answer = bulk.results(job, maxRecords=300, locator=locator)
        sizes.append(answer.headers["Sforce-NumberOfRecords"])
        found += [row["Id"] for row in table(answer.text)]
    assert found == [row["Id"] for row in many.query("SELECT Id FROM Contact LIMIT 2000")] + found[2000:]
    assert (len(set(found)), sizes) == (2_300, ["300"] * 7 + ["200"])


def test_more_than_the_most_is_not_given(many: Org) -> None:
    bulk = Bulk2(many)
    answer = bulk.results(bulk.query("SELECT Id FROM Contact"), maxRecords=10_000)
    assert (answer.headers["Sforce-NumberOfRecords"], answer.headers["Sforce-Locator"]) == ("500", "NTAw")


def test_result_pages_can_be_read_side_by_side(many: Org) -> None:
    bulk = Bulk2(many)
    url: str | None = f"{bulk.base}/query/{bulk.query('SELECT Id FROM Contact WHERE Id != null')}/resultPages"
    seen: list[str] = []
    answers = []
    while url:
        answers.append(bulk.http.get(url).json())
        for page in answers[-1]["resultPages"]:
            seen += [row["Id"] for row in table(bulk.http.get(page["resultUrl"]).text)]
        url = answers[-1]["nextRecordsUrl"]
    assert [(len(answer["resultPages"]), answer["done"]) for answer in answers] == [(5, True)]
    assert (len(seen), len(set(seen))) == (2_300, 2_300)


def test_more_than_five_result_pages_follow_in_a_next_answer() -> None:
    with start_org(records=60, result_rows=10) as running:
        bulk = Bulk2(running)
        url = f"{bulk.base}/query/{bulk.query('SELECT Id FROM Contact')}/resultPages"
        first = bulk.http.get(url).json()
        second = bulk.http.get(first["nextRecordsUrl"]).json()
        assert (len(first["resultPages"]), first["done"]) == (5, False)
        assert (len(second["resultPages"]), second["done"], second["nextRecordsUrl"]) == (1, True, None)


@pytest.mark.parametrize("size", ["0", "-1", "many", "9" * 5_000, "1.5"])
def test_a_size_that_is_none(many: Org, size: str) -> None:
    bulk = Bulk2(many)
    answer = bulk.results(bulk.query("SELECT Id FROM Contact"), maxRecords=size)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALIDVALUE")


@pytest.mark.parametrize(
    "locator",
    [base64.b64encode(b"9" * 5_001).decode(), "nope", "MQ==", "LTE", "OTk5OTk5", "MDE", "é", "\x00"],
)
def test_a_locator_that_is_none(many: Org, locator: str) -> None:
    bulk = Bulk2(many)
    answer = bulk.results(bulk.query("SELECT Id FROM Contact"), locator=locator)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


def test_results_are_those_of_when_the_job_ran() -> None:
    with start_org(records=3) as running:
        bulk = Bulk2(running)
        job = bulk.query("SELECT Id, LastName FROM Contact")
        before = bulk.results(job).text
        for row in running.query("SELECT Id FROM Contact"):
            running.update("Contact", str(row["Id"]), LastName="Changed")
        assert bulk.results(job).text == before


def test_another_version_than_the_job_s_gets_no_results(org: Org, bulk: Bulk2) -> None:
    job = bulk.query("SELECT Id FROM Contact")
    assert Bulk2(org, "61.0").results(job).status_code == 409


def test_columns_beyond_what_a_function_of_sqlite_takes(bulk: Bulk2) -> None:
    objects = standard().objects
    below = {
        "": "Contact",
        "Account.": "Account",
        "Owner.": "User",
        "ReportsTo.": "Contact",
        "ReportsTo.Account.": "Account",
    }
    fields = [
        parent + field.name
        for parent, name in below.items()
        for field in objects[name].fields
        if field.kind.value not in COMPOUND
    ]
    soql = f"SELECT {', '.join(fields)} FROM Contact WHERE LastName = 'Byron'"
    row = table(bulk.results(bulk.query(soql)).text)[0]
    assert (list(row), len(row) > 126) == (fields, True)
    assert (row["LastName"], row["Account.Name"], row["ReportsTo.Account.Phone"]) == ("Byron", "Acme", "")


def test_a_job_takes_as_many_questions_as_the_org_was_told() -> None:
    with start_org(records=1, bulk_polls=2) as running:
        bulk = Bulk2(running)
        job = bulk.query("SELECT Id FROM Contact")
        assert bulk.results(job).status_code == 204
        assert [bulk.state("query", job) for _ in range(3)] == ["InProgress", "InProgress", "JobComplete"]


def test_a_job_takes_as_long_as_the_org_was_told_by_its_clock() -> None:
    with start_org(records=1, bulk_seconds=60.0) as running:
        bulk = Bulk2(running)
        job = bulk.ingest("LastName\nByron\n")
        assert bulk.state("ingest", job) == "InProgress"
        running.advance(61)
        bulk.http.get("/services/data")
        assert bulk.state("ingest", job) == "JobComplete"


def test_a_job_can_be_aborted_before_it_is_over() -> None:
    with start_org(records=0, bulk_polls=9) as running:
        bulk = Bulk2(running)
        query, ingest = (
            bulk.query("SELECT Id FROM Contact"),
            bulk.ingest('LastName,Title\nByron,\n"Lo, ve",x\n'),
        )
        for kind, job in (("query", query), ("ingest", ingest)):
            assert bulk.patch(kind, job, "Aborted").json()["state"] == "Aborted"
            assert bulk.state(kind, job) == "Aborted"
            again = bulk.patch(kind, job, "Aborted")
            assert again.json() == [
                {"message": "Aborting already Aborted Job not allowed", "errorCode": "INVALIDJOBSTATE"}
            ]
        assert bulk.outcome(ingest, "unprocessedrecords") == 'LastName,Title\nByron,\n"Lo, ve",x\n'
        assert bulk.succeeded(ingest) == bulk.failed(ingest) == []
        assert running.query("SELECT Id FROM Contact") == []


def test_a_job_that_is_complete_cannot_be_aborted(bulk: Bulk2) -> None:
    answer = bulk.patch("query", bulk.query("SELECT Id FROM Contact"), "Aborted")
    assert answer.json() == [
        {"message": "Aborting already Completed Job not allowed", "errorCode": "INVALIDJOBSTATE"}
    ]


def test_jobs_are_listed_the_latest_first_and_deleted(bulk: Bulk2) -> None:
    first, second = (bulk.query("SELECT Id FROM Contact") for _ in range(2))
    told = bulk.http.get(f"{bulk.base}/query").json()
    assert [job["id"] for job in told["records"]][:2] == [second, first]
    assert (told["done"], told["nextRecordsUrl"], told["records"][0]["jobType"]) == (True, None, "V2Query")
    assert bulk.http.get(f"{bulk.base}/query", params={"jobType": "Classic"}).json()["records"] == []
    assert bulk.http.delete(f"{bulk.base}/query/{first}").status_code == 204
    assert bulk.http.get(f"{bulk.base}/query/{first}").json()[0]["errorCode"] == "NOT_FOUND"
    assert first not in {job["id"] for job in bulk.http.get(f"{bulk.base}/query").json()["records"]}


def test_a_query_job_is_no_ingest_job(bulk: Bulk2) -> None:
    job = bulk.query("SELECT Id FROM Contact")
    assert bulk.http.get(f"{bulk.base}/ingest/{job}").status_code == 404


UPLOAD = """LastName,Birthdate,Account.External_Id__c,Email
Good,2000-02-03,A-1,a@b.example
"Quo""ted, and
more",,,
,,,
Late,2000-20-20,,
Lost,,Nobody,
Wrong,,,no-address
"""


def test_each_record_of_an_upload_has_its_own_outcome(org: Org, bulk: Bulk2) -> None:
    job = bulk.ingest(UPLOAD)
    told = bulk.info("ingest", job)
    assert (told["state"], told["numberRecordsProcessed"], told["numberRecordsFailed"]) == (
        "JobComplete",
        6,
        4,
    )
    good = bulk.succeeded(job)
    assert [(row["sf__Created"], row["LastName"]) for row in good] == [
        ("true", "Good"),
        ("true", 'Quo"ted, and\nmore'),
    ]
    assert [row["sf__Error"] for row in bulk.failed(job)] == [
        "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --",
        "INVALID_FIELD:Failed to deserialize field at col 1. Due to, '2000-20-20' is not a valid value for the type xsd:date:Birthdate --",
        "INVALID_FIELD:Foreign key external ID: nobody not found for field External_Id__c in entity Account:--",
        "INVALID_EMAIL_ADDRESS:Email: invalid email address: no-address:Email --",
    ]
    kept = org.query(
        f"SELECT LastName, Birthdate, Account.Name FROM Contact WHERE Id = '{good[0]['sf__Id']}'"
    )[0]
    assert (kept["Birthdate"], kept["Account"]["Name"]) == ("2000-02-03", "Acme")  # type: ignore[index]
    assert bulk.outcome(job, "unprocessedrecords") == "LastName,Birthdate,Account.External_Id__c,Email\n"
    header = bulk.outcome(job, "successfulResults").split("\n")[0]
    assert header == '"sf__Id","sf__Created",LastName,Birthdate,Account.External_Id__c,Email'


def test_a_reference_to_several_objects_names_the_one_that_is_meant(org: Org, bulk: Bulk2) -> None:
    lead = org.create("Lead", LastName="x", Company="y", External_Id__c="L-1")
    job = bulk.ingest("Subject,Lead:Who.External_Id__c\nCall,L-1\nCall,\nCall,L-2\n", object="Task")
    made = [row["sf__Id"] for row in bulk.succeeded(job)]
    found = org.query(f"SELECT WhoId FROM Task WHERE Id IN ('{made[0]}', '{made[1]}') ORDER BY Id")
    assert [row["WhoId"] for row in found] == [lead, None]
    assert len(bulk.failed(job)) == 1


def test_an_empty_cell_leaves_a_field_and_the_sign_for_null_empties_it(org: Org, bulk: Bulk2) -> None:
    record = org.create("Contact", LastName="Byron", Title="Countess", Department="Engines")
    job = bulk.ingest(f"Id,Title,Department\n{record},,#N/A\n", "update")
    assert bulk.succeeded(job)[0]["sf__Created"] == "false"
    kept = org.query(f"SELECT Title, Department FROM Contact WHERE Id = '{record}'")[0]
    assert (kept["Title"], kept["Department"]) == ("Countess", None)


def test_upsert_by_an_external_id(org: Org, bulk: Bulk2) -> None:
    org.create("Contact", LastName="Old", External_Id__c="U-1")
    job = bulk.ingest(
        "External_Id__c;LastName\r\nU-1;Changed\r\nU-2;New\r\n;Nobody\r\n",
        "upsert",
        externalIdFieldName="external_id__c",
        columnDelimiter="SEMICOLON",
        lineEnding="CRLF",
    )
    good = bulk.outcome(job, "successfulResults").split("\r\n")
    assert good[0] == '"sf__Id";"sf__Created";External_Id__c;LastName'
    assert [line.split(";")[1:] for line in good[1:3]] == [
        ['"false"', '"U-1"', '"Changed"'],
        ['"true"', '"U-2"', '"New"'],
    ]
    assert "MISSING_ARGUMENT:External_Id__c not specified:--" in bulk.outcome(job, "failedResults")
    assert bulk.info("ingest", job)["externalIdFieldName"] == "External_Id__c"


def test_deleting_and_deleting_for_good(org: Org, bulk: Bulk2) -> None:
    one, two = (org.create("Contact", LastName="Byron") for _ in range(2))
    other = org.create("Lead", LastName="x", Company="y")
    job = bulk.ingest(f"Id\n{one}\n{one}\n{other}\nnope\n", "delete")
    assert [row["sf__Id"] for row in bulk.succeeded(job)] == [one]
    assert [(row["sf__Id"], row["sf__Error"].split(":")[0]) for row in bulk.failed(job)] == [
        (one, "ENTITY_IS_DELETED"),
        (other, "MALFORMED_ID"),
        ("nope", "MALFORMED_ID"),
    ]
    bulk.info("ingest", bulk.ingest(f"Id\n{two}\n", "hardDelete"))
    left = org.query(f"SELECT Id FROM Contact WHERE Id IN ('{one}', '{two}')", all_rows=True)
    assert [row["Id"] for row in left] == [one]


FAILURES = {
    "an unknown field": ("LastName,Nope\nx,y\n", {}, "InvalidBatch : Field name not found : Nope"),
    "nothing": ("", {}, "InvalidBatch : Unable to parse CSV: there is no header"),
    "another ending": (
        "LastName\r\nx\r\n",
        {},
        "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF",
    ),
    "a missing key": ("LastName\nx\n", {"operation": "update"}, "InvalidBatch : Field name not found : Id"),
    "more than ids": (
        "Id,LastName\nx,y\n",
        {"operation": "delete"},
        "InvalidBatch : The 'delete' batch must contain only ids",
    ),
    "not UTF-8": (b"LastName\n\xff\n", {}, "ClientInputError : Failed to read the data: they are not UTF-8"),
}


@pytest.mark.parametrize(("data", "said", "message"), FAILURES.values(), ids=FAILURES)
def test_an_upload_that_fails_whole(
    bulk: Bulk2, data: str | bytes, said: dict[str, str], message: str
) -> None:
    told = bulk.info("ingest", job := bulk.ingest(data, **said))
    assert (told["state"], told["errorMessage"]) == ("Failed", message)
    assert bulk.http.get(f"{bulk.base}/ingest/{job}/unprocessedrecords").content == (
        data if isinstance(data, bytes) else data.encode()
    )


def test_what_came_before_a_broken_line_is_kept_and_the_rest_is_unprocessed(org: Org, bulk: Bulk2) -> None:
    good = "".join(f'"Row\n{number}",\n' for number in range(450))
    job = bulk.ingest(f"LastName,Title\n{good}one cell\nLast,\n")
    told = bulk.info("ingest", job)
    assert (told["state"], told["numberRecordsProcessed"]) == ("Failed", 400)
    assert told["errorMessage"] == "InvalidBatch : Unable to parse CSV: line 902 has 1 columns, the header 2"
    rest = bulk.outcome(job, "unprocessedrecords")
    assert rest.startswith('LastName,Title\n"Row\n400",\n')
    assert rest.endswith('"Row\n449",\none cell\nLast,\n')
    assert len(bulk.succeeded(job)) == 400


def test_data_are_taken_once_and_from_an_open_job_only(bulk: Bulk2) -> None:
    job = bulk.open()
    assert bulk.put(job, "LastName\nx\n").status_code == 201
    assert "only do 'PUT' once" in bulk.put(job, "LastName\ny\n").json()[0]["message"]
    bulk.patch("ingest", job, "UploadComplete")
    assert bulk.put(job, "LastName\ny\n").json()[0]["errorCode"] == "INVALIDJOBSTATE"
    again = bulk.patch("ingest", job, "UploadComplete")
    assert again.json()[0]["message"] == "Closing already Completed Job not allowed"


def test_data_may_come_compressed(bulk: Bulk2) -> None:
    job = bulk.open()
    assert (
        bulk.put(job, gzip.compress(b"LastName\nPacked\n"), **{"Content-Encoding": "gzip"}).status_code == 201
    )
    bulk.patch("ingest", job, "UploadComplete")
    assert [row["LastName"] for row in bulk.succeeded(job)] == ["Packed"]
    refused = bulk.put(bulk.open(), b"plain", **{"Content-Encoding": "gzip"})
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "INVALID_ENCODING")


def test_other_data_than_csv_are_not_taken(bulk: Bulk2) -> None:
    assert bulk.put(bulk.open(), "x", **{"Content-Type": "application/json"}).status_code == 415


def test_results_of_an_open_job_are_refused(bulk: Bulk2) -> None:
    job = bulk.open()
    answer = bulk.http.get(f"{bulk.base}/ingest/{job}/successfulResults")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")
    assert bulk.http.delete(f"{bulk.base}/ingest/{job}").json()[0]["errorCode"] == "INVALIDJOBSTATE"


def test_a_job_and_its_data_in_one_request(bulk: Bulk2) -> None:
    parts = {
        "job": (None, '{"object": "Contact", "operation": "insert"}', "application/json"),
        "content": ("content", "LastName\nWhole\n", "text/csv"),
    }
    answer = bulk.http.post(f"{bulk.base}/ingest", files=parts)
    assert answer.json()["state"] == "UploadComplete", answer.text
    assert [row["LastName"] for row in bulk.succeeded(answer.json()["id"])] == ["Whole"]


FATES = {
    "failed": ("Failed", "errorMessage"),
    "aborted": ("Aborted", "state"),
    "stuck": ("InProgress", "state"),
}


@pytest.mark.parametrize(("fate", "told"), FATES.items())
def test_what_a_fault_makes_of_a_job(org: Org, bulk: Bulk2, fate: str, told: tuple[str, str]) -> None:
    org.fault(f"job:becomes={fate},count=1")
    job = bulk.query("SELECT Id FROM Contact")
    states = [bulk.info("query", job) for _ in range(3)]
    assert [info["state"] for info in states] == [told[0]] * 3
    assert told[1] in states[0]
    assert bulk.state("query", bulk.query("SELECT Id FROM Contact")) == "JobComplete"


def test_a_job_may_vanish(org: Org, bulk: Bulk2) -> None:
    org.fault("job:becomes=vanished,count=1,path=/ingest/")
    job = bulk.ingest("LastName\nx\n")
    assert bulk.http.get(f"{bulk.base}/ingest/{job}").status_code == 404


def test_without_a_session_nothing_is_told(bulk: Bulk2) -> None:
    answer = bulk.http.get(f"{bulk.base}/query", headers={"Authorization": "Bearer nope"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")


def test_methods_and_paths_that_there_are_not(bulk: Bulk2) -> None:
    assert bulk.http.put(f"{bulk.base}/query").status_code == 405
    assert bulk.http.get(f"{bulk.base}/nope").status_code == 404
