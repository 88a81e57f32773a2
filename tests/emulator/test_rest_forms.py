"""Forms of requests and answers: XML, packed bodies, conditions, sizes."""

from __future__ import annotations

import gzip
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Iterator

import httpx
import pytest

from runner.emulator.rest.formats import as_xml, wishes_xml
from runner.emulator.testing import Org
from tests.emulator.conftest import client_of

XML = {"Accept": "application/xml"}


@pytest.fixture
def api(empty_org: Org) -> Iterator[httpx.Client]:
    with client_of(empty_org) as client:
        yield client


def xml(answer: httpx.Response) -> ET.Element:
    assert answer.headers["Content-Type"] == "application/xml;charset=UTF-8"
    return ET.fromstring(answer.content)


def test_a_query_in_xml(empty_org: Org, api: httpx.Client) -> None:
    empty_org.create("Account", Name="Acme & <Sons>")
    root = xml(
        api.get("/query?q=SELECT+Name,Phone,Owner.Name+FROM+Account+WHERE+Name+LIKE+'Acme%25'", headers=XML)
    )
    record = root.find("records")
    assert record is not None
    assert (root.tag, root.findtext("done"), record.get("type")) == ("QueryResult", "true", "Account")
    assert (record.findtext("Name"), record.findtext("Owner/Name")) == ("Acme & <Sons>", "Ada Lovelace")
    phone = record.find("Phone")
    assert phone is not None
    assert phone.attrib == {"{http://www.w3.org/2001/XMLSchema-instance}nil": "true"}


def test_errors_and_results_in_xml(api: httpx.Client) -> None:
    root = xml(api.post("/sobjects/Contact", json={}, headers=XML))
    assert (root.tag, root.findtext("Error/errorCode")) == ("Errors", "REQUIRED_FIELD_MISSING")
    assert root.findtext("Error/fields") == "LastName"
    root = xml(api.post("/sobjects/Contact", json={"LastName": "Byron"}, headers=XML))
    assert (root.tag, root.findtext("success")) == ("Result", "true")


def test_the_form_may_stand_behind_the_path(empty_org: Org, api: httpx.Client) -> None:
    record_id = empty_org.create("Account", Name="Acme")
    assert xml(api.get(f"/sobjects/Account/{record_id}.xml")).findtext("Name") == "Acme"
    assert api.get("/limits.json", headers=XML).json()["DailyApiRequests"]
    assert xml(api.get(f"{empty_org.url}/services/data/v62.0.xml")).tag == "urls"
    made = api.patch("/sobjects/Account/External_Id__c/page.xml", json={"Name": "Page"})
    assert (made.status_code, made.json()["created"]) == (201, True)
    assert len(empty_org.query("SELECT Id FROM Account WHERE External_Id__c = 'page.xml'")) == 1


