"""Many records in one call, and trees of records."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from runner.emulator import ids
from runner.emulator.testing import Org
from tests.emulator.conftest import client_of

Json = dict[str, object]
PATH = "/composite/sobjects"


@pytest.fixture
def api(empty_org: Org) -> Iterator[httpx.Client]:
    with client_of(empty_org) as client:
        yield client


def record(name: str, **fields: object) -> Json:
    return {"attributes": {"type": name}, **fields}


def send(api: httpx.Client, method: str, *records: Json, path: str = PATH, **said: object) -> list[Json]:
    answer = api.request(method, path, json={"records": list(records), **said})
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()
    return found


def codes(results: list[Json]) -> list[str]:
    return ["" if each["success"] else each["errors"][0]["statusCode"] for each in results]  # type: ignore[index]


def test_create_change_and_delete_many(empty_org: Org, api: httpx.Client) -> None:
    made = send(api, "POST", record("Account", Name="Acme"), record("Contact", LastName="Byron"))
    account, contact = (str(each["id"]) for each in made)
    assert made == [{"id": record_id, "success": True, "errors": []} for record_id in (account, contact)]
    changed = send(
        api,
        "PATCH",
        record("Account", id=account, Name="Umbra"),
        record("Contact", Id=contact, Title="Countess"),
    )
    assert codes(changed) == ["", ""]
    assert empty_org.query(f"SELECT Title FROM Contact WHERE Id = '{contact}'")[0]["Title"] == "Countess"
    gone = api.delete(PATH, params={"ids": f"{account},{contact}"}).json()
    assert gone == [{"id": record_id, "success": True, "errors": []} for record_id in (account, contact)]


def test_each_record_has_its_own_outcome(api: httpx.Client) -> None:
    made = send(
        api, "POST",
        record("Account", Name="Acme"), record("Account"), record("Nothing"), {"Name": "no type"},
        record("Contact", LastName="x" * 81), record("Contact", Id=ids.make("003", 1), LastName="x"),
    )  # fmt: skip
    assert codes(made) == [
        "", "REQUIRED_FIELD_MISSING", "INVALID_TYPE", "INVALID_INPUT", "STRING_TOO_LONG",
        "INVALID_FIELD_FOR_INSERT_UPDATE",
    ]  # fmt: skip
    assert made[1] == {
        "success": False,
        "errors": [
            {
                "statusCode": "REQUIRED_FIELD_MISSING",
                "message": "Required fields are missing: [Name]",
                "fields": ["Name"],
            }
        ],
    }


def test_all_or_none(empty_org: Org, api: httpx.Client) -> None:
    before = len(empty_org.query("SELECT Id FROM Account"))
    made = send(api, "POST", record("Account", Name="Acme"), record("Account"), allOrNone=True)
    assert codes(made) == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert made[0]["errors"] == [
        {
            "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
            "message": "Record rolled back because not all records were valid and the request was using AllOrNone header",
            "fields": [],
        }
    ]
    assert len(empty_org.query("SELECT Id FROM Account")) == before
    kept = empty_org.create("Account", Name="Kept")
    gone = api.delete(PATH, params={"ids": f"{kept},{ids.make('001', 10**6)}", "allOrNone": "true"}).json()
    assert codes(gone) == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_CROSS_REFERENCE_KEY"]
    assert len(empty_org.query(f"SELECT Id FROM Account WHERE Id = '{kept}'")) == 1


def test_changes_of_records_that_are_not_there(api: httpx.Client) -> None:
    changed = send(
        api, "PATCH",
        record("Account", id=ids.make("001", 10**6), Name="x"), record("Account", id="x", Name="x"), record("Account", Name="x"),
        record("Account", id=ids.make("003", 1), Name="x"),
    )  # fmt: skip
    assert codes(changed) == [
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
        "MISSING_ARGUMENT",
        "MALFORMED_ID",
    ]


def test_upsert_many_by_an_external_id(api: httpx.Client) -> None:
    path = f"{PATH}/Account/External_Id__c"
    first = record("Account", External_Id__c="U1", Name="One")
    made = send(api, "PATCH", first, path=path)
    again = send(
        api, "PATCH", first, record("Account", external_id__c="U2", Name="Two"), record("Contact"), path=path
    )
    assert made == [{"id": made[0]["id"], "success": True, "errors": [], "created": True}]
    assert (again[0]["id"], again[0]["created"], again[1]["created"]) == (made[0]["id"], False, True)
    assert codes(again) == ["", "", "INVALID_TYPE"]
    by_id = send(api, "PATCH", record("Account", Id=made[0]["id"], Name="Won"), path=f"{PATH}/Account/Id")
    assert by_id[0]["created"] is False


def test_read_many_by_their_ids(empty_org: Org, api: httpx.Client) -> None:
    one, two = (empty_org.create("Account", Name=name) for name in ("One", "Two"))
    wanted = f"{two},{ids.make('001', 10**6)},nonsense,{one[:15]}"
    found = api.get(f"{PATH}/Account", params={"ids": wanted, "fields": "Name,Owner.Name"}).json()
    assert [each and each["Name"] for each in found] == ["Two", None, None, "One"]
    assert found[0]["Owner"]["Name"] == "Ada Lovelace"
    by_body = api.post(f"{PATH}/Account", json={"ids": [one], "fields": ["Id"]}).json()
    assert [each["Id"] for each in by_body] == [one]


def refused(answer: httpx.Response) -> tuple[int, str]:
    (problem,) = answer.json()
    return answer.status_code, problem["errorCode"]


def test_what_many_records_are_too_many(api: httpx.Client) -> None:
    records = [record("Account", Name="x")] * 201
    answer = api.post(PATH, json={"records": records})
    assert (
        answer.json()[0]["message"]
        == "record limit reached. cannot submit more than 200 records into this call"
    )
    assert refused(answer) == (400, "EXCEEDED_ID_LIMIT")
    assert refused(api.delete(PATH, params={"ids": ",".join(["x"] * 201)})) == (400, "EXCEEDED_ID_LIMIT")
    body = {"ids": ["x"] * 2_001, "fields": ["Id"]}
    assert refused(api.post(f"{PATH}/Account", json=body)) == (400, "EXCEEDED_ID_LIMIT")


WRONG = {
    ("DELETE", PATH): "MISSING_ARGUMENT",
    ("GET", f"{PATH}/Account?ids=x"): "MISSING_ARGUMENT",
    ("GET", f"{PATH}/Account?ids=x&fields=Nope"): "INVALID_FIELD",
    ("GET", f"{PATH}/Account?ids=x&fields=1,2"): "INVALID_FIELD",
    ("POST", f"{PATH}/Account"): "JSON_PARSER_ERROR",
    ("PATCH", f"{PATH}/Account/Name"): "NOT_FOUND",
    ("POST", PATH): "JSON_PARSER_ERROR",
}


@pytest.mark.parametrize(("call", "code"), WRONG.items(), ids=map(" ".join, WRONG))
def test_what_is_missing(api: httpx.Client, call: tuple[str, str], code: str) -> None:
    body = {} if call[0] in ("POST", "PATCH") else None
    assert refused(api.request(*call, json=body))[1] == code


def tree(api: httpx.Client, name: str, *records: Json) -> httpx.Response:
    return api.post(f"/composite/tree/{name}", json={"records": list(records)})


def node(name: str, reference_id: str, **fields: object) -> Json:
    return {"attributes": {"type": name, "referenceId": reference_id}, **fields}


def test_a_tree_of_records(empty_org: Org, api: httpx.Client) -> None:
    contacts = {
        "records": [node("Contact", "c1", LastName="Byron"), node("Contact", "c2", LastName="Babbage")]
    }
    projects = {
        "records": [
            node("Project__c", "p1", Name="Engine", Milestones__r={"records": [node("Milestone__c", "m1")]})
        ]
    }
    answer = tree(
        api, "Account",
        node("Account", "a1", Name="Acme", Contacts=contacts, Projects__r=projects), node("Account", "a2", Name="Umbra"),
    )  # fmt: skip
    said = answer.json()
    assert (answer.status_code, said["hasErrors"]) == (201, False)
    found = {each["referenceId"]: each["id"] for each in said["results"]}
    assert set(found) == {"a1", "a2", "c1", "c2", "p1", "m1"}
    rows = empty_org.query(f"SELECT AccountId FROM Contact WHERE Id = '{found['c2']}'")
    assert rows[0]["AccountId"] == found["a1"]
    rows = empty_org.query(f"SELECT Project__c, Name FROM Milestone__c WHERE Id = '{found['m1']}'")
    assert rows[0]["Project__c"] == found["p1"]
    assert str(rows[0]["Name"]).startswith("M-0")


def test_a_tree_with_a_bad_record_is_not_created(empty_org: Org, api: httpx.Client) -> None:
    before = len(empty_org.query("SELECT Id FROM Account"))
    contacts = {"records": [node("Contact", "c1", LastName="Byron", Email="123")]}
    answer = tree(
        api, "Account", node("Account", "a1", Name="Acme", Contacts=contacts), node("Account", "a2")
    )
    assert answer.status_code == 400
    assert answer.json() == {
        "hasErrors": True,
        "results": [
            {
                "referenceId": "c1",
                "errors": [
                    {
                        "statusCode": "INVALID_EMAIL_ADDRESS",
                        "message": "Email: invalid email address: 123",
                        "fields": ["Email"],
                    }
                ],
            },
            {
                "referenceId": "a2",
                "errors": [
                    {
                        "statusCode": "REQUIRED_FIELD_MISSING",
                        "message": "Required fields are missing: [Name]",
                        "fields": ["Name"],
                    }
                ],
            },
        ],
    }
    assert len(empty_org.query("SELECT Id FROM Account")) == before


def deep(levels: int) -> Json:
    return node(
        "Account",
        f"r{levels}",
        Name="x",
        **({"ChildAccounts": {"records": [deep(levels - 1)]}} if levels else {}),
    )


TREES: dict[str, tuple[list[Json], str]] = {
    "no type": ([{"Name": "x"}], "Include the type Account in the attributes of each record."),
    "another type": ([node("Contact", "a")], "Include the type Account in the attributes of each record."),
    "no name": (
        [{"attributes": {"type": "Account"}}],
        "Include a reference ID for each record in the request.",
    ),
    "the same name": (
        [node("Account", "a", Name="x"), node("Account", "a", Name="y")],
        "Duplicate ReferenceId provided in the request: a.",
    ),
    "too deep": ([deep(6)], "A tree may be 5 levels deep"),
}


@pytest.mark.parametrize(("records", "said"), TREES.values(), ids=list(TREES))
def test_what_is_no_tree(api: httpx.Client, records: list[Json], said: str) -> None:
    answer = tree(api, "Account", *records)
    assert (answer.status_code, answer.json()[0]["message"]) == (400, said)


def test_a_tree_has_room_for_200_records(api: httpx.Client) -> None:
    contacts = {"records": [node("Contact", f"c{number}", LastName="x") for number in range(200)]}
    answer = tree(api, "Account", node("Account", "a", Name="x", Contacts=contacts))
    assert answer.json()[0]["errorCode"] == "EXCEEDED_ID_LIMIT"
