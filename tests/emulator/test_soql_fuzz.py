"""Any text at all gives a result or a SOQL error, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.emulator.errors import ApiError
from runner.emulator.testing import Org, start_org
from tests.emulator.conftest import client_of

CODES = (
    "", "INVALID_FIELD", "INVALID_QUERY_FILTER_OPERATOR", "INVALID_TYPE", "MALFORMED_QUERY", "NUMBER_OUTSIDE_VALID_RANGE",
    "QUERY_TOO_COMPLICATED",
)  # fmt: skip
TOKENS = (
    "SELECT FROM WHERE AND OR NOT IN LIKE GROUP BY HAVING ORDER ASC DESC NULLS FIRST LAST LIMIT OFFSET FOR VIEW Id Name "
    "Contact Contacts Account Account.Name Owner.Name Who.Name Task Cases count() count(Id) SUM(Amount) FIELDS(ALL) "
    "toLabel(Name) CALENDAR_YEAR(CreatedDate) = != < > <= >= <> ( ) , . : 'a' 'it\\'s' '%' 1 -2 3.5 1e400 99999999999999999999 "
    "null true false TODAY LAST_N_DAYS:3 LAST_N_YEARS:99999 2026-01-01 2026-01-01T00:00:00Z 9999-12-31T23:59:59-12:00 AS c "
    "TYPEOF WHEN THEN ELSE END USING SCOPE mine WITH SECURITY_ENFORCED ROLLUP CUBE GROUPING(Id) INCLUDES EXCLUDES DISTANCE "
    "GEOLOCATION(1,2) 'km' FORMAT(Amount) convertCurrency(Amount) convertTimezone(CreatedDate) UPDATE TRACKING REFERENCE "
    "BillingAddress Place__c Skills__c ALL ROWS"
)
WORDS = TOKENS.split()

fuzz = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])


def ask(org: Org, soql: str) -> str:
    """ "" for a result, the code of an ApiError; anything else gets through."""
    try:
        org.query(soql)
    except ApiError as exc:
        return exc.code
    return ""


@fuzz
@given(st.text(max_size=200))
def test_any_text(empty_org: Org, soql: str) -> None:
    assert ask(empty_org, soql) in ("MALFORMED_QUERY", "QUERY_TOO_COMPLICATED")


@fuzz
@given(st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join))
def test_any_words(empty_org: Org, soql: str) -> None:
    ask(empty_org, soql)
    ask(empty_org, f"SELECT Id FROM Contact WHERE {soql}")


fields = st.sampled_from(
    [
        "Id",
        "Name",
        "Email",
        "Account.Name",
        "Account.Owner.Email",
        "DoNotCall",
        "Birthdate",
        "CreatedDate",
        "Description",
    ]
)
values = st.one_of(
    st.text(max_size=20).map(lambda text: "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"),
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(str),
    st.dates().map(str),
    st.datetimes().map(lambda moment: moment.replace(microsecond=0).isoformat() + "Z"),
    st.sampled_from(["null", "true", "false", "TODAY", "NEXT_N_QUARTERS:5", "N_WEEKS_AGO:2"]),
)
comparisons = st.tuples(fields, st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "LIKE"]), values).map(
    " ".join
)
lists = st.lists(values, min_size=1, max_size=4).map(lambda some: f"({', '.join(some)})")
memberships = st.tuples(fields, st.sampled_from(["IN", "NOT IN"]), lists).map(" ".join)
conditions = st.recursive(
    comparisons | memberships,
    lambda inner: (
        st.tuples(inner, st.sampled_from([" AND ", " OR "]), inner).map(lambda parts: f"({''.join(parts)})")
        | inner.map(lambda one: f"(NOT {one})")
    ),
    max_leaves=8,
)


@fuzz
@given(conditions)
def test_any_condition(empty_org: Org, where: str) -> None:
    code = ask(empty_org, f"SELECT Id, Name, Account.Name, (SELECT Id FROM Cases) FROM Contact WHERE {where}")
    assert code in ("", "INVALID_FIELD", "INVALID_QUERY_FILTER_OPERATOR", "MALFORMED_QUERY")


@pytest.mark.parametrize(
    "text", ["\x00", "'", "\\", "SELECT \ud800 FROM Contact", "SELECT Id FROM Contact WHERE Name = '\ud800'"]
)
def test_odd_characters(empty_org: Org, text: str) -> None:
    ask(empty_org, text)


operands = st.sampled_from(
    [
        "Id",
        "Name",
        "Subject",
        "WhatId",
        "What.Name",
        "Who.Email",
        "Owner.Name",
        "Owner.Profile.Name",
        "What.Type",
        "Description",
        "ActivityDate",
        "CreatedDate",
        "IsClosed",
        "Account.Name",
        "Amount",
        "StageName",
        "BillingAddress",
        "Regions__c",
        "Skills__c",
        "Place__c",
        "Budget__c",
        "toLabel(Status__c)",
        "FORMAT(Budget__c)",
        "FORMAT(CreatedDate)",
        "convertCurrency(Budget__c)",
        "CALENDAR_YEAR(CreatedDate)",
        "DAY_ONLY(CreatedDate)",
        "HOUR_IN_DAY(convertTimezone(CreatedDate))",
        "WEEK_IN_YEAR(Start_Date__c)",
        "DISTANCE(Place__c,GEOLOCATION(1,2),'mi')",
        "COUNT(Id)",
        "COUNT_DISTINCT(Name)",
        "SUM(Budget__c)",
        "AVG(Amount)",
        "MAX(CreatedDate)",
        "MIN(Name)",
        "FORMAT(MAX(Budget__c))",
        "GROUPING(Name)",
        "FIELDS(ALL)",
        "FIELDS(CUSTOM)",
        "count()",
        "Nope",
        "a.b.c.d.e.f.g",
    ]
)
children = st.sampled_from(["Contacts", "Tasks", "Projects__r", "Milestones__r", "ChildAccounts", "Nope"])
objects = st.sampled_from(
    ["Account", "Task", "Opportunity", "Project__c", "Milestone__c", "User", "Group", "Nope"]
)


@st.composite
def queries(draw: st.DrawFn, source: st.SearchStrategy[str] = objects, depth: int = 0) -> str:
    """A query that might be one."""
    items = draw(st.lists(operands, min_size=1, max_size=4, unique=True))
    if depth < 3 and draw(st.integers(0, 3)) == 0:
        items.append(f"({draw(queries(children, depth + 1))})")
    if draw(st.integers(0, 6)) == 0:
        items.append(
            "TYPEOF What WHEN Account THEN Phone, Owner.Name WHEN Case THEN CaseNumber ELSE Name END"
        )
    clauses = [f"SELECT {', '.join(items)} FROM {draw(source)}"]
    for clause in (
        st.just("USING SCOPE mine"),
        st.tuples(operands, st.sampled_from(["=", ">", "LIKE"]), values).map(
            lambda parts: "WHERE " + " ".join(parts)
        ),
        memberships.map(lambda condition: f"WHERE {condition} OR Id IN (SELECT AccountId FROM Contact)"),
        operands.map(lambda operand: f"WHERE {operand} INCLUDES ('a;b', 'c')"),
        st.lists(operands, min_size=1, max_size=3).map(lambda some: f"GROUP BY {', '.join(some)}"),
        st.lists(operands, min_size=1, max_size=4).map(lambda some: f"GROUP BY CUBE({', '.join(some)})"),
        operands.map(lambda operand: f"HAVING {operand} > 1"),
        st.lists(operands, min_size=1, max_size=2).map(
            lambda some: f"ORDER BY {' DESC NULLS LAST, '.join(some)}"
        ),
        st.integers(0, 300).map(lambda number: f"LIMIT {number}"),
        st.integers(0, 3000).map(lambda number: f"OFFSET {number}"),
        st.sampled_from(["FOR VIEW", "FOR REFERENCE", "FOR UPDATE", "FOR VIEW FOR REFERENCE"]),
    ):
        if draw(st.integers(0, 3)) == 0:
            clauses.append(draw(clause))
    return " ".join(clauses)


@pytest.fixture(scope="module")
def full_org() -> Iterator[Org]:
    with start_org(records=40) as running:
        yield running


@fuzz
@given(queries())
def test_any_query(full_org: Org, soql: str) -> None:
    assert ask(full_org, soql) in CODES


@pytest.fixture(scope="module")
def api(full_org: Org) -> Iterator[httpx.Client]:
    with client_of(full_org) as client:
        yield client


@fuzz
@given(queries())
def test_any_query_explained(api: httpx.Client, soql: str) -> None:
    answer = api.get("/query", params={"explain": soql})
    assert answer.status_code in (200, 400), answer.text


SOSL = [
    "FIND",
    "{acme}",
    "{a}",
    "{ac*}",
    "{}",
    "IN",
    "ALL",
    "NAME",
    "FIELDS",
    "RETURNING",
    "Account",
    "Contact",
    "(Name",
    "WHERE",
    "Id",
    "=",
    "null",
    "ORDER",
    "BY",
    "Name",
    "DESC",
    "LIMIT",
    "1",
    "OFFSET",
    "2",
    ")",
    ",",
    "WITH",
    "SPELL_CORRECTION",
    "=",
    "false",
    "SNIPPET()",
    "UPDATE",
    "TRACKING",
    "USING",
    "ListView",
]


@fuzz
@given(st.lists(st.sampled_from(SOSL), max_size=20).map(" ".join) | st.text(max_size=60))
def test_any_search(api: httpx.Client, sosl: str) -> None:
    for text in (sosl, f"FIND {{acme}} {sosl}"):
        answer = api.get("/search", params={"q": text.encode("utf-8", "replace")})
        assert answer.status_code in (200, 400), text
