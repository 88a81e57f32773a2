"""Aggregates, groups and subtotals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runner.emulator.errors import ApiError
from runner.emulator.testing import Org, start_org
from tests.emulator.soql import bare

DEALS = [
    ("Pilot", "Prospecting", "Web", 100),
    ("Renewal", "Prospecting", "Phone Inquiry", 50),
    ("Gift", "Closed Won", "Web", None),
    ("Expansion", "Closed Won", "web", 25),
    ("Training", "Closed Won", None, 10),
]


@pytest.fixture(scope="module")
def org() -> Iterator[Org]:
    with start_org(records=0) as running:
        for month, (name, stage, source, amount) in enumerate(DEALS, 1):
            running.create(
                "Opportunity",
                Name=name,
                StageName=stage,
                LeadSource=source,
                Amount=amount,
                CloseDate=f"2026-{month:02}-15",
            )
        yield running


GROUPS: dict[str, list[dict[str, object]]] = {
    "SELECT StageName, COUNT(Id) deals, SUM(Amount) FROM Opportunity GROUP BY StageName ORDER BY StageName": [
        {"StageName": "Closed Won", "deals": 3, "expr0": 35.0},
        {"StageName": "Prospecting", "deals": 2, "expr0": 150.0},
    ],
    "SELECT LeadSource, COUNT(Id) FROM Opportunity GROUP BY LeadSource ORDER BY LeadSource NULLS LAST": [
        {"LeadSource": "Phone Inquiry", "expr0": 1},
        {"LeadSource": "Web", "expr0": 3},
        {"LeadSource": None, "expr0": 1},
    ],
    "SELECT StageName FROM Opportunity GROUP BY StageName HAVING SUM(Amount) > 100 AND COUNT(Id) < 9": [
        {"StageName": "Prospecting"}
    ],
    "SELECT StageName FROM Opportunity GROUP BY StageName HAVING StageName LIKE 'C%'": [
        {"StageName": "Closed Won"}
    ],
    "SELECT COUNT(Id), COUNT(Amount), COUNT_DISTINCT(LeadSource), AVG(Amount), MIN(CloseDate), MAX(Name) FROM Opportunity": [
        {"expr0": 5, "expr1": 4, "expr2": 2, "expr3": 46.25, "expr4": "2026-01-15", "expr5": "Training"}
    ],
    "SELECT CALENDAR_QUARTER(CloseDate), SUM(Amount) s FROM Opportunity GROUP BY CALENDAR_QUARTER(CloseDate) "
    "ORDER BY SUM(Amount) DESC LIMIT 1": [{"expr0": 1, "s": 150.0}],
    "SELECT StageName, COUNT(Id) n FROM Opportunity GROUP BY ROLLUP(StageName)": [
        {"StageName": "Closed Won", "n": 3},
        {"StageName": "Prospecting", "n": 2},
        {"StageName": None, "n": 5},
    ],
    "SELECT StageName, LeadSource, GROUPING(StageName) s, GROUPING(LeadSource) l, COUNT(Id) n FROM Opportunity "
    "WHERE LeadSource = 'Web' GROUP BY ROLLUP(StageName, LeadSource) ORDER BY GROUPING(StageName), StageName, COUNT(Id)": [
        {"StageName": "Closed Won", "LeadSource": "Web", "s": 0, "l": 0, "n": 2},
        {"StageName": "Closed Won", "LeadSource": None, "s": 0, "l": 1, "n": 2},
        {"StageName": "Prospecting", "LeadSource": "Web", "s": 0, "l": 0, "n": 1},
        {"StageName": "Prospecting", "LeadSource": None, "s": 0, "l": 1, "n": 1},
        {"StageName": None, "LeadSource": None, "s": 1, "l": 1, "n": 3},
    ],
    "SELECT StageName, IsWon, COUNT(Id) n FROM Opportunity GROUP BY CUBE(StageName, IsWon)": [
        {"StageName": "Closed Won", "IsWon": True, "n": 3},
        {"StageName": "Closed Won", "IsWon": None, "n": 3},
        {"StageName": "Prospecting", "IsWon": False, "n": 2},
        {"StageName": "Prospecting", "IsWon": None, "n": 2},
        {"StageName": None, "IsWon": False, "n": 2},
        {"StageName": None, "IsWon": True, "n": 3},
        {"StageName": None, "IsWon": None, "n": 5},
    ],
    "SELECT StageName, COUNT(Id) FROM Opportunity WHERE Name = 'nothing' GROUP BY ROLLUP(StageName)": [],
    "SELECT COUNT(Id) FROM Opportunity WHERE Name = 'nothing'": [{"expr0": 0}],
    "SELECT FORMAT(MIN(CloseDate)) first, FORMAT(SUM(Amount)) total FROM Opportunity": [
        {"first": "1/15/2026", "total": "$185.00"}
    ],
    "SELECT StageName, COUNT(Id) n FROM Opportunity GROUP BY StageName ORDER BY COUNT(Id) DESC LIMIT 1 OFFSET 1": [
        {"StageName": "Prospecting", "n": 2}
    ],
    "SELECT Owner.Name, StageName FROM Opportunity GROUP BY Owner.Name, StageName ORDER BY StageName LIMIT 1": [
        {"Name": "Ada Lovelace", "StageName": "Closed Won"}
    ],
}


@pytest.mark.parametrize(("soql", "expected"), GROUPS.items(), ids=list(GROUPS))
def test_groups(org: Org, soql: str, expected: list[dict[str, object]]) -> None:
    assert bare(org.query(soql)) == expected


def test_each_group_says_that_it_is_one(org: Org) -> None:
    found = org.query("SELECT COUNT(Id) FROM Opportunity")
    assert found[0]["attributes"] == {"type": "AggregateResult"}


WRONG = {
    "SELECT Name, COUNT(Id) FROM Opportunity": "Field must be grouped or aggregated: Name",
    "SELECT StageName FROM Opportunity GROUP BY StageName ORDER BY Name": "Ordered field must be grouped or aggregated: Name",
    "SELECT CreatedDate FROM Opportunity GROUP BY CreatedDate": "field 'CreatedDate' can not be grouped in a query call",
    "SELECT Amount FROM Opportunity GROUP BY Amount": "field 'Amount' can not be grouped in a query call",
    "SELECT COUNT(Id) FROM Opportunity GROUP BY COUNT(Id)": "field 'Id' can not be grouped in a query call",
    "SELECT SUM(Name) FROM Opportunity": "field Name does not support aggregate operator SUM",
    "SELECT MIN(IsWon) FROM Opportunity": "field IsWon does not support aggregate operator MIN",
    "SELECT SUM(SUM(Amount)) FROM Opportunity": "field Amount does not support aggregate operator SUM",
    "SELECT COUNT(Description) FROM Opportunity": "field Description does not support aggregate operator COUNT",
    "SELECT Id n, Name n FROM Opportunity GROUP BY Id, Name": "duplicate alias: n",
    "SELECT GROUPING(Name) FROM Opportunity GROUP BY StageName": "GROUPING takes a field that is grouped by",
    "SELECT count(), StageName FROM Opportunity GROUP BY StageName": "count() must stand alone; use count(Id)",
    "SELECT FIELDS(ALL) FROM Opportunity GROUP BY Id": "The SOQL FIELDS function is not supported in queries with aggregates",
    "SELECT COUNT(Id) FROM Opportunity GROUP BY ROLLUP(StageName, Type, IsWon, IsClosed)": "ROLLUP takes at most 3 fields",
    "SELECT StageName FROM Opportunity GROUP BY StageName HAVING Name = 'x'": "Field must be grouped or aggregated: Name",
    "SELECT Id FROM Opportunity WHERE COUNT(Id) > 1": "Aggregate functions are for HAVING, not for WHERE",
    "SELECT Id FROM Opportunity ORDER BY COUNT(Id)": "field 'Id' can not be sorted in a query call",
    "SELECT CALENDAR_YEAR(CloseDate) FROM Opportunity": "Field must be grouped or aggregated: CloseDate",
    "SELECT count() FROM Opportunity ORDER BY Name": "count() can not be sorted",
}


@pytest.mark.parametrize(("soql", "said"), WRONG.items(), ids=list(WRONG))
def test_what_cannot_be_grouped(org: Org, soql: str, said: str) -> None:
    with pytest.raises(ApiError) as caught:
        org.query(soql)
    assert caught.value.code == "MALFORMED_QUERY"
    assert caught.value.message.endswith(said)


def test_groups_come_in_one_page_only() -> None:
    with start_org(records=2_001) as org, pytest.raises(ApiError) as caught:
        org.query("SELECT Id FROM Contact GROUP BY Id")
    assert caught.value.code == "EXCEEDED_ID_LIMIT"
