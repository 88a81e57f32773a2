"""Records over REST: created, read, changed, upserted, deleted; what was changed or deleted when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import pytest

from runner.emulator import ids
from runner.emulator.testing import Org, start_org
from tests.emulator.conftest import VERSION, client_of

Expected = tuple[int, str, str, list[str] | None]


def error(response: httpx.Response) -> Expected:
    """Status, code, sentence and fields of the one error."""
    (problem,) = response.json()
    return response.status_code, problem["errorCode"], problem["message"], problem.get("fields")


def test_the_life_of_a_record(org: Org, api: httpx.Client) -> None:
    made = api.post("/sobjects/Contact", json={"LastName": "Byron", "FirstName": "Ada", "DoNotCall": True})
    record_id = made.json()["id"]
    assert (made.status_code, made.json()) == (201, {"id": record_id, "success": True, "errors": []})
    path = f"/sobjects/Contact/{record_id}"
    record = api.get(path).json()
    assert record["attributes"] == {"type": "Contact", "url": f"{VERSION}/sobjects/Contact/{record_id}"}
    assert (record["Id"], record["Name"], record["DoNotCall"]) == (record_id, "Ada Byron", True)
    assert (record["OwnerId"], record["IsDeleted"]) == (org.user_id, False)
    org.advance(5)
    changed = api.patch(path, json={"LastName": "Lovelace", "Email": "ada@example.com"})
    assert (changed.status_code, changed.content) == (204, b"")
    after = api.get(path).json()
    assert (after["Name"], after["Email"]) == ("Ada Lovelace", "ada@example.com")
    assert after["SystemModstamp"] == after["LastModifiedDate"] > record["CreatedDate"]
    assert api.delete(path).status_code == 204
    gone = (404, "ENTITY_IS_DELETED", "entity is deleted", [])
    assert error(api.get(path)) == error(api.patch(path, json={})) == error(api.delete(path)) == gone


def test_fields_are_chosen_through_relationships_too(org: Org, api: httpx.Client) -> None:
    account = org.create("Account", Name="Acme")
    contact = org.create("Contact", LastName="Byron", AccountId=account)
    record = api.get(f"/sobjects/Contact/{contact}?fields=lastname,Account.Name").json()
    assert {key: value for key, value in record.items() if key != "attributes"} == {
        "LastName": "Byron",
        "Account": {
            "attributes": {"type": "Account", "url": f"{VERSION}/sobjects/Account/{account}"},
            "Name": "Acme",
        },
    }


def test_an_id_of_15_characters_is_as_good(org: Org, api: httpx.Client) -> None:
    record_id = org.create("Contact", LastName="Byron")
    assert api.get(f"/sobjects/contact/{record_id[:15]}").json()["Id"] == record_id


FOUND_NO_RECORD = {
    "/sobjects/Contact/x": (404, "NOT_FOUND"),
    "/sobjects/Contact/003Hs00000zzzzzIAA": (404, "NOT_FOUND"),
    f"/sobjects/Contact/{ids.make('003', 10**6)}": (404, "NOT_FOUND"),
    f"/sobjects/Contact/{ids.make('001', 1)}": (400, "MALFORMED_ID"),
    "/sobjects/Contact/External_Id__c/nobody": (404, "NOT_FOUND"),
    "/sobjects/Contact/Email/ada@example.com": (404, "NOT_FOUND"),
    f"/sobjects/Contact/{ids.make('003', 1)}?fields=Nope": (400, "INVALID_FIELD"),
    f"/sobjects/Contact/{ids.make('003', 1)}?fields=count()": (400, "INVALID_FIELD"),
}


@pytest.mark.parametrize(("path", "expected"), FOUND_NO_RECORD.items(), ids=list(FOUND_NO_RECORD))
def test_no_such_record_or_field(org: Org, api: httpx.Client, path: str, expected: tuple[int, str]) -> None:
    assert error(api.get(path))[:2] == expected


LONG = "x" * 81
CONTACT = {"LastName": "Byron"}
OPPORTUNITY = {"Name": "Pilot", "StageName": "Prospecting", "CloseDate": "2026-01-01"}

#: object and values → what is wrong with them
INVALID: dict[str, tuple[str, dict[str, object], Expected]] = {
    "a required field": (
        "Contact",
        {"FirstName": "Ada"},
        (400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ["LastName"]),
    ),
    "required fields": (
        "Opportunity",
        {"Name": "Pilot"},
        (
            400,
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [StageName, CloseDate]",
            ["StageName", "CloseDate"],
        ),
    ),
    "a required field that is emptied": (
        "Contact",
        {"LastName": ""},
        (400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ["LastName"]),
    ),
    "length": (
        "Contact",
        {"LastName": LONG},
        (400, "STRING_TOO_LONG", f"Last Name: data value too large: {LONG} (max length=80)", ["LastName"]),
    ),
    "an unknown field": (
        "Contact",
        CONTACT | {"Foo": 1},
        (400, "INVALID_FIELD", "No such column 'Foo' on sobject of type Contact", None),
    ),
    "an e-mail address": (
        "Contact",
        CONTACT | {"Email": "ada"},
        (400, "INVALID_EMAIL_ADDRESS", "Email: invalid email address: ada", ["Email"]),
    ),
    "the wrong kind of record": (
        "Contact",
        CONTACT | {"AccountId": ids.make("003", 1)},
        (
            400,
            "MALFORMED_ID",
            f"Account ID: id value of incorrect type: {ids.make('003', 1)}",
            ["AccountId"],
        ),
    ),
    "no id": (
        "Contact",
        CONTACT | {"AccountId": "Acme"},
        (400, "MALFORMED_ID", "Account ID: id value of incorrect type: Acme", ["AccountId"]),
    ),
    "a record that never was": (
        "Contact",
        CONTACT | {"AccountId": ids.make("001", 10**6)},
        (400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ["AccountId"]),
    ),
    "an id of its own": (
        "Contact",
        CONTACT | {"Id": ids.make("003", 1)},
        (400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.", None),
    ),
    "a number that is too large": (
        "Account",
        {"Name": "Acme", "NumberOfEmployees": 2**31},
        (
            400,
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Employees: value outside of valid range on numeric field: 2147483648",
            ["NumberOfEmployees"],
        ),
    ),
}


@pytest.mark.parametrize(("name", "values", "expected"), INVALID.values(), ids=list(INVALID))
def test_what_cannot_be_kept(
    empty_org: Org, name: str, values: dict[str, object], expected: Expected
) -> None:
    with client_of(empty_org) as api:
        assert error(api.post(f"/sobjects/{name}", json=values)) == expected


KINDS: dict[str, tuple[str, object, str]] = {
    "a date": ("Birthdate", "soon", "Cannot deserialize instance of date from VALUE_STRING value soon"),
    "no date at all": ("Birthdate", 5, "Cannot deserialize instance of date from VALUE_NUMBER_INT value 5"),
    "a checkbox": ("DoNotCall", "maybe", "Cannot deserialize instance of boolean from VALUE_STRING"),
    "a text": ("LastName", ["Byron"], "Cannot deserialize instance of string from START_ARRAY"),
    "an object": ("LastName", {"a": 1}, "Cannot deserialize instance of string from START_OBJECT"),
}


@pytest.mark.parametrize(("field", "value", "said"), KINDS.values(), ids=list(KINDS))
def test_values_of_another_kind(empty_org: Org, field: str, value: object, said: str) -> None:
    with client_of(empty_org) as api:
        status, code, message, _ = error(api.post("/sobjects/Contact", json=CONTACT | {field: value}))
    assert (status, code) == (400, "JSON_PARSER_ERROR")
    assert message.startswith(said)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"a"', b"\xff", b"{'a': 1}"])
def test_what_is_no_json_object(empty_org: Org, body: bytes) -> None:
    with client_of(empty_org) as api:
        answer = api.post("/sobjects/Contact", content=body)
    assert error(answer)[:2] == (400, "JSON_PARSER_ERROR")


def test_read_only_fields_and_objects(org: Org, api: httpx.Client) -> None:
    status, code, message, fields = error(api.post("/sobjects/Contact", json=CONTACT | {"IsDeleted": True}))
    assert (status, code, fields) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE", ["IsDeleted"])
    assert message.startswith("Unable to create/update fields: IsDeleted. Please check the security settings")
    made = error(api.post("/sobjects/Organization", json={"Name": "Another"}))
    assert made[:2] == (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")
    kept = error(api.delete(f"/sobjects/User/{org.user_id}"))
    assert kept[:2] == (400, "INSUFFICIENT_ACCESS_OR_READONLY")


def test_a_value_that_must_be_unique(org: Org, api: httpx.Client) -> None:
    first = org.create("Contact", LastName="Byron", External_Id__c="X1")
    second = org.create("Contact", LastName="Babbage")
    expected = (
        400,
        "DUPLICATE_VALUE",
        f"duplicate value found: External_Id__c duplicates value on record with id: {first}",
        [],
    )
    assert error(api.post("/sobjects/Contact", json=CONTACT | {"External_Id__c": "x1"})) == expected
    assert error(api.patch(f"/sobjects/Contact/{second}", json={"External_Id__c": "X1"})) == expected
    assert api.patch(f"/sobjects/Contact/{first}", json={"External_Id__c": "X1"}).status_code == 204


def test_a_record_that_somebody_else_holds(org: Org, api: httpx.Client) -> None:
    account = org.create("Account", Name="Acme")
    org.hold(account, 60)
    expected = (
        400,
        "UNABLE_TO_LOCK_ROW",
        f"unable to obtain exclusive access to this record or 1 records: {account}",
        [],
    )
    path = f"/sobjects/Account/{account}"
    for answer in (
        api.patch(path, json={"Phone": "1"}),
        api.delete(path),
        api.post("/sobjects/Contact", json=CONTACT | {"AccountId": account}),
    ):
        assert error(answer) == expected
    org.advance(61)
    assert api.patch(path, json={"Phone": "1"}).status_code == 204
    org.hold(account)
    org.release()
    assert api.delete(path).status_code == 204


def test_records_like_others_are_refused_where_the_org_has_rules_for_them() -> None:
    with start_org(records=0, duplicate_rules=True) as org, client_of(org) as api:
        person = CONTACT | {"Email": "ada@example.com"}
        assert api.post("/sobjects/Contact", json=person).status_code == 201
        assert error(api.post("/sobjects/Contact", json=person)) == (
            400,
            "DUPLICATES_DETECTED",
            "Use one of these records?",
            [],
        )
        insists = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
        assert api.post("/sobjects/Contact", json=person, headers=insists).status_code == 201
        assert api.post("/sobjects/Contact", json=CONTACT).status_code == 201
        body = {"records": [{"attributes": {"type": "Contact"}, **person}]}
        assert "DUPLICATES_DETECTED" in api.post("/composite/sobjects", json=body).text


def test_a_record_cannot_be_its_own_parent(org: Org, api: httpx.Client) -> None:
    account = org.create("Account", Name="Acme")
    assert error(api.patch(f"/sobjects/Account/{account}", json={"ParentId": account})) == (
        400,
        "CIRCULAR_DEPENDENCY",
        "attempt to violate hierarchy constraints",
        ["ParentId"],
    )
    below = org.create("Account", Name="Below", ParentId=account)
    lowest = org.create("Account", Name="Lowest", ParentId=below)
    assert (
        error(api.patch(f"/sobjects/Account/{account}", json={"ParentId": lowest}))[1]
        == "CIRCULAR_DEPENDENCY"
    )
    assert api.patch(f"/sobjects/Account/{lowest}", json={"ParentId": account}).status_code == 204


def test_nobody_who_is_gone_owns_a_record(org: Org, api: httpx.Client) -> None:
    org.deactivate_user()
    answer = api.post("/sobjects/Contact", json=CONTACT | {"OwnerId": org.user_id})
    assert error(answer)[1:3] == (
        "INACTIVE_OWNER_OR_USER",
        f"operation performed with inactive user [{org.user_id[:15]}] as owner of contact",
    )


def test_the_rules_that_an_org_makes_for_itself(org: Org, api: httpx.Client) -> None:
    project = {"Name": "Bridge", "Start_Date__c": "2026-02-01", "End_Date__c": "2026-01-01"}
    expected = (
        400,
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "A project cannot end before it starts.",
        ["End_Date__c"],
    )
    assert error(api.post("/sobjects/Project__c", json=project)) == expected
    made = org.create("Project__c", project | {"End_Date__c": None})
    assert error(api.patch(f"/sobjects/Project__c/{made}", json={"End_Date__c": "2026-01-01"})) == expected
    member = {"CampaignId": org.create("Campaign", Name="Spring")}
    assert error(api.post("/sobjects/CampaignMember", json=member))[1] == "FIELD_INTEGRITY_EXCEPTION"


def test_lists_to_choose_from(org: Org, api: httpx.Client) -> None:
    refused = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    answer = api.post("/sobjects/Project__c", json={"Name": "x", "Status__c": "lost"})
    assert error(answer) == (
        400,
        refused,
        "Status: bad value for restricted picklist field: lost",
        ["Status__c"],
    )
    assert (
        error(api.post("/sobjects/Project__c", json={"Name": "x", "Skills__c": "Design;Magic"}))[1] == refused
    )
    made = org.create("Project__c", Name="x", Skills__c="Design; Testing;;Design")
    found = org.query(f"SELECT Status__c, Skills__c FROM Project__c WHERE Id = '{made}'")[0]
    assert (found["Status__c"], found["Skills__c"]) == ("planned", "Design;Testing")
    assert api.post("/sobjects/Account", json={"Name": "x", "Industry": "Anything else"}).status_code == 201


def test_numbers_have_their_digits(org: Org, api: httpx.Client) -> None:
    made = org.create("Project__c", Name="x", Budget__c=10.126, Share_Done__c="12.5")
    found = org.query(f"SELECT Budget__c, Share_Done__c FROM Project__c WHERE Id = '{made}'")[0]
    assert (found["Budget__c"], found["Share_Done__c"]) == (10.13, 12.5)
    assert error(api.post("/sobjects/Project__c", json={"Name": "x", "Share_Done__c": 1000}))[1] == (
        "NUMBER_OUTSIDE_VALID_RANGE"
    )


def test_another_record_may_be_named_by_its_external_id(org: Org, api: httpx.Client) -> None:
    account = org.create("Account", Name="Acme", External_Id__c="A1")
    made = api.post("/sobjects/Contact", json=CONTACT | {"Account": {"External_Id__c": "a1"}}).json()
    assert org.query(f"SELECT AccountId FROM Contact WHERE Id = '{made['id']}'")[0]["AccountId"] == account
    task = {"Subject": "Call", "What": {"attributes": {"type": "Account"}, "External_Id__c": "A1"}}
    assert api.post("/sobjects/Task", json=task).status_code == 201
    answer = api.post("/sobjects/Contact", json=CONTACT | {"Account": {"External_Id__c": "A2"}})
    assert error(answer)[:3] == (
        400,
        "INVALID_FIELD",
        "Foreign key external ID: a2 not found for field External_Id__c in entity Account",
    )
    for _ in range(2):
        org.create("Account", Name="Twin", Legacy_Id__c="T")
    answer = api.post("/sobjects/Contact", json=CONTACT | {"Account": {"Legacy_Id__c": "T"}})
    assert error(answer)[1] == "DUPLICATE_EXTERNAL_ID"
    upserted = {"records": [{"attributes": {"type": "Account"}, "Legacy_Id__c": "T", "Name": "x"}]}
    answer = api.patch("/composite/sobjects/Account/Legacy_Id__c", json=upserted)
    assert answer.json()[0]["errors"][0]["statusCode"] == "DUPLICATE_EXTERNAL_ID"
    for named in ({}, {"Name": "Acme"}, {"External_Id__c": "A1", "Name": "Acme"}, "A1"):
        answer = api.post("/sobjects/Contact", json=CONTACT | {"Account": named})
        assert error(answer)[:2] == (400, "INVALID_FIELD")


def test_what_others_need_cannot_be_deleted(org: Org, api: httpx.Client) -> None:
    product = org.query("SELECT Product2Id FROM PricebookEntry")[0]["Product2Id"]
    status, code, message, _ = error(api.delete(f"/sobjects/Product2/{product}"))
    assert (status, code) == (400, "DELETE_FAILED")
    assert message.startswith(
        "Your attempt to delete this product could not be completed because it is associated with the following "
        "price book entries.: 01u"
    )


def test_a_detail_belongs_to_its_master(org: Org, api: httpx.Client) -> None:
    answer = api.post("/sobjects/Milestone__c", json={"Title__c": "x"})
    assert error(answer)[1:] == (
        "REQUIRED_FIELD_MISSING",
        "Required fields are missing: [Project__c]",
        ["Project__c"],
    )
    one, two = (org.create("Project__c", Name=name) for name in ("One", "Two"))
    milestone = org.create("Milestone__c", Project__c=one)
    moved = api.patch(f"/sobjects/Milestone__c/{milestone}", json={"Project__c": two})
    assert error(moved)[1] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    org.delete("Project__c", one)
    assert error(api.get(f"/sobjects/Milestone__c/{milestone}"))[1] == "ENTITY_IS_DELETED"


def test_what_the_org_works_out_itself(org: Org, api: httpx.Client) -> None:
    deal = org.create("Opportunity", OPPORTUNITY | {"Amount": 200, "StageName": "Needs Analysis"})
    found = api.get(f"/sobjects/Opportunity/{deal}").json()
    assert (found["Probability"], found["ExpectedRevenue"], found["IsClosed"]) == (20.0, 40.0, False)
    assert (found["FiscalYear"], found["FiscalQuarter"]) == (2026, 1)
    org.update("Opportunity", deal, StageName="Closed Won", Probability=None)
    found = api.get(f"/sobjects/Opportunity/{deal}").json()
    assert (found["Probability"], found["ExpectedRevenue"], found["IsWon"]) == (100.0, 200.0, True)
    entry = org.query("SELECT Id, Product2Id, Product2.Name FROM PricebookEntry")[0]
    line = {"OpportunityId": deal, "PricebookEntryId": entry["Id"], "Product2Id": entry["Product2Id"]}
    item = org.create("OpportunityLineItem", line | {"Quantity": 3, "UnitPrice": 5})
    found = api.get(f"/sobjects/OpportunityLineItem/{item}").json()
    assert found["TotalPrice"] == 15.0
    assert found["Name"].startswith("Pilot ")
    case = org.create("Case", Status="Closed")
    found = api.get(f"/sobjects/Case/{case}").json()
    assert (found["IsClosed"], found["ClosedDate"] is None, len(found["CaseNumber"])) == (True, False, 8)
    task = org.create("Task", Subject="Call", Status="Completed", Priority="High")
    found = api.get(f"/sobjects/Task/{task}").json()
    assert (found["IsHighPriority"], found["CompletedDateTime"] is None) == (True, False)


def test_upsert_by_id_and_without_creating(org: Org, api: httpx.Client) -> None:
    account = org.create("Account", Name="Acme", External_Id__c="A1")
    answer = api.patch(f"/sobjects/Account/Id/{account}", json={"Phone": "1"})
    assert (answer.status_code, answer.json()["created"]) == (200, False)
    assert (
        api.patch("/sobjects/Account/External_Id__c/A1?updateOnly=true", json={"Phone": "2"}).status_code
        == 200
    )
    assert (
        api.patch("/sobjects/Account/External_Id__c/A2?updateOnly=true", json={"Phone": "2"}).status_code
        == 404
    )
    made = api.post("/sobjects/Account/Id", json={"Name": "Umbra"})
    assert (made.status_code, made.json()["created"]) == (201, True)
    assert error(api.post(f"/sobjects/Account/{account}", json={}))[:2] == (405, "METHOD_NOT_ALLOWED")


def test_a_deleted_account_takes_its_contacts_along(org: Org, api: httpx.Client) -> None:
    account = org.create("Account", Name="Acme")
    contact = org.create("Contact", LastName="Byron", AccountId=account)
    api.delete(f"/sobjects/Account/{account}")
    assert error(api.get(f"/sobjects/Contact/{contact}"))[1] == "ENTITY_IS_DELETED"
    status, code, *_ = error(api.post("/sobjects/Contact", json=CONTACT | {"AccountId": account}))
    assert (status, code) == (400, "ENTITY_IS_DELETED")


def test_upsert_creates_then_changes(org: Org, api: httpx.Client) -> None:
    path = "/sobjects/Contact/External_Id__c/" + quote("a/b ü", safe="")
    made = api.patch(path, json={"LastName": "Byron"})
    assert (made.status_code, made.json()["created"]) == (201, True)
    changed = api.patch(path, json={"FirstName": "Ada"})
    expected = {"id": made.json()["id"], "success": True, "errors": [], "created": False}
    assert (changed.status_code, changed.json()) == (200, expected)
    record = api.get(path).json()
    assert (record["Name"], record["External_Id__c"]) == ("Ada Byron", "a/b ü")
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_upsert_before_version_46_says_nothing_of_a_change(org: Org, api: httpx.Client) -> None:
    path = f"{org.url}/services/data/v45.0/sobjects/Contact/External_Id__c/X1"
    answers = [api.patch(path, json={"LastName": "Byron"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 204]


def test_an_external_id_of_several_records(org: Org, api: httpx.Client) -> None:
    both = [org.create("Contact", LastName=name, Legacy_Id__c="7") for name in ("Byron", "Babbage")]
    answer = api.patch("/sobjects/Contact/Legacy_Id__c/7", json={"FirstName": "Ada"})
    assert answer.status_code == 300
    assert answer.json() == [f"{VERSION}/sobjects/Contact/{record_id}" for record_id in both]


def test_the_external_id_does_not_stand_in_the_body_too(org: Org, api: httpx.Client) -> None:
    answer = api.patch("/sobjects/Contact/External_Id__c/X1", json=CONTACT | {"external_id__c": "X1"})
    assert error(answer)[:3] == (
        400,
        "INVALID_FIELD",
        "The External_Id__c field should not be specified in the sobject data.",
    )


def span(org: Org, *, days: float = 0.5) -> str:
    now = datetime.fromisoformat(org.now()) + timedelta(minutes=2)
    start = now - timedelta(days=days)
    return f"?start={quote(start.isoformat())}&end={quote(now.astimezone(UTC).isoformat())}"


def test_what_was_changed_and_what_was_deleted(org: Org, api: httpx.Client) -> None:
    kept, gone = (org.create("Contact", LastName=name) for name in ("Byron", "Babbage"))
    org.delete("Contact", gone)
    org.advance(120)
    updated = api.get(f"/sobjects/Contact/updated/{span(org)}").json()
    assert updated["ids"] == [kept]
    deleted = api.get(f"/sobjects/Contact/deleted/{span(org)}").json()
    assert [record["id"] for record in deleted["deletedRecords"]] == [gone]
    assert updated["latestDateCovered"].endswith(":00.000+0000")
    assert deleted["earliestDateAvailable"] < deleted["latestDateCovered"] <= org.now()


SPANS = {
    "": "MISSING_ARGUMENT",
    "?start=2026-01-01T00:00:00Z": "MISSING_ARGUMENT",
    "?start=soon&end=later": "INVALID_FIELD",
    "?start=2026-01-01T00:00:00Z&end=2026-01-01T00:00:30Z": "INVALID_REPLICATION_DATE",
    "?start=2001-01-01T00:00:00Z&end=2001-02-01T00:00:00Z": "INVALID_REPLICATION_DATE",
}


@pytest.mark.parametrize(("query", "code"), SPANS.items(), ids=list(SPANS))
def test_spans_of_time_that_are_none(empty_org: Org, query: str, code: str) -> None:
    with client_of(empty_org) as api:
        assert error(api.get(f"/sobjects/Contact/deleted{query}"))[:2] == (400, code)


def pages(api: httpx.Client, soql: str, size: int = 200, path: str = "/query") -> list[dict[str, object]]:
    options = {"Sforce-Query-Options": f"batchSize={size}"}
    found = [api.get(path, params={"q": soql}, headers=options).json()]
    while not found[-1]["done"]:
        found.append(api.get(f"http://{api.base_url.netloc.decode()}{found[-1]['nextRecordsUrl']}").json())
    return found


def names(page: dict[str, object]) -> list[object]:
    records = page["records"]
    assert isinstance(records, list)
    return [record["Name"] for record in records]


def test_a_query_comes_in_pages_that_what_happens_between_does_not_move(org: Org, api: httpx.Client) -> None:
    made = [org.create("Account", Name=f"Acme {number:03}") for number in range(450)]
    soql = "SELECT Name FROM Account WHERE Name LIKE 'Acme%' ORDER BY Name"
    options = {"Sforce-Query-Options": "client=x, batchSize=200"}
    first = api.get("/query", params={"q": soql}, headers=options).json()
    org.delete("Account", made[210])
    org.create("Account", Name="Acme 000b")
    locator = first["nextRecordsUrl"].rsplit("/", 1)[1]
    assert (first["totalSize"], first["done"], locator[18:]) == (450, False, "-200")
    second = api.get(f"/query/{locator}").json()
    third = api.get(f"/query/{second['nextRecordsUrl'].rsplit('/', 1)[1]}").json()
    assert [len(names(page)) for page in (first, second, third)] == [200, 200, 50]
    assert names(first)[:1] + names(second)[:1] + names(third)[-1:] == ["Acme 000", "Acme 200", "Acme 449"]
    assert third["done"] is True
    assert "nextRecordsUrl" not in third


def test_a_page_is_written_anew_when_something_changed(org: Org, api: httpx.Client) -> None:
    account = org.create("Account", Name="Acme")
    soql = "SELECT Name FROM Account WHERE Name LIKE 'Acme%'"
    assert [names(pages(api, soql)[0]) for _ in range(2)] == [["Acme"], ["Acme"]]
    org.update("Account", account, Name="Acme Ltd")
    assert names(pages(api, soql)[0]) == ["Acme Ltd"]


def test_query_all_sees_the_deleted(org: Org, api: httpx.Client) -> None:
    gone = org.create("Contact", LastName="Gone")
    org.delete("Contact", gone)
    soql = f"SELECT Name, IsDeleted FROM Contact WHERE Id = '{gone}'"
    assert pages(api, soql)[0]["totalSize"] == 0
    assert pages(api, soql, path="/queryAll")[0]["totalSize"] == 1


def test_a_count_has_no_records(api: httpx.Client) -> None:
    found = api.get("/query", params={"q": "SELECT count() FROM Contact"}).json()
    assert found == {"totalSize": 20, "done": True, "records": []}


def test_a_locator_that_lost_its_place(org: Org, api: httpx.Client) -> None:
    for locator in ("x", "01g000000000000AAA-200", "01g000000000000AAA"):
        assert error(api.get(f"/query/{locator}"))[:3] == (
            400,
            "INVALID_QUERY_LOCATOR",
            "invalid query locator",
        )
    for number in range(201):
        org.create("Account", Name=f"Acme {number}")
    options = {"Sforce-Query-Options": "batchSize=200"}
    url = api.get("/query?q=SELECT+Id+FROM+Account", headers=options).json()["nextRecordsUrl"]
    org.expire_locators()
    assert error(api.get(org.url + url))[1] == "INVALID_QUERY_LOCATOR"


def test_a_query_must_be_given(api: httpx.Client) -> None:
    assert error(api.get("/query"))[:2] == (400, "MALFORMED_QUERY")
