"""What is no query, and the words in which the org says so."""

from __future__ import annotations

import pytest

from runner.emulator.errors import ApiError
from runner.emulator.testing import Org

NO_COLUMN = (
    "No such column '{0}' on entity '{1}'. If you are attempting to use a custom field, be sure to append the '__c' "
    "after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
)
NO_RELATIONSHIP = (
    "Didn't understand relationship '{0}' in field path. If you are attempting to use a custom relationship, be sure "
    "to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the "
    "appropriate names."
)
NO_OBJECT = (
    "sObject type '{0}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' "
    "after the entity name. Please reference your WSDL or the describe call for the appropriate names."
)

#: query → code, row, column, sentence
ERRORS = {
    "SELECT Foo FROM Contact": ("INVALID_FIELD", 1, 8, NO_COLUMN.format("Foo", "Contact")),
    "SELECT Id FROM Contact WHERE Foo = 1": ("INVALID_FIELD", 1, 30, NO_COLUMN.format("Foo", "Contact")),
    "SELECT Id FROM Contact ORDER BY Foo": ("INVALID_FIELD", 1, 33, NO_COLUMN.format("Foo", "Contact")),
    "SELECT Id, Account.Foo FROM Contact": ("INVALID_FIELD", 1, 12, NO_COLUMN.format("Foo", "Account")),
    "SELECT Acount.Name FROM Contact": ("INVALID_FIELD", 1, 8, NO_RELATIONSHIP.format("Acount")),
    "SELECT Id FROM Foo": ("INVALID_TYPE", 1, 16, NO_OBJECT.format("Foo")),
    "SELECT Id\nFROM Contact\nWHERE x = 1": ("INVALID_FIELD", 3, 7, NO_COLUMN.format("x", "Contact")),
    "SELECT": ("MALFORMED_QUERY", 1, 7, "unexpected token: '<EOF>'"),
    "SELECT FROM Contact": ("MALFORMED_QUERY", 1, 8, "unexpected token: 'FROM'"),
    "SELECT * FROM Contact": ("MALFORMED_QUERY", 1, 8, "unexpected token: '*'"),
    "SELECT Id, FROM Contact": ("MALFORMED_QUERY", 1, 12, "unexpected token: 'FROM'"),
    "SELECT Id FROM Contact WHERE": ("MALFORMED_QUERY", 1, 29, "unexpected token: '<EOF>'"),
    "SELECT Id FROM Contact LIMIT x": ("MALFORMED_QUERY", 1, 30, "unexpected token: 'x'"),
    "SELECT Id FROM Contact LIMIT -1": ("MALFORMED_QUERY", 1, 30, "unexpected token: '-1'"),
    "SELECT Id FROM Contact LIMIT 1 LIMIT 2": ("MALFORMED_QUERY", 1, 32, "unexpected token: 'LIMIT'"),
    "DELETE FROM Contact": ("MALFORMED_QUERY", 1, 1, "unexpected token: 'DELETE'"),
    "SELECT Id FROM Contact WHERE Name = 'x": ("MALFORMED_QUERY", 1, 37, "unexpected token: '''"),
    'SELECT Id FROM Contact WHERE Name = "x"': ("MALFORMED_QUERY", 1, 37, "unexpected token: '\"'"),
    "SELECT Id FROM Contact WHERE Name = x": ("MALFORMED_QUERY", 1, 37, "unexpected token: 'x'"),
    "SELECT Id FROM Contact WHERE Name = 'a' AND Name = 'b' OR Name = 'c'": (
        "MALFORMED_QUERY",
        1,
        56,
        "unexpected token: 'OR'",
    ),
    "SELECT Id FROM Contact WHERE CreatedDate > 2026-02-30T00:00:00Z": (
        "MALFORMED_QUERY",
        1,
        44,
        "invalid datetime: 2026-02-30T00:00:00Z",
    ),
    "SELECT Id FROM Contact WHERE Name = 'a\\q'": (
        "MALFORMED_QUERY",
        1,
        37,
        "Illegal string literal: Invalid string literal 'a\\q'. Illegal character sequence '\\q' in string literal.",
    ),
    "SELECT Id FROM Contact WHERE CreatedDate > '2026-01-01'": (
        "INVALID_FIELD",
        1,
        44,
        "value of filter criterion for field 'CreatedDate' must be of type dateTime and should not be enclosed in quotes",
    ),
    "SELECT Id FROM Contact WHERE CreatedDate > 2026-01-01": (
        "INVALID_FIELD",
        1,
        44,
        "value of filter criterion for field 'CreatedDate' must be of type dateTime and should not be enclosed in quotes",
    ),
    "SELECT Id FROM Contact WHERE Name = 5": (
        "INVALID_FIELD",
        1,
        37,
        "value of filter criterion for field 'Name' must be of type string and should be enclosed in quotes",
    ),
    "SELECT Id FROM Contact WHERE DoNotCall = 'true'": (
        "INVALID_FIELD",
        1,
        42,
        "value of filter criterion for field 'DoNotCall' must be of type boolean and should not be enclosed in quotes",
    ),
    "SELECT Id FROM Contact WHERE AccountId = 'x'": (
        "INVALID_QUERY_FILTER_OPERATOR",
        1,
        42,
        "invalid ID field: x",
    ),
    "SELECT Id FROM Contact WHERE Id LIKE '003%'": (
        "INVALID_QUERY_FILTER_OPERATOR",
        1,
        30,
        "invalid operator on id field",
    ),
    "SELECT Id FROM Contact WHERE Description = 'x'": (
        "INVALID_FIELD",
        1,
        30,
        "field 'Description' can not be filtered in a query call",
    ),
    "SELECT Id FROM Contact ORDER BY Description": (
        "MALFORMED_QUERY",
        1,
        33,
        "field 'Description' can not be sorted in a query call",
    ),
    "SELECT Id, Name, Id FROM Contact": ("MALFORMED_QUERY", 1, 18, "duplicate field selected: Id"),
    "SELECT Name n FROM Contact": ("MALFORMED_QUERY", 1, 8, "only aggregate expressions use field aliasing"),
    "SELECT Name, count(Id) FROM Contact": (
        "MALFORMED_QUERY",
        1,
        8,
        "Field must be grouped or aggregated: Name",
    ),
    "SELECT SUM(Name) FROM Contact": (
        "MALFORMED_QUERY",
        1,
        8,
        "field Name does not support aggregate operator SUM",
    ),
    "SELECT FOO(Name) FROM Contact": ("MALFORMED_QUERY", 1, 8, "unexpected token: 'FOO'"),
    "SELECT FIELDS(ALL) FROM Contact": (
        "MALFORMED_QUERY",
        1,
        8,
        "The SOQL FIELDS function must have a LIMIT of at most 200",
    ),
    "SELECT Id FROM Contact OFFSET 2001": (
        "NUMBER_OUTSIDE_VALID_RANGE",
        1,
        16,
        "Maximum SOQL offset allowed is 2000",
    ),
}


