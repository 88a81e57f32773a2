"""Any text at all gives a result or a SOQL error, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.emulator.errors import ApiError
from runner.emulator.testing import Org

TOKENS = (
    "SELECT FROM WHERE AND OR NOT IN LIKE GROUP BY HAVING ORDER ASC DESC NULLS FIRST LAST LIMIT OFFSET FOR VIEW Id Name "
    "Contact Contacts Account Account.Name Owner.Name Who.Name Task Cases count() count(Id) SUM(Amount) FIELDS(ALL) "
    "toLabel(Name) CALENDAR_YEAR(CreatedDate) = != < > <= >= <> ( ) , . : 'a' 'it\\'s' '%' 1 -2 3.5 1e400 99999999999999999999 "
    "null true false TODAY LAST_N_DAYS:3 LAST_N_YEARS:99999 2026-01-01 2026-01-01T00:00:00Z 9999-12-31T23:59:59-12:00 AS c"
)
WORDS = TOKENS.split()

fuzz = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


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
