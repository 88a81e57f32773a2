"""Sample data."""

from __future__ import annotations

import re

import pytest

from runner.emulator.errors import OptionError
from runner.emulator.options import Options
from runner.emulator.org import Org as EmulatedOrg
from runner.emulator.testing import Org, start_org

COUNTED = ("Account", "Contact", "Opportunity", "Lead", "Case", "Task")


def count(org: Org, what: str) -> int:
    return len(org.query(f"SELECT Id FROM {what}"))


def test_other_objects_go_with_the_contacts() -> None:
    with start_org(records=200) as org:
        assert [count(org, name) for name in COUNTED] == [20, 200, 40, 40, 20, 40]
        assert 5 <= count(org, "User") <= 20


def test_an_org_may_begin_without_records() -> None:
    with start_org(records=0) as org:
        assert [count(org, name) for name in COUNTED] == [0] * 6


@pytest.mark.parametrize("records", [1, 2, 4, 5, 9, 10, 19, 20, 49])
def test_an_org_may_be_of_any_size(records: int) -> None:
    org = EmulatedOrg(Options(records=records))
    assert org.database.count(org.schema.objects["Contact"]) == records
    org.close()


def test_the_same_seed_makes_the_same_data() -> None:
    soql = "SELECT Name, Email, AccountId, MailingStreet, Description FROM Contact"
    with (
        start_org(records=50, seed=7) as one,
        start_org(records=50, seed=7) as same,
        start_org(records=50, seed=8) as other,
    ):
        assert one.query(soql) == same.query(soql) != other.query(soql)


def test_contacts_have_empty_fields_other_alphabets_quotes_and_line_breaks() -> None:
    with start_org(records=500) as org:
        contacts = org.query("SELECT AccountId, LastName, Email, MailingStreet, Description FROM Contact")
    texts = "".join(f"{c['LastName']}{c['MailingStreet']}{c['Description']}" for c in contacts)
    assert all(part in texts for part in ("'", '"', "\n", "\\", "李", "🌲"))
    assert all(any(c[name] is None for c in contacts) for name in ("AccountId", "Email", "Description"))


def test_dates_are_spread_over_the_two_years_before_now() -> None:
    with start_org(records=1000) as org:
        stamps = sorted(str(c["SystemModstamp"]) for c in org.query("SELECT SystemModstamp FROM Contact"))
        younger = org.query("SELECT Id FROM Contact WHERE SystemModstamp >= LAST_N_DAYS:365")
        assert stamps[-1] < org.now()
    assert 300 < len(younger) < 900


def test_references_lead_to_records_that_are_there() -> None:
    with start_org(records=300) as org:
        contacts = org.query("SELECT AccountId, Account.Id, OwnerId, Owner.Id FROM Contact")
        tasks = org.query("SELECT WhoId, Who.Id, WhatId, What.Id FROM Task")
    for record, name in [*((c, "Account") for c in contacts), *((t, "Who") for t in tasks)]:
        parent = record[name]
        assert record[f"{name}Id"] == (parent["Id"] if isinstance(parent, dict) else None)


def test_custom_fields_are_told_filled_and_written() -> None:
    with start_org(records=100, custom_fields=("Project__c=24", "contact=2")) as org:
        found = org.query("SELECT FIELDS(CUSTOM) FROM Project__c LIMIT 200")
        added = {name for row in found for name in row if re.fullmatch(r".*_\d{3}__c", name)}
        assert len(added) == 24
        for name in added:
            assert len({row[name] for row in found}) > 1
        assert {type(row["Newsletter_Wanted_003__c"]) for row in found} == {bool}
        made = org.create("Contact", LastName="Byron", Yearly_Revenue_001__c=1.5)
        query = f"SELECT Yearly_Revenue_001__c, Renewal_Date_002__c FROM Contact WHERE Id = '{made}'"
        (row,) = org.query(query)
        assert (row["Yearly_Revenue_001__c"], row["Renewal_Date_002__c"]) == (1.5, None)


@pytest.mark.parametrize("wish", ["Project__c", "Project__c=0", "Project__c=801", "Nothing=5", "=5"])
def test_custom_fields_that_cannot_be(wish: str) -> None:
    with pytest.raises(OptionError), start_org(records=0, custom_fields=(wish,)):
        pass