@pytest.mark.parametrize("content_type", ["application/xml", "text/xml; charset=UTF-8"])
def test_a_record_may_be_sent_as_xml(empty_org: Org, api: httpx.Client, content_type: str) -> None:
    body = "<Contact><LastName>O&apos;Hara</LastName><DoNotCall>true</DoNotCall><Title/></Contact>"
    answer = api.post("/sobjects/Contact", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == 201
    found = empty_org.query(
        f"SELECT LastName, DoNotCall, Title FROM Contact WHERE Id = '{answer.json()['id']}'"
    )[0]
    assert (found["LastName"], found["DoNotCall"], found["Title"]) == ("O'Hara", True, None)


def test_many_records_may_be_sent_as_xml(api: httpx.Client) -> None:
    record = "<records><attributes><type>Account</type></attributes><Name>Acme</Name></records>"
    for count in (1, 2):
        body = f"<request><allOrNone>true</allOrNone>{record * count}</request>"
        answer = api.post("/composite/sobjects", content=body, headers={"Content-Type": "application/xml"})
        assert [each["success"] for each in answer.json()] == [True] * count


@pytest.mark.parametrize(
    "body", [b"", b"<a>", b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", b"{}", b"<a>\xff</a>", b"<a>text</a>"]
)
def test_what_is_no_record_in_xml(api: httpx.Client, body: bytes) -> None:
    answer = api.post("/sobjects/Contact", content=body, headers={"Content-Type": "application/xml"})
    assert (answer.status_code, answer.json()[0]["errorCode"][-12:]) == (400, "PARSER_ERROR")


ACCEPTS = {
    "application/xml": True,
    "text/xml": True,
    "application/xml, application/json;q=0.9": True,
    "application/json, application/xml;q=0.9": False,
    "*/*": False,
    "": False,
    "text/html, application/xml;q=0.9, */*;q=0.8": True,
    "application/xml;q=0": False,
    "application/xml;q=much": False,
}


@pytest.mark.parametrize(("accept", "expected"), ACCEPTS.items(), ids=list(ACCEPTS))
def test_who_wishes_for_xml(accept: str, expected: bool) -> None:
    assert wishes_xml(accept) is expected


def test_lists_and_odd_names_in_xml() -> None:
    assert as_xml([{"a": [1, 2]}], "Versions").endswith(b"><Version><a>1</a><a>2</a></Version></Versions>")
    assert b"<value>1</value>" in as_xml({"not a name": 1}, "Result")


PACKED = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "identity": bytes,
}


@pytest.mark.parametrize("coding", list(PACKED))
def test_packed_bodies(api: httpx.Client, coding: str) -> None:
    body = PACKED[coding](b'{"LastName": "Byron"}')
    headers = {"Content-Encoding": coding, "Content-Type": "application/json"}
    assert api.post("/sobjects/Contact", content=body, headers=headers).status_code == 201


BROKEN = {
    ("gzip", b"no gzip"): (400, "MALFORMED_BODY"),
    ("gzip", gzip.compress(b"{}")[:-4]): (400, "MALFORMED_BODY"),
    ("gzip", gzip.compress(b" " * (51 * 1024 * 1024), 9)): (413, "REQUEST_TOO_LARGE"),
    ("br", b"{}"): (415, "UNSUPPORTED_MEDIA_TYPE"),
    ("gzip", b""): (400, "JSON_PARSER_ERROR"),
}


@pytest.mark.parametrize(("sent", "expected"), BROKEN.items(), ids=["none", "cut", "bomb", "br", "empty"])
def test_bodies_that_cannot_be_unpacked(
    api: httpx.Client, sent: tuple[str, bytes], expected: tuple[int, str]
) -> None:
    answer = api.post("/sobjects/Contact", content=sent[1], headers={"Content-Encoding": sent[0]})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == expected


def test_a_url_that_is_too_long(api: httpx.Client) -> None:
    answer = api.get("/query", params={"q": "x" * 17_000})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (414, "URI_TOO_LONG")
    answer = api.get("/limits", headers={"X-Long": "x" * 16_300})
    assert answer.status_code == 431
    assert api.get("/query", params={"q": "x" * 16_200}).status_code == 431


def test_a_record_that_the_client_has_already(empty_org: Org, api: httpx.Client) -> None:
    path = f"/sobjects/Account/{empty_org.create('Account', Name='Acme')}"
    first = api.get(path)
    etag, modified = first.headers["ETag"], first.headers["Last-Modified"]
    assert modified.endswith("GMT")
    for headers in (
        {"If-None-Match": etag},
        {"If-None-Match": f'"x", {etag}'},
        {"If-Modified-Since": modified},
    ):
        again = api.get(path, headers=headers)
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    api.patch(path, json={"Name": "Umbra"})
    for headers in ({"If-None-Match": etag}, {"If-None-Match": etag, "If-Modified-Since": modified}):
        assert api.get(path, headers=headers).json()["Name"] == "Umbra"
    assert api.get(path, headers={"If-Modified-Since": "yesterday"}).status_code == 200


def test_a_record_that_is_not_as_the_client_knows_it(empty_org: Org, api: httpx.Client) -> None:
    path = f"/sobjects/Account/{empty_org.create('Account', Name='Acme')}"
    etag = api.get(path).headers["ETag"]
    assert api.patch(path, json={"Name": "Umbra"}, headers={"If-Match": etag}).status_code == 204
    for answer in (
        api.patch(path, json={"Name": "Late"}, headers={"If-Match": etag}),
        api.delete(path, headers={"If-Match": etag}),
        api.delete(path, headers={"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}),
        api.get(path, headers={"If-Match": etag}),
    ):
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (412, "PRECONDITION_FAILED")
    assert api.get(path).json()["Name"] == "Umbra"
    assert api.delete(path, headers={"If-Match": "*"}).status_code == 204


def test_a_describe_that_the_client_has_already(api: httpx.Client) -> None:
    for path in ("/sobjects", "/sobjects/Account/describe"):
        modified = api.get(path).headers["Last-Modified"]
        assert api.get(path, headers={"If-Modified-Since": modified}).status_code == 304
        assert (
            api.get(path, headers={"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}).status_code == 200
        )
