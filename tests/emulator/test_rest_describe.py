"""What the API says of objects, their pages and actions, and of what was looked at."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from runner.emulator.errors import OptionError
from runner.emulator.testing import Org, start_org
from tests.emulator.conftest import VERSION, client_of

Json = dict[str, object]


@pytest.fixture(scope="module")
def org() -> Iterator[Org]:
    with start_org(records=20) as running:
        yield running


@pytest.fixture
def api(org: Org) -> Iterator[httpx.Client]:
    with client_of(org) as client:
        yield client


def fields(api: httpx.Client, name: str) -> dict[str, Json]:
    return {field["name"]: field for field in api.get(f"/sobjects/{name}/describe").json()["fields"]}


def test_all_objects_are_listed(api: httpx.Client) -> None:
    said = api.get("/sobjects").json()
    found = {item["name"]: item for item in said["sobjects"]}
    assert {
        "Account",
        "Case",
        "CampaignMember",
        "Group",
        "Milestone__c",
        "OpportunityLineItem",
        "Profile",
    } <= set(found)
    assert (said["encoding"], said["maxBatchSize"]) == ("UTF-8", 200)
    project = found["Project__c"]
    assert (project["custom"], project["keyPrefix"], project["labelPlural"]) == (True, "a00", "Projects")
    assert project["urls"]["describe"] == f"{VERSION}/sobjects/Project__c/describe"


def test_every_object_is_described_and_can_be_queried(api: httpx.Client) -> None:
    for item in api.get("/sobjects").json()["sobjects"]:
        name = item["name"]
        described = fields(api, name)
        soql = f"SELECT {', '.join(described)} FROM {name} LIMIT 1"
        assert api.get("/query", params={"q": soql}).status_code == 200, name
        assert {"Id", "SystemModstamp", "IsDeleted", "CreatedById"} <= set(described)


DESCRIBED: dict[tuple[str, str], Json] = {
    ("Account", "Id"): {
        "type": "id",
        "soapType": "tns:ID",
        "length": 18,
        "nillable": False,
        "createable": False,
    },
    ("Account", "Name"): {
        "type": "string",
        "nameField": True,
        "nillable": False,
        "length": 255,
        "label": "Account Name",
    },
    ("Account", "BillingAddress"): {
        "type": "address",
        "soapType": "urn:address",
        "filterable": False,
        "queryByDistance": True,
    },
    ("Account", "BillingCity"): {"compoundFieldName": "BillingAddress"},
    ("Account", "BillingLatitude"): {"type": "double", "precision": 18, "scale": 15},
    ("Account", "AnnualRevenue"): {"type": "currency", "precision": 18, "scale": 2, "groupable": False},
    ("Account", "NumberOfEmployees"): {"type": "int", "digits": 9, "precision": 0},
    ("Account", "External_Id__c"): {"externalId": True, "unique": True, "custom": True, "idLookup": True},
    ("Account", "Regions__c"): {"type": "multipicklist", "sortable": False, "restrictedPicklist": True},
    ("Account", "ParentId"): {"type": "reference", "referenceTo": ["Account"], "relationshipName": "Parent"},
    ("Contact", "FirstName"): {"compoundFieldName": "Name", "label": "First Name", "length": 40},
    ("Contact", "Name"): {"createable": False, "nameField": True, "length": 121},
    ("Contact", "DoNotCall"): {"type": "boolean", "defaultValue": False, "defaultedOnCreate": True},
    ("Lead", "OwnerId"): {
        "referenceTo": ["Group", "User"],
        "polymorphicForeignKey": True,
        "defaultedOnCreate": True,
    },
    ("Opportunity", "ExpectedRevenue"): {"calculated": True, "createable": False},
    ("Case", "CaseNumber"): {"autoNumber": True, "nameField": True},
    ("Task", "Subject"): {"type": "combobox"},
    ("Project__c", "Account__c"): {"relationshipName": "Account__r", "custom": True},
    ("Project__c", "Place__c"): {"type": "location", "soapType": "urn:location"},
    ("Milestone__c", "Project__c"): {
        "cascadeDelete": True,
        "nillable": False,
        "updateable": False,
        "relationshipOrder": 0,
    },
    ("PricebookEntry", "Pricebook2Id"): {"restrictedDelete": True},
}


@pytest.mark.parametrize(("place", "expected"), DESCRIBED.items(), ids=map(".".join, DESCRIBED))
def test_fields(api: httpx.Client, place: tuple[str, str], expected: Json) -> None:
    field = fields(api, place[0])[place[1]]
    assert {key: field[key] for key in expected} == expected


def test_a_picklist_tells_its_values(api: httpx.Client) -> None:
    values = fields(api, "Project__c")["Status__c"]["picklistValues"]
    assert isinstance(values, list)
    assert values[0] == {
        "active": True,
        "defaultValue": True,
        "label": "Planned",
        "validFor": None,
        "value": "planned",
    }


def test_every_field_is_told_in_the_same_words(api: httpx.Client) -> None:
    shapes = {
        tuple(field) for name in ("Account", "Task", "Project__c") for field in fields(api, name).values()
    }
    assert len(shapes) == 1
    (shape,) = shapes
    assert len(shape) > 55


def test_relationships_to_children(api: httpx.Client) -> None:
    children = api.get("/sobjects/Account/describe").json()["childRelationships"]
    by_name = {child["relationshipName"]: child for child in children}
    assert by_name["Contacts"]["childSObject"] == "Contact"
    assert by_name["Projects__r"]["field"] == "Account__c"
    owned = api.get("/sobjects/User/describe").json()["childRelationships"]
    assert {"Account", "Contact"} <= {
        child["childSObject"] for child in owned if child["relationshipName"] is None
    }


def test_record_types(api: httpx.Client) -> None:
    kinds = api.get("/sobjects/Opportunity/describe").json()["recordTypeInfos"]
    assert [kind["developerName"] for kind in kinds] == ["New_Business", "Renewal", "Master"]
    (only,) = api.get("/sobjects/Account/describe").json()["recordTypeInfos"]
    assert (only["master"], only["recordTypeId"]) == (True, "012000000000000AAA")


def test_layouts(api: httpx.Client) -> None:
    said = api.get("/sobjects/Account/describe/layouts").json()
    (layout,) = said["layouts"]
    headings = [section["heading"] for section in layout["detailLayoutSections"]]
    assert headings == [
        "Account Information",
        "Address Information",
        "Description Information",
        "System Information",
    ]
    item = layout["detailLayoutSections"][0]["layoutRows"][0]["layoutItems"][0]
    assert (item["label"], item["required"]) == ("Account Name", True)
    assert item["layoutComponents"][0]["details"]["name"] == "Name"
    assert "Contacts" in {related["name"] for related in layout["relatedLists"]}
    assert said["recordTypeMappings"][0]["layoutId"] == layout["id"]


def test_layouts_of_record_types_are_asked_for_alone(api: httpx.Client) -> None:
    said = api.get("/sobjects/Opportunity/describe/layouts").json()
    assert said["layouts"] is None
    kind = said["recordTypeMappings"][1]
    layout = api.get(f"/sobjects/Opportunity/describe/layouts/{kind['recordTypeId']}").json()
    assert layout["id"] == kind["layoutId"]
    assert api.get("/sobjects/Opportunity/describe/layouts/nothing").status_code == 404
    assert api.get("/sobjects/PricebookEntry/describe/layouts").status_code == 404


def test_compact_layouts(api: httpx.Client) -> None:
    (layout,) = api.get("/sobjects/Contact/describe/compactLayouts").json()["compactLayouts"]
    assert layout["fieldItems"][0]["layoutComponents"][0]["value"] == "Name"
    both = api.get("/compactLayouts?q=Account,Contact").json()
    assert set(both) == {"Account", "Contact"}
    assert api.get("/compactLayouts?q=Nothing").status_code == 404
    assert api.get("/compactLayouts").status_code == 400
    assert api.get("/sobjects/Account/describe/approvalLayouts").json() == {"approvalLayouts": []}


def test_what_was_looked_at(org: Org, api: httpx.Client) -> None:
    account = org.create("Account", Name="Acme")
    api.get("/query", params={"q": f"SELECT Id FROM Account WHERE Id = '{account}' FOR VIEW"})
    recent = api.get("/recent?limit=2").json()
    assert [record["Name"] for record in recent][:1] == ["Acme"]
    assert len(recent) == 2
    assert recent[0]["attributes"] == {"type": "Account", "url": f"{VERSION}/sobjects/Account/{account}"}
    assert api.get("/sobjects/Account").json()["recentItems"][0]["Id"] == account
    viewed = org.query(
        f"SELECT LastViewedDate, LastReferencedDate, SystemModstamp FROM Account WHERE Id = '{account}'"
    )[0]
    assert str(viewed["LastViewedDate"]) > str(viewed["SystemModstamp"])
    assert viewed["LastReferencedDate"] is None
    org.delete("Account", account)
    assert account not in str(api.get("/recent").json())


def test_what_led_to_a_record(org: Org, api: httpx.Client) -> None:
    contact = org.create("Contact", LastName="Byron")
    api.get("/query", params={"q": f"SELECT Id FROM Contact WHERE Id = '{contact}' FOR REFERENCE"})
    seen = org.query(f"SELECT LastViewedDate, LastReferencedDate FROM Contact WHERE Id = '{contact}'")[0]
    assert (seen["LastViewedDate"], seen["LastReferencedDate"] is None) == (None, False)
    assert api.get("/recent?limit=1").json()[0]["Id"] == contact


def test_quick_actions(org: Org, api: httpx.Client) -> None:
    names = [action["name"] for action in api.get("/quickActions").json()]
    assert {"NewCase", "LogACall"} <= set(names)
    assert "NewMilestone" not in names
    account = org.create("Account", Name="Acme")
    url = "/sobjects/Account/quickActions"
    assert "Account.NewContact" in [action["name"] for action in api.get(url).json()]
    described = api.get(f"{url}/NewContact/describe").json()
    assert (described["targetSobjectType"], described["targetParentField"]) == ("Contact", "AccountId")
    defaults = api.get(f"{url}/NewContact/defaultValues/{account}").json()
    assert defaults == {"attributes": {"type": "Contact"}, "AccountId": account}
    body = {"contextId": account, "record": {"LastName": "Byron"}}
    made = api.post(f"{url}/NewContact", json=body)
    assert (made.status_code, made.json()["success"], made.json()["contextId"]) == (201, True, account)
    found = org.query(f"SELECT AccountId FROM Contact WHERE Id = '{made.json()['id']}'")
    assert found[0]["AccountId"] == account
    call = api.post("/quickActions/LogACall", json={"record": {}}).json()
    assert org.query(f"SELECT Status FROM Task WHERE Id = '{call['id']}'")[0]["Status"] == "Completed"


def test_a_quick_action_that_there_is_not_or_that_fails(api: httpx.Client) -> None:
    assert api.get("/quickActions/Nothing").status_code == 404
    assert api.get("/sobjects/Account/quickActions/NewMilestone/describe").status_code == 404
    assert (
        api.post("/quickActions/NewContact", json={"record": {}}).json()[0]["errorCode"]
        == "REQUIRED_FIELD_MISSING"
    )
    assert api.post("/quickActions/NewContact", json={}).json()[0]["errorCode"] == "JSON_PARSER_ERROR"


def test_a_record_leads_to_others(org: Org, api: httpx.Client) -> None:
    account = org.create("Account", Name="Acme", External_Id__c="A1")
    contact = org.create("Contact", LastName="Byron", AccountId=account)
    assert api.get(f"/sobjects/Contact/{contact}/Account?fields=Name").json()["Name"] == "Acme"
    contacts = api.get(f"/sobjects/Account/{account}/Contacts?fields=LastName").json()
    assert (contacts["totalSize"], contacts["records"][0]["LastName"]) == (1, "Byron")
    assert api.get(f"/sobjects/Account/{account}/Contacts").json()["records"][0]["Name"] == "Byron"
    assert api.patch(f"/sobjects/Contact/{contact}/Account", json={"Phone": "1"}).status_code == 204
    assert api.get("/sobjects/Account/External_Id__c/A1").json()["Phone"] == "1"
    assert api.get(f"/sobjects/Account/{account}/Parent").status_code == 404
    assert api.get(f"/sobjects/Account/{account}/Nothing").status_code == 404
    assert (
        api.get(f"/sobjects/Account/{account}/Contacts?fields=Nope").json()[0]["errorCode"] == "INVALID_FIELD"
    )
    assert api.delete(f"/sobjects/Contact/{contact}/Account").status_code == 204
    assert api.get(f"/sobjects/Account/{account}").status_code == 404


PLANS = {
    "SELECT Id FROM Contact": ("TableScan", [], 20),
    "SELECT Id FROM Contact WHERE External_Id__c = 'CO-0000001'": ("Index", ["External_Id__c"], 1),
    "SELECT Name FROM Contact WHERE External_Id__c LIKE 'CO%'": ("TableScan", [], 20),
    "SELECT Name FROM Contact WHERE Title = 'x' AND CreatedDate = TODAY": ("Index", ["CreatedDate"], 0),
    "SELECT Name FROM Contact WHERE Id NOT IN ('003000000000000AAA') OR Id = null": ("TableScan", [], 20),
}


@pytest.mark.parametrize(("soql", "expected"), PLANS.items(), ids=list(PLANS))
def test_how_a_query_would_be_carried_out(soql: str, expected: tuple[str, list[str], int]) -> None:
    with start_org(records=20) as org, client_of(org) as api:
        plan = api.get("/query", params={"explain": soql}).json()["plans"][0]
    assert (plan["leadingOperationType"], plan["fields"], plan["cardinality"]) == expected
    assert (plan["sobjectType"], plan["sobjectCardinality"]) == ("Contact", 20)


@pytest.mark.parametrize("soql", ["", "SELECT", "SELECT Nope FROM Contact"])
def test_what_cannot_be_explained(api: httpx.Client, soql: str) -> None:
    assert api.get("/query", params={"explain": soql}).status_code == 400


def test_hidden_fields_are_not_there() -> None:
    hidden = ("Contact.Birthdate", "Account.BillingCity")
    with start_org(records=5, hidden_fields=hidden) as org, client_of(org) as api:
        assert "Birthdate" not in fields(api, "Contact")
        assert "BillingAddress" not in fields(api, "Account")
        contact = api.get("/query?q=SELECT+Id+FROM+Contact").json()["records"][0]["Id"]
        assert "Birthdate" not in api.get(f"/sobjects/Contact/{contact}").json()
        for answer in (
            api.get("/query?q=SELECT+Birthdate+FROM+Contact"),
            api.patch(f"/sobjects/Contact/{contact}", json={"Birthdate": None}),
        ):
            assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_FIELD")
        assert api.post("/sobjects/Contact", json={"LastName": "Byron"}).status_code == 201


def test_fields_that_may_not_be_changed() -> None:
    with start_org(records=0, readonly_fields=("contact.title",)) as org, client_of(org) as api:
        answer = api.post("/sobjects/Contact", json={"LastName": "Byron", "Title": "Countess"})
        assert answer.json()[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
        assert fields(api, "Contact")["Title"]["updateable"] is False
        org.configure(readonly_fields=())
        assert api.post("/sobjects/Contact", json={"LastName": "Byron", "Title": "x"}).status_code == 201


@pytest.mark.parametrize(
    "name", ["Contact", "Contact.Nope", "Nothing.Name", "Contact.LastName", "Contact.Id", "Lead.Name"]
)
def test_what_cannot_be_hidden(name: str) -> None:
    with pytest.raises(OptionError), start_org(records=0, hidden_fields=(name,)):
        pass
