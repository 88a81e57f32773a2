"""Functions of dates, labels, formats, places; several values in one field; whose records are seen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from runner.emulator import clock
from runner.emulator.errors import ApiError
from runner.emulator.soql import dates
from runner.emulator.soql.compile import Asked, Records, plan
from runner.emulator.soql.natives import distance, formatted
from runner.emulator.soql.tree import DateLiteral
from runner.emulator.testing import Org, start_org
from tests.emulator.soql import bare

PROJECTS = [
    {
        "Name": "Bridge",
        "Skills__c": "Design;Testing",
        "Status__c": "on_hold",
        "Start_Date__c": "2026-03-01",
        "Budget__c": 1234.5,
        "Share_Done__c": 12.5,
        "Place__Latitude__s": 51.5074,
        "Place__Longitude__s": -0.1278,
    },
    {
        "Name": "Tunnel",
        "Skills__c": "Design",
        "Start_Date__c": "2026-01-08",
        "Budget__c": -1,
        "Place__Latitude__s": 48.8566,
        "Place__Longitude__s": 2.3522,
    },
    {"Name": "Road"},
]


@pytest.fixture(scope="module")
def org() -> Iterator[Org]:
    with start_org(records=0) as running:
        for project in PROJECTS:
            running.create("Project__c", project)
        yield running


def names(org: Org, rest: str) -> list[object]:
    return [record["Name"] for record in org.query(f"SELECT Name FROM Project__c {rest}")]


CONDITIONS = {
    "Skills__c INCLUDES ('Design')": ["Bridge", "Tunnel"],
    "Skills__c INCLUDES ('design;testing')": ["Bridge"],
    "Skills__c INCLUDES ('Testing', 'Analysis')": ["Bridge"],
    "Skills__c INCLUDES ('Des')": [],
    "Skills__c EXCLUDES ('Testing')": ["Tunnel", "Road"],
    "Skills__c = 'Design;Testing'": ["Bridge"],
    "Skills__c = null": ["Road"],
    "CALENDAR_MONTH(Start_Date__c) = 3": ["Bridge"],
    "CALENDAR_QUARTER(Start_Date__c) = 1": ["Bridge", "Tunnel"],
    "FISCAL_YEAR(Start_Date__c) = 2026 AND FISCAL_MONTH(Start_Date__c) < 3": ["Tunnel"],
    "DAY_IN_MONTH(Start_Date__c) = 8": ["Tunnel"],
    "DAY_IN_WEEK(Start_Date__c) = 1": ["Bridge"],
    "DAY_IN_YEAR(Start_Date__c) = 60": ["Bridge"],
    "WEEK_IN_MONTH(Start_Date__c) = 2": ["Tunnel"],
    "WEEK_IN_YEAR(Start_Date__c) = 9": ["Bridge"],
    "DAY_ONLY(CreatedDate) = TODAY": ["Bridge", "Tunnel", "Road"],
    "DAY_ONLY(convertTimezone(CreatedDate)) = TODAY": ["Bridge", "Tunnel", "Road"],
    "HOUR_IN_DAY(CreatedDate) < 24": ["Bridge", "Tunnel", "Road"],
    "toLabel(Status__c) = 'On hold'": ["Bridge"],
    "toLabel(Status__c) LIKE 'plan%'": ["Tunnel", "Road"],
    "DISTANCE(Place__c, GEOLOCATION(51.5, 0), 'km') < 20": ["Bridge"],
    "DISTANCE(Place__c, GEOLOCATION(51.5, 0), 'mi') > 200 AND DISTANCE(Place__c, GEOLOCATION(51.5, 0), 'mi') < 220": [
        "Tunnel"
    ],
}


@pytest.mark.parametrize(("where", "expected"), CONDITIONS.items(), ids=list(CONDITIONS))
def test_conditions(org: Org, where: str, expected: list[str]) -> None:
    assert names(org, f"WHERE {where}") == expected


def test_records_in_the_order_of_their_distance(org: Org) -> None:
    order = "ORDER BY DISTANCE(Place__c, GEOLOCATION(48, 2), 'km') NULLS LAST"
    assert names(org, order) == ["Tunnel", "Bridge", "Road"]


SELECTIONS: dict[str, dict[str, object]] = {
    "Status__c, toLabel(Status__c) label": {"Status__c": "on_hold", "label": "On hold"},
    "toLabel(Status__c)": {"Status__c": "On hold"},
    "FORMAT(Budget__c), FORMAT(Start_Date__c) start, FORMAT(Share_Done__c)": {
        "Budget__c": "$1,234.50",
        "start": "3/1/2026",
        "Share_Done__c": "12.5%",
    },
    "FORMAT(convertCurrency(Budget__c)) budget": {"budget": "$1,234.50"},
    "convertCurrency(Budget__c)": {"Budget__c": 1234.5},
    "Place__c": {"Place__c": {"latitude": 51.5074, "longitude": -0.1278}},
    "DISTANCE(Place__c, GEOLOCATION(51.5074, -0.1278), 'km')": {"expr0": 0.0},
}


@pytest.mark.parametrize(("selected", "expected"), SELECTIONS.items(), ids=list(SELECTIONS))
def test_selections(org: Org, selected: str, expected: dict[str, object]) -> None:
    assert bare(org.query(f"SELECT {selected} FROM Project__c WHERE Name = 'Bridge'")) == [expected]


WRONG = {
    "SELECT Name x FROM Project__c": "only aggregate expressions use field aliasing",
    "SELECT Id FROM Project__c WHERE Name INCLUDES ('a')": "invalid operator on string field",
    "SELECT Id FROM Project__c WHERE Skills__c LIKE 'D%'": "invalid operator on multipicklist field",
    "SELECT Id FROM Project__c ORDER BY Skills__c": "field 'Skills__c' can not be sorted in a query call",
    "SELECT Id FROM Project__c ORDER BY Place__c": "field 'Place__c' can not be sorted in a query call",
    "SELECT Id FROM Project__c WHERE Place__c = null": "field 'Place__c' can not be filtered in a query call",
    "SELECT Id FROM Project__c WHERE CALENDAR_YEAR(Name) = 1": "CALENDAR_YEAR takes a date, which Name is not",
    "SELECT Id FROM Project__c WHERE HOUR_IN_DAY(Start_Date__c) = 1": "HOUR_IN_DAY takes a datetime, which Start_Date__c is not",
    "SELECT convertTimezone(CreatedDate) FROM Project__c": "convertTimezone is for the date functions alone",
    "SELECT convertCurrency(Name) FROM Project__c": "convertCurrency takes a currency, not Name",
    "SELECT Id FROM Project__c WHERE DISTANCE(Place__c, 'x') < 1": "DISTANCE takes a place, GEOLOCATION(latitude, longitude), and 'km' or 'mi'",
    "SELECT Id FROM Project__c WHERE DISTANCE(Place__c, GEOLOCATION(1,2), 'ft') < 1": "DISTANCE knows 'km' and 'mi', not 'ft'",
    "SELECT Id FROM Project__c WHERE DISTANCE(Name, GEOLOCATION(1,2), 'km') < 1": "field 'Name' is no place",
    "SELECT Id FROM Project__c WHERE FORMAT(Budget__c) = '1'": "field 'Budget__c' can not be filtered in a query call",
    "SELECT GEOLOCATION(1, 2) FROM Project__c": "unexpected token: 'GEOLOCATION'",
    "SELECT toLabel() FROM Project__c": "TOLABEL takes a field",
    "SELECT Id FROM Project__c USING SCOPE nobody": "'nobody' is no scope",
    "SELECT Id FROM Project__c WITH MAGIC": "unexpected token: 'MAGIC'",
    "SELECT Id FROM Project__c UPDATE EVERYTHING": "unexpected token: 'EVERYTHING'",
    "SELECT Id FROM Project__c ALL ROWS": "ALL ROWS not allowed in this context",
    "SELECT Id FROM Project__c ORDER BY Name FOR UPDATE": "FOR UPDATE can not be used with ORDER BY",
    "SELECT Id FROM Project__c WHERE Name = '\\ud800'": "in string literal.",
}


@pytest.mark.parametrize(("soql", "said"), WRONG.items(), ids=list(WRONG))
def test_what_functions_do_not_take(org: Org, soql: str, said: str) -> None:
    with pytest.raises(ApiError) as caught:
        org.query(soql)
    assert caught.value.message.endswith(said)


@pytest.mark.parametrize("mode", ["SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE"])
def test_the_mode_of_access_is_said_and_nothing_more(org: Org, mode: str) -> None:
    assert len(names(org, f"WITH {mode} LIMIT 2 FOR UPDATE UPDATE TRACKING, VIEWSTAT")) == 2


def test_whose_records_are_seen(org: Org) -> None:
    def seen(scope: str, user_id: str) -> int:
        text = f"SELECT Id FROM Project__c USING SCOPE {scope}"
        asked = Asked(text=text, now=clock.read(org.now()), base_url="", user_id=user_id)
        planned = plan(asked, org._org.schema)
        assert isinstance(planned, Records)
        return len(org._org.database.numbers(planned.keys_sql, planned.values))

    assert seen("everything", "005x") == seen("mine", org.user_id) == 3
    assert seen("mine", "005x") == seen("team", org.user_id) == 0


def test_a_day_begins_where_the_user_is(org: Org) -> None:
    text = "SELECT count() FROM Project__c WHERE CreatedDate = TODAY AND HOUR_IN_DAY(convertTimezone(CreatedDate)) = 9"
    asked = Asked(text=text, now=clock.read("2026-07-24T00:30:00Z"), base_url="", zone="Asia/Tokyo")
    planned = plan(asked, org._org.schema)
    assert {"2026-07-23T15:00:00.000+0000", "2026-07-24T15:00:00.000+0000"} <= set(planned.values.values())
    assert "Asia/Tokyo" in planned.values.values()
    org._org.database.rows(planned.sql, planned.values)  # type: ignore[union-attr]


TODAY = date(2026, 7, 24)
SPANS = {
    "YESTERDAY": ("2026-07-23", "2026-07-24"),
    "TODAY": ("2026-07-24", "2026-07-25"),
    "TOMORROW": ("2026-07-25", "2026-07-26"),
    "LAST_WEEK": ("2026-07-12", "2026-07-19"),
    "THIS_WEEK": ("2026-07-19", "2026-07-26"),
    "NEXT_WEEK": ("2026-07-26", "2026-08-02"),
    "LAST_MONTH": ("2026-06-01", "2026-07-01"),
    "THIS_MONTH": ("2026-07-01", "2026-08-01"),
    "NEXT_MONTH": ("2026-08-01", "2026-09-01"),
    "LAST_90_DAYS": ("2026-04-25", "2026-07-25"),
    "NEXT_90_DAYS": ("2026-07-25", "2026-10-23"),
    "LAST_N_DAYS:3": ("2026-07-21", "2026-07-25"),
    "NEXT_N_DAYS:3": ("2026-07-25", "2026-07-28"),
    "N_DAYS_AGO:3": ("2026-07-21", "2026-07-22"),
    "LAST_N_WEEKS:2": ("2026-07-05", "2026-07-19"),
    "NEXT_N_WEEKS:2": ("2026-07-26", "2026-08-09"),
    "N_WEEKS_AGO:1": ("2026-07-12", "2026-07-19"),
    "LAST_N_MONTHS:2": ("2026-05-01", "2026-07-01"),
    "N_MONTHS_AGO:8": ("2025-11-01", "2025-12-01"),
    "LAST_QUARTER": ("2026-04-01", "2026-07-01"),
    "THIS_QUARTER": ("2026-07-01", "2026-10-01"),
    "NEXT_N_QUARTERS:2": ("2026-10-01", "2027-04-01"),
    "N_QUARTERS_AGO:3": ("2025-10-01", "2026-01-01"),
    "LAST_YEAR": ("2025-01-01", "2026-01-01"),
    "LAST_N_YEARS:2": ("2024-01-01", "2026-01-01"),
    "N_YEARS_AGO:2": ("2024-01-01", "2025-01-01"),
    "THIS_FISCAL_QUARTER": ("2026-07-01", "2026-10-01"),
    "NEXT_FISCAL_YEAR": ("2027-01-01", "2028-01-01"),
    "LAST_N_FISCAL_QUARTERS:1": ("2026-04-01", "2026-07-01"),
    "N_FISCAL_YEARS_AGO:1": ("2025-01-01", "2026-01-01"),
}


@pytest.mark.parametrize(("text", "expected"), SPANS.items(), ids=list(SPANS))
def test_date_literals(text: str, expected: tuple[str, str]) -> None:
    name, _, count = text.partition(":")
    found = dates.span(DateLiteral(position=0, name=name, count=int(count) if count else None), TODAY)
    assert found == tuple(date.fromisoformat(day) for day in expected)


@pytest.mark.parametrize("text", ["SOMEDAY", "LAST_N_DAYS", "N_DAYS:3", "LAST_N_DAYS_AGO:3", "TODAY:1"])
def test_what_is_no_date_literal(org: Org, text: str) -> None:
    with pytest.raises(ApiError) as caught:
        names(org, f"WHERE CreatedDate = {text}")
    assert caught.value.message.endswith(f"unexpected token: '{text.partition(':')[0]}'")


FORMATS: dict[tuple[str, str | float], str] = {
    ("currency", -1234.5): "-$1,234.50",
    ("int", 1234567): "1,234,567",
    ("double", 0.12345): "0.123",
    ("double", 10.0): "10",
    ("percent", 100.0): "100%",
    ("date", "2026-12-01"): "12/1/2026",
    ("datetime", "2026-12-01T00:05:00.000+0000"): "12/1/2026, 12:05 AM",
    ("datetime", "2026-12-01T15:05:00.000+0000"): "12/1/2026, 3:05 PM",
}


@pytest.mark.parametrize(("given", "expected"), FORMATS.items(), ids=map(str, FORMATS))
def test_formats(given: tuple[str, str | float], expected: str) -> None:
    assert formatted(*given) == expected


def test_the_distance_between_two_places() -> None:
    london, paris = (51.5074, -0.1278), (48.8566, 2.3522)
    found = distance(*london, *paris)
    assert found == pytest.approx(343.6, abs=0.5)
    assert distance(0, 0, 0, 180) == pytest.approx(20_015, abs=1)
    assert distance(None, 1, 2, 3) is None
