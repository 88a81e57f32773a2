"""Whatever is sent to the bulk and SOAP APIs is answered in their own words, and never breaks the org."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.emulator.bulk.work import UNEXPECTED
from runner.emulator.testing import Org, start_org
from runner.emulator.xml import InvalidXml, parse
from tests.emulator.bulk import Bulk2
from tests.emulator.test_bulk1 import MEDIA, Bulk1

fuzz = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

NAMES = [
    "Id",
    "LastName",
    "Email",
    "Birthdate",
    "DoNotCall",
    "Account.External_Id__c",
    "AccountId",
    "OwnerId",
    "Nope",
    "",
]
CELLS = [
    "x",
    "#N/A",
    "true",
    "2000-01-01",
    "005Hs0000000001IAA",
    "a@b.example",
    "-1",
    "1e999",
    "\x00",
    "李",
    '"',
    "a\nb",
    "9" * 40,
]

KEYS = [
    "operation", "query", "object", "contentType", "columnDelimiter", "lineEnding", "externalIdFieldName", "state",
    "concurrencyMode",
]  # fmt: skip
SAID = [
    "query",
    "insert",
    "upsert",
    "Contact",
    "SELECT Id FROM Contact",
    "CSV",
    "COMMA",
    "LF",
    "External_Id__c",
    "Closed",
]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(CELLS)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*NAMES, "Account", "attributes"]), inner, max_size=3)
    ),
    max_leaves=10,
)
csv_texts = st.tuples(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True),
    st.lists(st.lists(st.sampled_from(CELLS) | st.text(max_size=8), max_size=5), max_size=6),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
).map(lambda parts: parts[3].join(parts[2].join(row) for row in [parts[0], *parts[1]]))
xml_texts = st.recursive(
    st.sampled_from(CELLS).filter(lambda cell: "\x00" not in cell) | st.just('<a xsi:nil="true"/>') | st.just("<!-- -->") | st.just("&amp;"),
    lambda inner: st.tuples(st.sampled_from(["LastName", "Id", "sObject", "Account", "type", "a"]), inner, inner).map(
        lambda parts: f"<{parts[0]}>{parts[1]}{parts[2]}</{parts[0]}>"
    ),
    max_leaves=8,
)  # fmt: skip


@pytest.fixture(scope="module")
def org() -> Iterator[Org]:
    with start_org(records=3) as running:
        yield running


@pytest.fixture(scope="module")
def bulk2(org: Org) -> Bulk2:
    return Bulk2(org)


@pytest.fixture(scope="module")
def bulk1(org: Org) -> Bulk1:
    return Bulk1(org)


PATHS = (
    "PUT /services/data/v62.0/jobs/ingest/{}/batches",
    "POST /services/data/v62.0/jobs/query",
    "POST /services/Soap/u/62.0",
    "POST /services/async/62.0/job",
    "POST /services/oauth2/token",
)


@pytest.mark.parametrize("path", PATHS)
def test_a_client_that_goes_in_the_middle(
    org: Org, bulk2: Bulk2, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    job, token = bulk2.open(), str(bulk2.http.headers["Authorization"])
    head = f"{path.format(job)} HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 1000\r\n"
    head += f"Authorization: {token}\r\nX-SFDC-Session: {token.removeprefix('Bearer ')}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", int(org.url.rpartition(":")[2]))) as connection:
        connection.sendall(f"{head}LastName".encode())
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1000) == b""
    assert bulk2.put(job, "LastName\nx\n").status_code == 201
    assert caplog.records == []


@fuzz
@given(
    csv_texts.map(str.encode) | st.binary(max_size=60),
    st.sampled_from(["insert", "update", "upsert", "delete"]),
)
def test_any_csv(bulk2: Bulk2, data: bytes, operation: str) -> None:
    key = {"externalIdFieldName": "External_Id__c"} if operation == "upsert" else {}
    job = bulk2.ingest(data, operation, **key)
    told = bulk2.info("ingest", job)
    assert told["state"] in ("JobComplete", "Failed")
    assert told.get("errorMessage") != UNEXPECTED
    for name in ("successfulResults", "failedResults", "unprocessedrecords"):
        assert bulk2.http.get(f"{bulk2.base}/ingest/{job}/{name}").status_code == 200


@fuzz
@given(json_values | st.dictionaries(st.sampled_from(KEYS), json_values | st.sampled_from(SAID), max_size=6))
def test_any_job(bulk2: Bulk2, bulk1: Bulk1, said: object) -> None:
    answers = [bulk1.http.post("/job", json=said)]
    for kind in ("query", "ingest"):
        answers.append(bulk2.http.post(f"{bulk2.base}/{kind}", json=said))
        answers.append(bulk2.http.patch(f"{bulk2.base}/{kind}/750", json=said))
    assert {answer.status_code // 100 for answer in answers} <= {2, 4}


@fuzz
@given(
    json_values.map(lambda value: httpx.Request("POST", "http://x", json=value).content)
    | st.binary(max_size=40)
)
def test_any_batch_of_json(bulk1: Bulk1, body: bytes) -> None:
    told = batch_of(bulk1, body, "JSON")
    assert told["stateMessage"] != UNEXPECTED


@fuzz
@given(
    xml_texts.map(
        lambda text: (
            f'<sObjects xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{text}</sObjects>'.encode()
        )
    )
    | st.binary(max_size=40)
)
def test_any_batch_of_xml(bulk1: Bulk1, body: bytes) -> None:
    told = batch_of(bulk1, body, "XML")
    assert told["stateMessage"] != UNEXPECTED


def batch_of(bulk: Bulk1, body: bytes, content_type: str) -> dict[str, object]:
    """How a batch has ended."""
    job = bulk.job("insert", content_type)
    answer = bulk.http.post(f"/job/{job}/batch", content=body, headers={"Content-Type": MEDIA[content_type]})
    assert answer.status_code == 201
    if content_type == "JSON":
        told = bulk.get(job, answer.json()["id"], "").json()
    else:
        root = parse(bulk.get(job, parse(answer.content).value("id"), "").content)
        told = {name: root.value(name) for name in ("state", "stateMessage")}
    assert told["state"] in ("Completed", "Failed")
    return dict(told)


@fuzz
@given(
    xml_texts.map(
        lambda text: (
            f'<s:Envelope xmlns:s="x" xmlns:xsi="y"><s:Body><create><sObjects>{text}</sObjects></create></s:Body></s:Envelope>'.encode()
        )
    )
    | xml_texts.map(str.encode)
    | st.binary(max_size=60)
)
def test_any_envelope(org: Org, body: bytes) -> None:
    answer = httpx.post(f"{org.url}/services/Soap/u/62.0", content=body)
    assert (answer.status_code, b"<faultcode>sf:" in answer.content) == (500, True)


@fuzz
@given(st.binary(max_size=60) | xml_texts.map(str.encode))
def test_any_xml(body: bytes) -> None:
    with contextlib.suppress(InvalidXml):
        assert parse(body).name


@fuzz
@given(
    st.lists(
        st.text(max_size=6)
        | st.sampled_from(["job", "query", "ingest", "batch", "results", "750Hs0000000001IAA"]),
        max_size=5,
    )
)
def test_any_path(bulk2: Bulk2, bulk1: Bulk1, parts: list[str]) -> None:
    path = "/".join(quote(part, safe="") for part in parts)
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        assert bulk2.http.request(method, f"{bulk2.base}/{path}").status_code < 500
        assert bulk1.http.request(method, f"/job/{path}").status_code < 500


@fuzz
@given(
    st.dictionaries(
        st.sampled_from(["locator", "maxRecords", "queryLocator", "jobType", "concurrencyMode"]),
        st.text(max_size=6),
        max_size=3,
    )
)
def test_any_question(bulk2: Bulk2, wanted: dict[str, str]) -> None:
    job = bulk2.query("SELECT Id FROM Contact")
    for path in (f"query/{job}/results", f"query/{job}/resultPages", "query", "ingest"):
        assert bulk2.http.get(f"{bulk2.base}/{path}", params=wanted).status_code < 500
