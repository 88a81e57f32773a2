"""What each shipped workflow is given, and what must come of it at the org."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from runner.emulator.testing import Org

Output = dict[str, object]
Given = Mapping[str, object]


class Case(NamedTuple):
    """One shipped workflow at work."""

    #: makes what it needs at the org; gives its input
    given: Callable[[Org], dict[str, object]]
    #: looks at the org afterwards
    check: Callable[[Org, Given, Output], None]
    #: what its recorded test is given for steps that only a person does
    mock: Mapping[str, object] = {}
    #: records of each list of an answer that its recorded test keeps
    limit: int | None = None
    #: the files of the project's folder that it reads
    files: Mapping[str, str] = {}


def count(org: Org, where: str) -> int:
    return len(org.query(f"SELECT Id FROM {where}"))


def nothing(org: Org) -> dict[str, object]:
    return {}


def contact(org: Org, **fields: object) -> str:
    return org.create("Contact", {"LastName": "Byron", **fields})


def external(id: str = "c-1") -> dict[str, object]:
    return {"object": "Contact", "external_id_field": "External_Id__c", "external_id": id}


def is_last_name(org: Org, id: object, name: str) -> None:
    assert org.query(f"SELECT LastName FROM Contact WHERE Id = '{id}'")[0]["LastName"] == name


def _created(org: Org, given: Given, output: Output) -> None:
    is_last_name(org, output["id"], "Lovelace")


def _updated(org: Org, given: Given, output: Output) -> None:
    is_last_name(org, given["id"], "King")


def _upserted(org: Org, given: Given, output: Output) -> None:
    assert output["created"] is True
    is_last_name(org, output["id"], "Lovelace")
    assert count(org, "Contact WHERE External_Id__c = 'c-1'") == 1


def _deleted(org: Org, given: Given, output: Output) -> None:
    assert output["deleted"] is True
    assert count(org, "Contact WHERE LastName = 'Byron'") == 0


def _got(org: Org, given: Given, output: Output) -> None:
    assert (output["LastName"], "attributes" in output) == ("Byron", False)


def _by_key(org: Org) -> dict[str, object]:
    contact(org, External_Id__c="c-1")
    return external()


def _many(org: Org, given: Given, output: Output) -> None:
    assert (output["written"], output["failed"]) == (2, 1)
    results = output["results"]
    assert isinstance(results, list)
    assert [result["success"] for result in results] == [True, False, True]


def _many_updated(org: Org, given: Given, output: Output) -> None:
    _many(org, given, output)
    assert count(org, "Contact WHERE Title = 'Countess'") == 2


def _many_deleted(org: Org, given: Given, output: Output) -> None:
    assert (output["written"], output["failed"]) == (2, 0)
    assert count(org, "Contact WHERE LastName = 'Byron'") == 0


def _upserts(org: Org) -> dict[str, object]:
    contact(org, External_Id__c="c-1")
    records = [
        {"External_Id__c": "c-1", "Title": "Countess"},
        {"External_Id__c": "c-2"},
        {"External_Id__c": "c-3", "LastName": "King", "Title": "Countess"},
    ]
    return {"object": "Contact", "external_id_field": "External_Id__c", "records": records}


def _composite(org: Org) -> dict[str, object]:
    account = {"method": "POST", "path": "/sobjects/Account", "ref": "a", "body": {"Name": "Analytical"}}
    person = {"LastName": "Lovelace", "AccountId": "@{a.id}"}
    return {
        "requests": [account, {"method": "POST", "path": "/sobjects/Contact", "ref": "c", "body": person}]
    }


def _composed(org: Org, given: Given, output: Output) -> None:
    assert count(org, "Contact WHERE Account.Name = 'Analytical' AND LastName = 'Lovelace'") == 1


def _batch(org: Org) -> dict[str, object]:
    patch = {"method": "PATCH", "path": f"/sobjects/Contact/{contact(org)}", "body": {"LastName": "King"}}
    return {"requests": [patch, {"method": "GET", "path": "/sobjects/Contact/003000000000000AAA"}]}


def _batched(org: Org, given: Given, output: Output) -> None:
    assert output["failed"] is True
    assert count(org, "Contact WHERE LastName = 'King'") == 1


def _graph(org: Org) -> dict[str, object]:
    def graph(id: str, **fields: object) -> dict[str, object]:
        url = "/services/data/v62.0/sobjects/Account"
        return {"id": id, "requests": [{"method": "POST", "url": url, "referenceId": "a", "body": fields}]}

    return {"graphs": [graph("good", Name="Analytical"), graph("bad", Nme="Difference")]}


def _graphed(org: Org, given: Given, output: Output) -> None:
    assert (output["done"], output["failed"]) == (["good"], ["bad"])
    assert count(org, "Account WHERE Name = 'Analytical'") == 1


def _tree(org: Org) -> dict[str, object]:
    person = {"attributes": {"type": "Contact", "referenceId": "c"}, "LastName": "Lovelace"}
    account = {"attributes": {"type": "Account", "referenceId": "a"}, "Name": "Analytical"}
    return {"object": "Account", "records": [{**account, "Contacts": {"records": [person]}}]}


def _searched(org: Org, given: Given, output: Output) -> None:
    assert [record["Name"] for record in _records(output)] == ["Byron"]


def _records(output: Output) -> list[dict[str, object]]:
    records = output["records"]
    assert isinstance(records, list)
    return records


def _lead(org: Org) -> dict[str, object]:
    fields = {"FirstName": "Ada", "LastName": "Lovelace", "Company": "Analytical", "Email": "ada@example.com"}
    return {"id": org.create("Lead", fields), "opportunity": "Engine"}


def _converted(org: Org, given: Given, output: Output) -> None:
    (made,) = org.query(f"SELECT Name, AccountId FROM Contact WHERE Id = '{output['contact_id']}'")
    assert (made["Name"], made["AccountId"]) == ("Ada Lovelace", output["account_id"])
    assert count(org, f"Opportunity WHERE Id = '{output['opportunity_id']}' AND Name = 'Engine'") == 1
    assert count(org, f"Lead WHERE Id = '{given['id']}' AND Status = 'Closed - Not Converted'") == 1


def _customer(org: Org) -> dict[str, object]:
    people = [{"last_name": "Lovelace", "first_name": "Ada"}, {"last_name": "King", "email": "k@example.com"}]
    return {
        "name": "Analytical", "number": "A-1", "contacts": people, "opportunity": "Engine",
        "close_date": "2027-01-31",
    }  # fmt: skip


def _onboarded(org: Org, given: Given, output: Output) -> None:
    assert count(org, f"Contact WHERE AccountId = '{output['account_id']}'") == 2
    assert count(org, f"Task WHERE WhatId = '{output['account_id']}' AND Subject = 'Welcome Analytical'") == 1
    assert count(org, "Opportunity WHERE Account.External_Id__c = 'A-1'") == 1


def _duplicates(org: Org) -> dict[str, object]:
    contact(org, Email="ada@example.com", FirstName="Ada")
    other = contact(org, Email="ada@example.com", Title="Countess")
    org.create("Case", {"Subject": "Where is it?", "ContactId": other})
    org.create("Task", {"Subject": "Call", "WhoId": other})
    return {"email": "ada@example.com"}


def _merged(org: Org, given: Given, output: Output) -> None:
    (kept,) = org.query("SELECT Id, FirstName, Title FROM Contact WHERE Email = 'ada@example.com'")
    assert (kept["FirstName"], kept["Title"], kept["Id"]) == ("Ada", "Countess", output["kept"])
    assert count(org, f"Case WHERE ContactId = '{output['kept']}'") == 1
    assert count(org, f"Task WHERE WhoId = '{output['kept']}'") == 1


def _cases(org: Org) -> dict[str, object]:
    one, other = contact(org), contact(org)
    org.create("Case", {"Subject": "Where is it?", "ContactId": one})
    return {"object": "Case", "field": "ContactId", "from": [one], "to": other}


def _moved(org: Org, given: Given, output: Output) -> None:
    assert output == {"moved": 1}
    assert count(org, f"Case WHERE ContactId = '{given['to']}'") == 1


def _spelled(org: Org) -> dict[str, object]:
    ids = {spelled: contact(org, MailingCountry=spelled) for spelled in ("USA", "Deutschland")}
    return {"records": [{"id": id, "mailing_address": {"country": spelled}} for spelled, id in ids.items()]}


def _unified(org: Org, given: Given, output: Output) -> None:
    assert output == {"written": 2}
    assert count(org, "Contact WHERE MailingCountry = 'Germany' AND LastName = 'Byron'") == 1
    assert count(org, "Contact WHERE MailingCountry = 'United States' AND LastName = 'Byron'") == 1


def _with_people(org: Org, given: Given, output: Output) -> None:
    assert count(org, f"Contact WHERE AccountId = '{output['account_id']}'") == 1


def _has(key: str, *names: str) -> Callable[[Org, Given, Output], None]:
    def check(org: Org, given: Given, output: Output) -> None:
        found = output[key]
        assert isinstance(found, list)
        there = {one["name"] if isinstance(one, dict) else one for one in found}
        assert set(names) <= there

    return check


def _is_user(org: Org, given: Given, output: Output) -> None:
    assert (output["id"], output["username"]) == (org.user_id, org.username)


def _limits(org: Org, given: Given, output: Output) -> None:
    assert output["calls"] == 15_000


def _recent(org: Org, given: Given, output: Output) -> None:
    assert isinstance(output["records"], list)


def _seen(org: Org) -> dict[str, object]:
    contact(org)
    return {"limit": 5}


def _task(org: Org, given: Given, output: Output) -> None:
    assert count(org, f"Task WHERE Id = '{output['id']}' AND WhoId = '{given['record_id']}'") == 1


PEOPLE = {
    "people.csv": (
        "External_Id__c,LastName,Title,Birthdate\n"
        "c-1,Byron,Countess,\n"
        "c-2,,Nobody,\n"
        "c-3,King,Countess,1815-12-10\n"
    )
}


def _file(org: Org) -> dict[str, object]:
    contact(org, External_Id__c="c-1", Birthdate="1788-01-22")
    return {"file": "people.csv", "object": "Contact", "external_id_field": "External_Id__c"}


def _from_file(org: Org, given: Given, output: Output) -> None:
    assert output == {"rows": 3, "done": 2, "rejected": 1}
    assert count(org, "Contact WHERE Title = 'Countess' AND External_Id__c IN ('c-1', 'c-3')") == 2
    # An empty cell leaves its field as it is.
    assert count(org, "Contact WHERE External_Id__c = 'c-1' AND Birthdate = 1788-01-22") == 1


BYRON = "SELECT Id, Name FROM Contact WHERE LastName = 'Byron'"
CASES: dict[str, Case] = {
    "create-contact": Case(lambda org: {"last_name": "Lovelace", "email": "ada@example.com"}, _created),
    "account-with-contacts": Case(
        lambda org: {"name": "Analytical", "contacts": [{"last_name": "Lovelace"}]}, _with_people
    ),
    "create-record": Case(lambda org: {"object": "Contact", "fields": {"LastName": "Lovelace"}}, _created),
    "update-record": Case(
        lambda org: {"object": "Contact", "id": contact(org), "fields": {"LastName": "King"}}, _updated
    ),
    "upsert-record": Case(lambda org: {**external(), "fields": {"LastName": "Lovelace"}}, _upserted),
    "delete-record": Case(lambda org: {"object": "Contact", "id": contact(org)}, _deleted),
    "delete-record-by-external-id": Case(_by_key, _deleted),
    "get-record": Case(
        lambda org: {"object": "Contact", "id": contact(org), "fields": ["Id", "LastName"]}, _got
    ),
    "get-record-by-external-id": Case(lambda org: {**_by_key(org), "fields": ["LastName"]}, _got),
    "create-records": Case(
        lambda org: {
            "object": "Contact",
            "records": [{"LastName": "Lovelace"}, {"FirstName": "Ada"}, {"LastName": "King"}],
        },
        _many,
    ),
    "update-records": Case(
        lambda org: {
            "object": "Contact",
            "records": [
                {"id": contact(org), "Title": "Countess"},
                {"id": "003000000000000AAA", "Title": "Countess"},
                {"id": contact(org), "Title": "Countess"},
            ],
        },
        _many_updated,
    ),
    "upsert-records": Case(_upserts, _many_updated),
    "delete-records": Case(lambda org: {"ids": [contact(org), contact(org)]}, _many_deleted),
    "composite-request": Case(_composite, _composed),
    "batch-request": Case(_batch, _batched),
    "graph-request": Case(_graph, _graphed),
    "create-tree": Case(_tree, _composed),
    "query": Case(lambda org: {"soql": contact(org) and BYRON}, _searched),
    "search": Case(
        lambda org: {"sosl": contact(org) and "FIND {Byron} IN NAME FIELDS RETURNING Contact(Id, Name)"},
        _searched,
    ),
    "search-text": Case(
        lambda org: {"text": contact(org) and "Byron", "objects": ["Contact"], "in": "NAME"}, _searched
    ),
    "describe-object": Case(
        lambda org: {"object": "Contact"}, _has("fields", "Id"), limit=2
    ),
    "list-objects": Case(lambda org: {"custom": True}, _has("objects", "Project__c"), limit=2),
    "org-limits": Case(nothing, _limits),
    "recent-items": Case(_seen, _recent),
    "list-quick-actions": Case(
        lambda org: {"object": "Contact"}, _has("actions", "Contact.NewTask"), limit=2
    ),
    "run-quick-action": Case(
        lambda org: {
            "action": "NewTask", "object": "Contact", "record_id": contact(org),
            "fields": {"Subject": "Call"},
        },
        _task,
    ),
    "upsert-from-csv": Case(_file, _from_file, files=PEOPLE),
    "bulk-upsert-from-csv": Case(_file, _from_file, files=PEOPLE),
    "current-user": Case(nothing, _is_user),
    "convert-lead": Case(_lead, _converted),
    "onboard-customer": Case(_customer, _onboarded),
    "move-records": Case(_cases, _moved),
    "unify-countries": Case(_spelled, _unified),
    "merge-duplicate-contacts": Case(_duplicates, _merged, mock={"gate": {"approved": True}}),
}  # fmt: skip
