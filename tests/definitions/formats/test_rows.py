"""CSV and newline-delimited JSON, cut into pieces anywhere."""

from __future__ import annotations

import csv
import io

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.definitions.formats import CsvRules, row_reader

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


def read(
    steps: tuple[str, ...], content: bytes, rules: CsvRules | None = None, size: int = 3
) -> list[object]:
    reader = row_reader(steps, rules)
    assert reader is not None
    found = [row for at in range(0, len(content), size) for row in reader.feed(content[at : at + size])]
    return [*found, *reader.end()]


@given(
    rows=st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=6),
    size=st.integers(1, 40),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_was_written_is_read_wherever_it_is_cut(
    rows: list[tuple[str, str, str]], size: int, end: str
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator=end)
    writer.writerows([("a", "b", "c"), *rows])
    rules = CsvRules(empty="text")
    assert read(("csv",), file.getvalue().encode(), rules, size) == [
        dict(zip("abc", row, strict=True)) for row in rows
    ]


@given(
    rows=st.lists(st.dictionaries(TEXT, st.integers() | TEXT | st.none(), max_size=4), max_size=6),
    size=st.integers(1, 40),
)
def test_ndjson_is_read_wherever_it_is_cut(rows: list[dict[str, object]], size: int) -> None:
    rows = [{k: v for k, v in row.items() if not isinstance(v, int) or abs(v) < 2**53} for row in rows]
    assert read(("ndjson",), b"\n".join(map(orjson.dumps, rows)), size=size) == rows


@pytest.mark.parametrize(
    ("written", "rules", "expected"),
    [
        ("a,b\n1,\n", CsvRules(), [{"a": "1", "b": None}]),
        ("a,b\n1,\n", CsvRules(empty="text"), [{"a": "1", "b": ""}]),
        ("a;b\n1;2", CsvRules(delimiter=";"), [{"a": "1", "b": "2"}]),
        ("\ufeffa\n1\n\n2\n", CsvRules(), [{"a": "1"}, {"a": "2"}]),
        ("a,b,c\ntrue,1,1.50\n", CsvRules(types={"a": "boolean", "b": "integer", "c": "number", "d": "text"}),
         [{"a": True, "b": 1, "c": 1.5}]),
        ("Id,Account.Name,Account.Owner.Name\n1,Acme,Ada\n2,,\n3,,Ada\n", CsvRules(nested="."),
         [{"Id": "1", "Account": {"Name": "Acme", "Owner": {"Name": "Ada"}}}, {"Id": "2", "Account": None},
          {"Id": "3", "Account": {"Name": None, "Owner": {"Name": "Ada"}}}]),
        ("Id,A.B\n1,x\n", CsvRules(), [{"Id": "1", "A.B": "x"}]),
        ("", CsvRules(), []),
        ("a,b\n", CsvRules(), []),
    ],
)  # fmt: skip
def test_what_a_csv_means(written: str, rules: CsvRules, expected: list[object]) -> None:
    assert read(("csv",), written.encode(), rules) == expected


@pytest.mark.parametrize(
    ("written", "rules", "sentence"),
    [
        (b"a,b\n1\n", CsvRules(), "row 1 of its CSV has 1 columns, expected 2"),
        (b'a\n"open', CsvRules(), "its CSV ends within a quoted value"),
        (b"a\n\xff\xfe\n", CsvRules(), "its CSV is not UTF-8: invalid start byte"),
        (b"a,a\n1,2\n", CsvRules(), "its CSV has the column `a` twice"),
        (b"a\nok\nmany\n", CsvRules(types={"a": "integer"}), "row 1 of its CSV: the text 'ok' is no number"),
    ],
)
def test_what_is_wrong_with_a_csv_is_said(written: bytes, rules: CsvRules, sentence: str) -> None:
    with pytest.raises(ValueError, match="its CSV") as caught:
        read(("csv",), written, rules)
    assert str(caught.value) == sentence


def test_a_line_that_is_no_json_is_named() -> None:
    with pytest.raises(ValueError, match="line 2 is no JSON"):
        read(("ndjson",), b'{"a":1}\n{"a":\n')
