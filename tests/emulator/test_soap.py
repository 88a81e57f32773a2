"""The partner API over SOAP, as older clients call it."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import httpx
import pytest

from runner.emulator.testing import Org, start_org
from runner.emulator.xml import Element, parse

PARTNER = "urn:partner.soap.sforce.com"


class Soap:
    def __init__(self, org: Org, token: str | None = None) -> None:
        self.url = f"{org.url}/services/Soap/u/62.0"
        self.token = org.token() if token is None else token

    def post(self, inside: str, header: str = "") -> httpx.Response:
        session = f"<SessionHeader><sessionId>{escape(self.token)}</sessionId></SessionHeader>"
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="{PARTNER}" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
            f"<soapenv:Header>{session}{header}</soapenv:Header><soapenv:Body>{inside}</soapenv:Body></soapenv:Envelope>"
        )
        return httpx.post(
            self.url, content=body.encode(), headers={"Content-Type": "text/xml", "SOAPAction": '""'}
        )

    def call(self, inside: str, header: str = "") -> list[Element]:
        """The results."""
        answer = self.post(inside, header)
        assert answer.status_code == 200, answer.text
        found = parse(answer.content).find("Body")
        assert found is not None
        return found.children[0].children

    def fault(self, inside: str, header: str = "") -> str:
        """The code of a call that is refused."""
        answer = self.post(inside, header)
        assert answer.status_code == 500, answer.text
        found = parse(answer.content).find("Body", "Fault")
        assert found is not None
        assert found.value("faultcode").startswith("sf:")
        assert found.find("detail") is not None
        return found.value("faultcode").removeprefix("sf:")

    def query(self, soql: str, header: str = "") -> Element:
        return self.call(f"<query><queryString>{escape(soql)}</queryString></query>", header)[0]


@pytest.fixture(scope="module")
def org() -> Iterator[Org]:
    with start_org(records=0) as running:
        acme = running.create("Account", Name="A & <B>", External_Id__c="A-1")
        running.create("Contact", LastName="Byron", AccountId=acme, DoNotCall=True)
        yield running


@pytest.fixture
def soap(org: Org) -> Soap:
    return Soap(org)


def login(org: Org, password: str) -> str:
    return f"<login><username>{org.username}</username><password>{escape(password)}</password></login>"


def test_a_login_gives_a_session_that_works(org: Org) -> None:
    for password in (org.password, org.password + org.security_token):
        result = Soap(org, "").call(login(org, password))[0]
        assert result.value("serverUrl") == f"{org.url}/services/Soap/u/62.0/{org.org_id[:15]}"
        assert (result.value("userId"), result.value("passwordExpired")) == (org.user_id, "false")
        session = Soap(org, result.value("sessionId"))
        session.url = result.value("serverUrl")
        assert session.call("<getUserInfo/>")[0].value("userName") == org.username
        headers = {"Authorization": f"Bearer {session.token}"}
        assert httpx.get(f"{org.url}/services/data/v62.0/limits", headers=headers).status_code == 200
        assert session.call("<logout/>") == []
        assert session.fault("<getUserInfo/>") == "INVALID_SESSION_ID"


def test_a_login_that_is_refused(org: Org) -> None:
    answer = Soap(org, "").post(login(org, "wrong"))
    assert b"<sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode>" in answer.content
    assert b"INVALID_LOGIN: Invalid username, password, security token; or user locked out." in answer.content


def test_a_query_with_a_parent(soap: Soap) -> None:
    result = soap.query(
        "SELECT Id, LastName, Title, DoNotCall, SystemModstamp, Account.Name FROM Contact WHERE LastName = 'Byron'"
    )
    assert (result.value("done"), result.value("size")) == ("true", "1")
    record = result.child("records")
    assert record is not None
    assert [child.name for child in record.children][:4] == ["type", "Id", "Id", "LastName"]
    assert (record.value("type"), record.value("DoNotCall")) == ("Contact", "true")
    assert record.value("SystemModstamp").endswith(".000Z")
    account, title = record.child("Account"), record.child("Title")
    assert account is not None
    assert title is not None
    assert (account.value("Name"), title.is_nil) == ("A & <B>", True)


def test_a_query_of_children_and_of_groups(soap: Soap) -> None:
    result = soap.query(
        "SELECT Name, (SELECT LastName FROM Contacts) FROM Account WHERE External_Id__c = 'A-1'"
    )
    child = result.find("records", "Contacts", "records")
    assert child is not None
    assert child.value("LastName") == "Byron"
    assert soap.query("SELECT count(Id) n FROM Account").find("records", "n") is not None
    assert soap.query("SELECT count() FROM Account").value("size") == "1"


def test_a_long_answer_comes_in_parts() -> None:
    with start_org(records=450) as running:
        soap = Soap(running)
        result = soap.query(
            "SELECT Id FROM Contact", "<QueryOptions><batchSize>200</batchSize></QueryOptions>"
        )
        seen = [child.value("Id") for child in result.children if child.name == "records"]
        while result.value("done") == "false":
            locator = result.value("queryLocator")
            result = soap.call(f"<queryMore><queryLocator>{locator}</queryLocator></queryMore>")[0]
            seen += [child.value("Id") for child in result.children if child.name == "records"]
        assert (len(seen), len(set(seen))) == (450, 450)


def test_records_are_created_changed_and_deleted(org: Org, soap: Soap) -> None:
    created = soap.call(
        "<create><sObjects><type>Contact</type><LastName>One</LastName><Title>x</Title>"
        "<Account><type>Account</type><External_Id__c>A-1</External_Id__c></Account></sObjects>"
        "<sObjects><type>Contact</type><Title>Nameless</Title></sObjects></create>"
    )
    record = created[0].value("id")
    assert [result.value("success") for result in created] == ["true", "false"]
    errors = created[1].child("errors")
    assert errors is not None
    assert (errors.value("statusCode"), errors.value("fields")) == ("REQUIRED_FIELD_MISSING", "LastName")
    soap.call(
        f"<update><sObjects><type>Contact</type><fieldsToNull>Title</fieldsToNull><Id>{record}</Id><FirstName>A</FirstName></sObjects></update>"
    )
    kept = org.query(f"SELECT FirstName, Title, Account.Name FROM Contact WHERE Id = '{record}'")[0]
    assert (kept["FirstName"], kept["Title"], kept["Account"]["Name"]) == ("A", None, "A & <B>")  # type: ignore[index]
    assert soap.call(f"<delete><ids>{record}</ids></delete>")[0].value("success") == "true"
    assert soap.call(f"<undelete><ids>{record}</ids></undelete>")[0].value("success") == "true"
    assert org.query(f"SELECT Id FROM Contact WHERE Id = '{record}'")
    soap.call(f"<emptyRecycleBin><ids>{record}</ids></emptyRecycleBin>")
    assert not org.query(f"SELECT Id FROM Contact WHERE Id = '{record}'", all_rows=True)


def test_upsert_tells_what_is_new(soap: Soap) -> None:
    body = "<upsert><externalIDFieldName>External_Id__c</externalIDFieldName><sObjects><type>Contact</type><External_Id__c>S-1</External_Id__c><LastName>x</LastName></sObjects></upsert>"
    assert [soap.call(body)[0].value("created") for _ in range(2)] == ["true", "false"]
    assert soap.call(body.replace("External_Id__c</ext", "Email</ext"))[0].find("errors", "statusCode")


def test_all_or_none(org: Org, soap: Soap) -> None:
    body = "<create><sObjects><type>Lead</type><LastName>Together</LastName><Company>x</Company></sObjects><sObjects><type>Lead</type></sObjects></create>"
    results = soap.call(body, "<AllOrNoneHeader><allOrNone>true</allOrNone></AllOrNoneHeader>")
    codes = [found.value("statusCode") for result in results if (found := result.child("errors"))]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert org.query("SELECT Id FROM Lead WHERE LastName = 'Together'") == []


def test_retrieve_and_describe(org: Org, soap: Soap) -> None:
    record = str(org.query("SELECT Id FROM Contact WHERE LastName = 'Byron'")[0]["Id"])
    body = f"<retrieve><fieldList>Id, LastName</fieldList><sObjectType>Contact</sObjectType><ids>{record}</ids><ids>003Hs0000000zzzIAA</ids></retrieve>"
    assert [result.value("LastName") for result in soap.call(body)] == ["Byron", ""]
    described = soap.call("<describeSObject><sObjectType>contact</sObjectType></describeSObject>")[0]
    fields = {child.value("name") for child in described.children if child.name == "fields"}
    assert {"Id", "LastName", "AccountId"} <= fields
    names = [
        child.value("name")
        for child in soap.call("<describeGlobal/>")[0].children
        if child.name == "sobjects"
    ]
    assert "Opportunity" in names


FAULTS = {
    "<query><queryString>SELECT</queryString></query>": "MALFORMED_QUERY",
    "<query><queryString>SELECT Nope FROM Contact</queryString></query>": "INVALID_FIELD",
    "<queryMore><queryLocator>nope</queryLocator></queryMore>": "INVALID_QUERY_LOCATOR",
    "<describeSObject><sObjectType>Nope</sObjectType></describeSObject>": "INVALID_TYPE",
    "<retrieve><sObjectType>Contact</sObjectType><ids>nope</ids></retrieve>": "MALFORMED_ID",
    "<nope/>": "UNKNOWN_EXCEPTION",
    "": "UNKNOWN_EXCEPTION",
    "<create>" + "<sObjects><type>Lead</type></sObjects>" * 201 + "</create>": "EXCEEDED_ID_LIMIT",
}


@pytest.mark.parametrize(("inside", "code"), FAULTS.items(), ids=lambda text: text[:40])
def test_a_call_that_is_refused(soap: Soap, inside: str, code: str) -> None:
    assert soap.fault(inside) == code


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a/>",
        b"not xml",
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_envelope(org: Org, body: bytes) -> None:
    answer = httpx.post(f"{org.url}/services/Soap/u/62.0", content=body)
    assert answer.status_code == 500
    assert b"root:" not in answer.content
    assert b"<faultcode>sf:UNKNOWN_EXCEPTION</faultcode>" in answer.content


def test_a_version_that_there_is_not(org: Org) -> None:
    soap = Soap(org)
    soap.url = f"{org.url}/services/Soap/u/nope"
    assert soap.fault("<getUserInfo/>") == "UNSUPPORTED_API_VERSION"