@pytest.mark.parametrize(("soql", "expected"), ERRORS.items(), ids=list(ERRORS))
def test_the_sentence_and_the_place(empty_org: Org, soql: str, expected: tuple[str, int, int, str]) -> None:
    code, row, column, sentence = expected
    with pytest.raises(ApiError) as caught:
        empty_org.query(soql)
    line = soql.split("\n")[row - 1]
    shown, caret, place, said = caught.value.message.lstrip("\n").split("\n", 3)
    assert (caught.value.code, place, said) == (code, f"ERROR at Row:{row}:Column:{column}", sentence)
    assert shown in line
    assert line.startswith(shown[len(caret) - 1 :], column - 1)


def test_a_long_line_is_shown_around_the_place(empty_org: Org) -> None:
    names = ", ".join(f"Account.Name{number}" for number in range(50))
    with pytest.raises(ApiError) as caught:
        empty_org.query(f"SELECT Id, {names.replace('Name0', 'Name', 1)} FROM Contact")
    shown, caret = caught.value.message.split("\n")[1:3]
    assert shown[caret.index("^") :].startswith("Account.Name1,")
    assert len(shown) <= 90


@pytest.mark.parametrize(
    "soql",
    [
        "SELECT Id FROM Contact WHERE " + "(" * 60 + "Id = null" + ")" * 60,
        "SELECT Id FROM Contact WHERE " + "NOT " * 90_000,
    ],
)
def test_what_is_nested_too_deep_is_refused(empty_org: Org, soql: str) -> None:
    with pytest.raises(ApiError) as caught:
        empty_org.query(soql)
    assert caught.value.code in ("QUERY_TOO_COMPLICATED", "MALFORMED_QUERY")
