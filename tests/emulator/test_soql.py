"""SOQL → records, as a table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runner.emulator.testing import Org, start_org
from tests.emulator.soql import bare

PEOPLE = [
    {
        "LastName": "Byron",
        "FirstName": "Ada",
        "Email": "ada@x.example",
        "Birthdate": "1815-12-10",
        "Title": "Countess",
    },
    {
        "LastName": "Babbage",
        "FirstName": "Charles",
        "Birthdate": "1791-12-26",
        "DoNotCall": True,
        "Title": "100% \\ _new",
    },
    {"LastName": "O'Hara", "Email": "scarlett@x.example", "Department": "R&D"},
    {"LastName": "李", "FirstName": "白", "Department": "r&d"},
]


@pytest.fixture(scope="module")
def org() -> Iterator[Org]:
    """Acme with Byron and Babbage and three deals; two people without an account."""
    with start_org(records=0) as running:
        acme = running.create("Account", Name="Acme", AnnualRevenue=100, NumberOfEmployees=3)
        running.create("Account", Name="Umbra")
        for person in PEOPLE:
            account = {"AccountId": acme} if person["LastName"] in ("Byron", "Babbage") else {}
            running.create("Contact", person | account)
        for name, amount in (("Pilot", 10.5), ("Renewal", 20), ("Gift", None)):
            running.create(
                "Opportunity",
                AccountId=acme,
                Name=name,
                Amount=amount,
                StageName="Closed Won",
                CloseDate="2026-01-01",
            )
        gone = running.create("Contact", LastName="Gone", AccountId=acme)
        running.delete("Contact", gone)
        yield running


def last_names(org: Org, rest: str) -> list[object]:
    return [record["LastName"] for record in org.query(f"SELECT LastName FROM Contact {rest}")]


CONDITIONS = {
    "LastName = 'byron'": ["Byron"],
    "LastName = 'O\\'Hara'": ["O'Hara"],
    "LastName != 'Byron'": ["Babbage", "O'Hara", "李"],
    "FirstName != 'Ada'": ["Babbage", "O'Hara", "李"],
    "FirstName = null": ["O'Hara"],
    "FirstName = ''": ["O'Hara"],
    "FirstName != null": ["Byron", "Babbage", "李"],
    "Department = 'R&D'": ["O'Hara", "李"],
    "LastName IN ('Byron', '李', 'nobody')": ["Byron", "李"],
    "FirstName IN (null, 'Ada')": ["Byron", "O'Hara"],
    "FirstName NOT IN ('Ada')": ["Babbage", "O'Hara", "李"],
    "FirstName NOT IN ('Ada', null)": ["Babbage", "李"],
    "LastName LIKE 'B%'": ["Byron", "Babbage"],
    "LastName LIKE '_yron'": ["Byron"],
    "Title LIKE '100\\% \\\\ \\_%'": ["Babbage"],
    "(NOT LastName LIKE 'B%')": ["O'Hara", "李"],
    "(NOT FirstName = 'Ada')": ["Babbage", "O'Hara", "李"],
    "(NOT Birthdate > 1800-01-01)": ["Babbage", "O'Hara", "李"],
    "DoNotCall = true": ["Babbage"],
    "DoNotCall != true": ["Byron", "O'Hara", "李"],
    "Birthdate < 1800-01-01": ["Babbage"],
    "Birthdate >= 1815-12-10": ["Byron"],
    "LastName = 'Byron' OR LastName = 'Babbage'": ["Byron", "Babbage"],
    "LastName LIKE 'B%' AND (FirstName = 'Ada' OR FirstName = 'Zoe')": ["Byron"],
    "Account.Name = 'acme'": ["Byron", "Babbage"],
    "Account.Name = null": ["O'Hara", "李"],
    "Account.Owner.Name LIKE 'Ada%'": ["Byron", "Babbage"],
    "Account.AnnualRevenue > 99.5": ["Byron", "Babbage"],
    "AccountId IN (SELECT Id FROM Account WHERE Name = 'Acme')": ["Byron", "Babbage"],
    "AccountId NOT IN (SELECT Id FROM Account WHERE Name = 'Acme')": ["O'Hara", "李"],
    "CreatedDate = TODAY": ["Byron", "Babbage", "O'Hara", "李"],
    "CreatedDate < TODAY": [],
    "CreatedDate >= LAST_N_DAYS:3 AND CreatedDate <= TODAY": ["Byron", "Babbage", "O'Hara", "李"],
    "CreatedDate > 2001-01-01T00:00:00Z AND CreatedDate < 9001-01-01T00:00:00+02:00": [
        "Byron",
        "Babbage",
        "O'Hara",
        "李",
    ],
    "SystemModstamp >= 9001-01-01T00:00:00.000+0000": [],
    "CALENDAR_YEAR(Birthdate) = 1815": ["Byron"],
}


@pytest.mark.parametrize(("where", "expected"), CONDITIONS.items(), ids=list(CONDITIONS))
def test_conditions(org: Org, where: str, expected: list[str]) -> None:
    assert last_names(org, f"WHERE {where}") == expected


ORDERS = {
    "ORDER BY LastName": ["Babbage", "Byron", "O'Hara", "李"],
    "ORDER BY LastName DESC LIMIT 2": ["李", "O'Hara"],
    "ORDER BY Birthdate": ["O'Hara", "李", "Babbage", "Byron"],
    "ORDER BY Birthdate NULLS LAST": ["Babbage", "Byron", "O'Hara", "李"],
    "ORDER BY Birthdate DESC NULLS FIRST, LastName DESC": ["李", "O'Hara", "Byron", "Babbage"],
    "ORDER BY Account.Name NULLS LAST, FirstName DESC": ["Babbage", "Byron", "O'Hara", "李"],
    "LIMIT 2 OFFSET 1": ["Babbage", "O'Hara"],
    "OFFSET 3": ["李"],
    "LIMIT 0": [],
    "FOR VIEW": ["Byron", "Babbage", "O'Hara", "李"],
}


@pytest.mark.parametrize(("rest", "expected"), ORDERS.items(), ids=list(ORDERS))
def test_order_and_window(org: Org, rest: str, expected: list[str]) -> None:
    assert last_names(org, rest) == expected


SELECTIONS: dict[str, list[dict[str, object]]] = {
    "SELECT c.LastName, c.Account.Name FROM Contact c WHERE c.FirstName = 'Ada'": [
        {"LastName": "Byron", "Account": {"Name": "Acme"}}
    ],
    "select lastname, account.name, Account.owner.firstname from contact where firstname = 'Ada'": [
        {"LastName": "Byron", "Account": {"Name": "Acme", "Owner": {"FirstName": "Ada"}}}
    ],
    "SELECT LastName, Account.Name FROM Contact WHERE LastName = '李'": [{"LastName": "李", "Account": None}],
    "SELECT Contact.Name, DoNotCall FROM Contact WHERE Name = 'Charles Babbage'": [
        {"Name": "Charles Babbage", "DoNotCall": True}
    ],
    "SELECT Name, AnnualRevenue, NumberOfEmployees FROM Account ORDER BY Name": [
        {"Name": "Acme", "AnnualRevenue": 100.0, "NumberOfEmployees": 3},
        {"Name": "Umbra", "AnnualRevenue": None, "NumberOfEmployees": None},
    ],
    "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName LIMIT 1) FROM Account": [
        {"Name": "Acme", "Contacts": {"totalSize": 1, "done": True, "records": [{"LastName": "Babbage"}]}},
        {"Name": "Umbra", "Contacts": None},
    ],
    "SELECT count(Id), SUM(Amount) total, MIN(Amount), AVG(Amount) FROM Opportunity": [
        {"expr0": 3, "total": 30.5, "expr1": 10.5, "expr2": 15.25}
    ],
    "SELECT Account.Name, COUNT(Id) FROM Contact GROUP BY Account.Name ORDER BY COUNT(Id)": [
        {"Name": None, "expr0": 2},
        {"Name": "Acme", "expr0": 2},
    ],
    "SELECT FirstName, count(Id) n FROM Contact GROUP BY FirstName HAVING count(Id) > 1": [],
    "SELECT COUNT_DISTINCT(Department) kinds FROM Contact": [{"kinds": 1}],
    "SELECT CALENDAR_YEAR(Birthdate) y, MAX(LastName) m FROM Contact WHERE Birthdate != null "
    "GROUP BY CALENDAR_YEAR(Birthdate) ORDER BY CALENDAR_YEAR(Birthdate) DESC": [
        {"y": 1815, "m": "Byron"},
        {"y": 1791, "m": "Babbage"},
    ],
}


@pytest.mark.parametrize(("soql", "expected"), SELECTIONS.items(), ids=list(SELECTIONS))
def test_selections(org: Org, soql: str, expected: list[dict[str, object]]) -> None:
    assert bare(org.query(soql)) == expected


def test_attributes_say_what_a_record_is_and_where(org: Org) -> None:
    found = org.query("SELECT Id, Account.Id FROM Contact WHERE FirstName = 'Ada'")[0]
    account = found["Account"]
    assert found["attributes"] == {
        "type": "Contact",
        "url": f"/services/data/v62.0/sobjects/Contact/{found['Id']}",
    }
    assert isinstance(account, dict)
    assert account["attributes"]["type"] == "Account"


def test_fields_stands_for_all_fields(org: Org) -> None:
    every = org.query("SELECT FIELDS(ALL) FROM Contact LIMIT 1")[0]
    custom = org.query("SELECT FIELDS(CUSTOM) FROM Contact LIMIT 1")[0]
    standard = org.query("SELECT FIELDS(STANDARD) FROM Contact")[0]
    assert set(custom) == {"attributes", "External_Id__c", "Legacy_Id__c"}
    assert set(every) == set(standard) | set(custom)


def test_a_reference_to_several_objects_shows_the_one_it_points_to(org: Org) -> None:
    lead = org.create("Lead", LastName="Curie", Company="Sorbonne")
    org.create("Task", WhoId=lead, Subject="Call")
    found = org.query("SELECT Who.Name, Who.Type, Who.Email FROM Task WHERE Who.Name = 'curie'")
    assert bare(found) == [{"Who": {"Name": "Curie", "Type": "Lead", "Email": None}}]
    assert "/sobjects/Lead/" in str(found)


def test_only_query_all_sees_deleted_records(org: Org) -> None:
    soql = "SELECT LastName, IsDeleted FROM Contact WHERE LastName = 'Gone'"
    assert org.query(soql) == []
    assert bare(org.query(soql, all_rows=True)) == [{"LastName": "Gone", "IsDeleted": True}]


def test_ids_of_15_characters_find_records_too(org: Org) -> None:
    record_id = str(org.query("SELECT Id FROM Contact LIMIT 1")[0]["Id"])
    assert len(org.query(f"SELECT Id FROM Contact WHERE Id = '{record_id[:15]}'")) == 1


def test_a_list_of_many_thousand_values_is_no_problem(org: Org) -> None:
    values = ", ".join(f"'name {number}'" for number in range(5_000))
    assert last_names(org, f"WHERE LastName IN ({values}, 'Byron')") == ["Byron"]


def test_a_chain_of_many_conditions_is_no_problem(org: Org) -> None:
    chain = " OR ".join(f"LastName = 'name {number}'" for number in range(1_500))
    assert last_names(org, f"WHERE {chain} OR LastName = 'Byron'") == ["Byron"]
