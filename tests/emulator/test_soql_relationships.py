"""Parents, lists of children and their pages, kinds of parents, queries inside IN."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from runner.emulator.errors import ApiError
from runner.emulator.testing import Org, start_org
from tests.emulator.conftest import client_of
from tests.emulator.soql import bare


@pytest.fixture(scope="module")
def org() -> Iterator[Org]:
    """Acme below Umbra below Root; Acme with two contacts, a project with 450 milestones, some tasks."""
    with start_org(records=0) as running:
        root = running.create("Account", Name="Root", BillingCity="London", BillingCountry="UK")
        umbra = running.create("Account", Name="Umbra", ParentId=root, Phone="1")
        acme = running.create("Account", Name="Acme", ParentId=umbra, Phone="2")
        ada = running.create("Contact", LastName="Byron", AccountId=acme, Email="ada@x.example")
        running.create("Contact", LastName="Babbage", AccountId=acme)
        deal = running.create(
            "Opportunity",
            Name="Pilot",
            AccountId=acme,
            StageName="Prospecting",
            CloseDate="2026-01-01",
            Amount=5,
        )
        project = running.create("Project__c", Name="Bridge", Account__c=acme)
        for number in range(450):
            running.create("Milestone__c", Project__c=project, Title__c=f"Step {number:03}")
        for what, who in ((acme, ada), (deal, None), (None, None)):
            running.create("Task", Subject="Call", WhatId=what, WhoId=who)
        yield running


SELECTIONS: dict[str, list[object]] = {
    "SELECT Account.Parent.Parent.Name, Account.Parent.Parent.BillingAddress FROM Contact WHERE LastName = 'Byron'": [
        {
            "Account": {
                "Parent": {
                    "Parent": {
                        "Name": "Root",
                        "BillingAddress": {
                            "city": "London",
                            "country": "UK",
                            "geocodeAccuracy": None,
                            "latitude": None,
                            "longitude": None,
                            "postalCode": None,
                            "state": None,
                            "street": None,
                        },
                    }
                }
            }
        }
    ],
    "SELECT Name, BillingAddress FROM Account WHERE Name = 'Acme'": [
        {"Name": "Acme", "BillingAddress": None}
    ],
    "SELECT Project__r.Account__r.Parent.Parent.Owner.FirstName FROM Milestone__c LIMIT 1": [
        {"Project__r": {"Account__r": {"Parent": {"Parent": {"Owner": {"FirstName": "Ada"}}}}}}
    ],
    "SELECT c.LastName, a.Name, p.Name FROM Contact c, c.Account a, a.Parent p WHERE p.Name = 'Umbra' ORDER BY c.LastName LIMIT 1": [
        {"LastName": "Babbage", "Account": {"Name": "Acme", "Parent": {"Name": "Umbra"}}}
    ],
    "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName), (SELECT Name FROM ChildAccounts) FROM Account WHERE Name != 'Root'": [
        {
            "Name": "Umbra",
            "Contacts": None,
            "ChildAccounts": {"totalSize": 1, "done": True, "records": [{"Name": "Acme"}]},
        },
        {
            "Name": "Acme",
            "Contacts": {
                "totalSize": 2,
                "done": True,
                "records": [{"LastName": "Babbage"}, {"LastName": "Byron"}],
            },
            "ChildAccounts": None,
        },
    ],
    "SELECT (SELECT (SELECT (SELECT Title__c FROM Milestones__r WHERE Title__c = 'Step 007') FROM Projects__r) FROM ChildAccounts) "
    "FROM Account WHERE Name = 'Umbra'": [
        {
            "ChildAccounts": {
                "totalSize": 1,
                "done": True,
                "records": [
                    {
                        "Projects__r": {
                            "totalSize": 1,
                            "done": True,
                            "records": [
                                {
                                    "Milestones__r": {
                                        "totalSize": 1,
                                        "done": True,
                                        "records": [{"Title__c": "Step 007"}],
                                    }
                                }
                            ],
                        }
                    }
                ],
            }
        }
    ],
    "SELECT TYPEOF What WHEN Account THEN Phone, Parent.Name WHEN Opportunity THEN Amount ELSE Name END FROM Task": [
        {"What": {"Phone": "2", "Parent": {"Name": "Umbra"}}},
        {"What": {"Amount": 5.0}},
        {"What": None},
    ],
    "SELECT TYPEOF What WHEN Account THEN Phone ELSE Name, Type, Email END FROM Task WHERE What.Type = 'Opportunity'": [
        {"What": {"Name": "Pilot", "Type": "Opportunity", "Email": None}}
    ],
    "SELECT TYPEOF Who WHEN Lead THEN Company END FROM Task WHERE WhoId != null": [{"Who": {}}],
    "SELECT Who.Email, What.Name FROM Task WHERE What.Name = 'Acme'": [
        {"Who": {"Email": "ada@x.example"}, "What": {"Name": "Acme"}}
    ],
    "SELECT Name FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE LastName = 'Byron') "
    "AND Id NOT IN (SELECT AccountId FROM Opportunity WHERE IsWon = true)": [{"Name": "Acme"}],
    "SELECT Name FROM Opportunity WHERE AccountId IN (SELECT AccountId FROM Contact ORDER BY LastName LIMIT 1)": [
        {"Name": "Pilot"}
    ],
    "SELECT Name FROM Account WHERE Id NOT IN (SELECT AccountId FROM Contact) ORDER BY Name": [
        {"Name": "Root"},
        {"Name": "Umbra"},
    ],
    "SELECT Name, Profile.Name, UserRole.Name FROM User LIMIT 1": [
        {
            "Name": "Ada Lovelace",
            "Profile": {"Name": "System Administrator"},
            "UserRole": {"Name": "CEO"},
        }
    ],
}


@pytest.mark.parametrize(("soql", "expected"), SELECTIONS.items(), ids=list(SELECTIONS))
def test_selections(org: Org, soql: str, expected: list[object]) -> None:
    assert bare(org.query(soql)) == expected


WRONG = {
    "SELECT A.B.C.D.E.F.Name FROM Contact": ("MALFORMED_QUERY", "A field may be at most 5 parents away."),
    "SELECT (SELECT Id FROM Nothing) FROM Account": (
        "INVALID_TYPE",
        "Didn't understand relationship 'Nothing' in FROM part of query call. If you are attempting to use a custom "
        "relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the "
        "describe call for the appropriate names.",
    ),
    "SELECT (SELECT COUNT(Id) FROM Contacts) FROM Account": (
        "MALFORMED_QUERY",
        "only root queries support aggregate expressions",
    ),
    "SELECT TYPEOF Owner WHEN User THEN Id END FROM Contact": (
        "MALFORMED_QUERY",
        "TYPEOF is for a relationship to several objects, which Owner is not",
    ),
    "SELECT TYPEOF What WHEN Lead THEN Id END FROM Task": (
        "INVALID_TYPE",
        "sObject type 'Lead' is not one that TYPEOF can choose here",
    ),
    "SELECT TYPEOF What WHEN Account THEN Id WHEN Account THEN Id END FROM Task": (
        "INVALID_TYPE",
        "sObject type 'Account' is not one that TYPEOF can choose here",
    ),
    "SELECT Id FROM Account WHERE Id IN (SELECT ParentId FROM Account)": (
        "MALFORMED_QUERY",
        "The inner and outer selects should not be on the same object type",
    ),
    "SELECT Id FROM Account WHERE Id IN (SELECT Id FROM Contact)": (
        "MALFORMED_QUERY",
        "The selected field 'Id' in the subquery and the left operand field in the where expression in the outer query "
        "'Id' should point to the same object type",
    ),
    "SELECT Id FROM Account WHERE Name IN (SELECT AccountId FROM Contact)": (
        "MALFORMED_QUERY",
        "The left operand field in the where expression for outer query should be an id field, cannot use: 'Name'",
    ),
    "SELECT Id FROM Account WHERE Id IN (SELECT LastName FROM Contact)": (
        "MALFORMED_QUERY",
        "The selected field in a query inside IN should be an id field, cannot use: 'LastName'",
    ),
    "SELECT Id FROM Account WHERE Id IN (SELECT AccountId, Id FROM Contact)": (
        "MALFORMED_QUERY",
        "A query inside IN selects one field",
    ),
    "SELECT Id FROM Account WHERE Name = 'x' OR Id IN (SELECT AccountId FROM Contact)": (
        "MALFORMED_QUERY",
        "Semi join sub-selects are not allowed with the 'OR' operator",
    ),
    "SELECT Id FROM Account WHERE Name = 'x' OR (Name = 'y' AND Id IN (SELECT AccountId FROM Contact))": (
        "MALFORMED_QUERY",
        "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE expressions.",
    ),
    "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE AccountId IN (SELECT AccountId FROM Case))": (
        "MALFORMED_QUERY",
        "Nesting of semi join sub-selects is not supported",
    ),
    "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact) AND Id IN (SELECT AccountId FROM Case) AND Id NOT IN "
    "(SELECT AccountId FROM Opportunity)": (
        "MALFORMED_QUERY",
        "Maximum 2 semi join sub-selects are allowed.",
    ),
}


@pytest.mark.parametrize(("soql", "expected"), WRONG.items(), ids=list(WRONG))
def test_what_leads_nowhere(org: Org, soql: str, expected: tuple[str, str]) -> None:
    with pytest.raises(ApiError) as caught:
        org.query(soql)
    assert (caught.value.code, caught.value.message.rsplit("\n", 1)[1]) == expected


OPTIONS = {"Sforce-Query-Options": "batchSize=200"}


def milestones(page: dict[str, object]) -> list[object]:
    records = page["records"]
    assert isinstance(records, list)
    return [record["Title__c"] for record in records]


def test_children_come_in_pages_of_their_own(org: Org) -> None:
    soql = "SELECT Name, (SELECT Title__c FROM Milestones__r ORDER BY Title__c) FROM Project__c"
    with client_of(org) as api:
        pages = [api.get("/query", params={"q": soql}, headers=OPTIONS).json()["records"][0]["Milestones__r"]]
        while not pages[-1]["done"]:
            pages.append(api.get(org.url + pages[-1]["nextRecordsUrl"]).json())
    assert [page["totalSize"] for page in pages] == [450, 450, 450]
    titles = [title for page in pages for title in milestones(page)]
    assert titles == [f"Step {number:03}" for number in range(450)]


def test_the_pages_of_children_end_at_their_limit(org: Org) -> None:
    soql = "SELECT (SELECT Title__c FROM Milestones__r ORDER BY Title__c DESC LIMIT 210 OFFSET 20) FROM Project__c"
    with client_of(org) as api:
        first = api.get("/query", params={"q": soql}, headers=OPTIONS).json()["records"][0]["Milestones__r"]
        last = api.get(org.url + first["nextRecordsUrl"]).json()
    assert (first["totalSize"], len(milestones(first)), last["done"]) == (210, 200, True)
    assert milestones(last) == [f"Step {number:03}" for number in range(229, 219, -1)]


def test_the_children_of_a_later_page_lead_on_too(org: Org) -> None:
    accounts = [org.create("Account", Name=f"Many {number}") for number in range(201)]
    for number in range(201):
        org.create("Contact", AccountId=accounts[200], LastName=f"Person {number:03}")
    soql = "SELECT (SELECT LastName FROM Contacts) FROM Account WHERE Name LIKE 'Many%' ORDER BY CreatedDate"
    with client_of(org) as api:
        first = api.get("/query", params={"q": soql}, headers=OPTIONS).json()
        second = api.get(org.url + first["nextRecordsUrl"]).json()
        contacts = second["records"][0]["Contacts"]
        last = api.get(org.url + contacts["nextRecordsUrl"]).json()
    assert (contacts["totalSize"], contacts["done"]) == (201, False)
    assert [record["LastName"] for record in last["records"]] == ["Person 200"]


@pytest.mark.parametrize("change", [(".0.", ".7."), ("-200", "-0"), ("-200", "-450"), (".0.", ".0.0")])
def test_a_place_among_children_that_there_is_not(org: Org, change: tuple[str, str]) -> None:
    soql = "SELECT (SELECT Title__c FROM Milestones__r) FROM Project__c"
    with client_of(org) as api:
        page: httpx.Response = api.get("/query", params={"q": soql}, headers=OPTIONS)
        url = page.json()["records"][0]["Milestones__r"]["nextRecordsUrl"].replace(*change)
        answer = api.get(org.url + url)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


def test_query_all_sees_deleted_children(org: Org) -> None:
    account = org.create("Account", Name="Emptied")
    contact = org.create("Contact", LastName="Gone", AccountId=account)
    org.delete("Contact", contact)
    soql = "SELECT (SELECT LastName FROM Contacts) FROM Account WHERE Name = 'Emptied'"
    assert bare(org.query(soql)) == [{"Contacts": None}]
    assert "Gone" in str(org.query(soql, all_rows=True))
