"""Rows written as a text, within the bounds of expressions: what `encode` writes, `decode` reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.definitions import yaml
from runner.definitions.expressions import Language
from runner.errors import ExpressionError


def value(written: str, rows: object) -> object:
    found, findings = Language().expression(yaml.blank(written), {"rows": None})
    assert found is not None, findings
    return found.evaluate({"rows": rows})


ROWS = [
    ([{"a": 1, "b": "x"}], "a,b\r\n1,x\r\n"),
    ([{"a": None}, {"a": ""}], 'a\r\nNULL\r\n""\r\n'),
    ([{"a": True, "b": 1.5}, {"b": 2, "c": "late"}], "a,b,c\r\ntrue,1.5,\r\n,2,late\r\n"),
    (
        [{"a": 'say "hi"', "b": "1,2"}, {"a": "two\nlines", "b": "ü"}],
        'a,b\r\n"say ""hi""","1,2"\r\n"two\nlines",ü\r\n',
    ),
    ([{"a": [1, {"b": None}]}], 'a\r\n"[1,{""b"":null}]"\r\n'),
    ([], "\r\n"),
]


@pytest.mark.parametrize(("rows", "written"), ROWS)
def test_rows_are_written_as_a_csv(rows: object, written: str) -> None:
    assert value("rows | encode('csv', null='NULL')", rows) == written


def test_a_csv_has_the_delimiter_that_is_wanted_and_ndjson_a_line_each() -> None:
    assert value("encode(rows, 'csv', delimiter=';')", [{"a": 1, "b": "x;y"}]) == 'a;b\r\n1;"x;y"\r\n'
    assert value("rows | encode('ndjson')", [{"a": None}, {"b": "ü"}]) == '{"a":null}\n{"b":"ü"}\n'


WRONG = [
    ("rows | encode('csv')", "x", "`encode` takes a list of maps, found the text 'x'"),
    ("rows | encode('csv')", [1], "`encode` takes a list of maps, found 1 in it"),
    ("rows | encode('xml')", [], "the text 'xml' is no format that `encode` writes; there are csv, ndjson"),
    ("rows | encode('csv', delimiter='::')", [{"a": 1}], "'::' separates no columns"),
]


@pytest.mark.parametrize(("written", "rows", "message"), WRONG)
def test_what_cannot_be_written_is_told(written: str, rows: object, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        value(written, rows)
    assert message in str(caught.value.message)


CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\r\t"), min_size=1)


@given(st.lists(st.fixed_dictionaries({"a": CELLS, "b": CELLS}), min_size=1, max_size=5))
def test_what_is_written_is_read_again(rows: list[dict[str, str]]) -> None:
    assert value("rows | encode('csv') | decode('csv')", rows) == rows
    assert value("rows | encode('ndjson') | decode('ndjson')", rows) == rows
