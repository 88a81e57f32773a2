"""What a text within an answer holds: decoded by the names that `format` has, within the bounds of expressions."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.definitions import yaml
from runner.definitions.expressions import Language
from runner.errors import ExpressionError

ROWS = "Id;Account.Name\r\n7;Ada\r\n8;\r\n"


def value(written: str, held: object) -> object:
    found, findings = Language().expression(yaml.blank(written), {"held": None})
    assert found is not None, findings
    return found.evaluate({"held": held})


def in_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.csv", content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("written", "held", "found"),
    [
        ("held | decode('csv')", "id,name\n7,Ada\n8,\n", [{"id": "7", "name": "Ada"}, {"id": "8", "name": None}]),
        ("held | decode('csv', delimiter=';', nested='.')", ROWS, [{"Id": "7", "Account": {"Name": "Ada"}}, {"Id": "8", "Account": None}]),
        ("held | decode('csv')", "id,text\n1,\"a\nb\"", [{"id": "1", "text": "a\nb"}]),
        ("held | decode('csv')", "", []),
        ("held | decode('ndjson')", '{"id": 1}\n\n{"id": 2}', [{"id": 1}, {"id": 2}]),
        ("held | decode('json')", '{"a": [1]}', {"a": [1]}),
        ("held | decode('xml')", "<a><b>1</b></a>", {"a": {"b": "1"}}),
        ("held | decode('text')", "as it is", "as it is"),
        ("held | decode('base64')", in_base64("Zoë".encode()), "Zoë"),
        ("decode(held, 'base64')", "Pz8_\n Pj4-", "???>>>"),
        ("held | decode('base64')", "eA", "x"),
        ("held | decode(['base64', 'json'])", in_base64(b'{"a": 1}'), {"a": 1}),
        ("held | decode(['base64', 'gzip', 'csv'])", in_base64(gzip.compress(b"id\n7\n")), [{"id": "7"}]),
        ("held | decode(['base64', 'zip', 'csv'], delimiter=';')", in_base64(zipped(b"id;n\n7;x\n")), [{"id": "7", "n": "x"}]),
        ("held | decode(['base64', 'gzip'])", in_base64(gzip.compress(b"text")), "text"),
        ("held | decode('csv')", None, None),
    ],
)  # fmt: skip
def test_decodes(written: str, held: object, found: object) -> None:
    assert value(written, held) == found


@pytest.mark.parametrize(
    ("steps", "held", "said"),
    [
        ("'cvs'", "", "the text 'cvs' is no format; there are base64, gzip, zip, csv, ndjson, json, xml, text"),
        ("['csv', 'gzip']", "", "`csv` must stand last in `decode`: nothing can be in it"),
        ("[]", "", "`decode` needs a format"),
        ("'csv'", "a,b\n1\n", "row 1 of its CSV has 1 columns, expected 2"),
        ("'csv'", 'a,b\n1,"x', "its CSV ends within a quoted value"),
        ("'ndjson'", "{", "line 1 is no JSON: unexpected end of data: line 1 column 2 (char 1)"),
        ("'xml'", "<a>", "it is no XML: no element found: line 1, column 3"),
        ("'base64'", "a", "it is no base64"),
        ("'base64'", "ä===", "it is no base64"),
        ("'base64'", in_base64(b"\xff\xfe"), "what it holds is no text"),
        ("['base64', 'gzip', 'csv']", in_base64(b"id\n7\n"), "it is no gzip"),
        ("['base64', 'gzip', 'csv']", in_base64(gzip.compress(b"id\n7\n")[:-9]), "its gzip ends too early"),
        ("['base64', 'zip', 'csv']", in_base64(b"id\n7\n"), "it is no zip archive that can be read: File is not a zip file"),
        ("'csv'", "id\n" + "7\n" * 3_000_000, "it takes more than 5,000,000 steps"),
        ("['base64', 'gzip', 'csv']", in_base64(gzip.compress(b"7" * 80_000_000)), "its gzip unpacks to more than is allowed"),
        ("'text'", "x" * 1_000_001, "a text longer than 1,000,000 characters"),
    ],
)  # fmt: skip
def test_says_what_is_wrong(steps: str, held: str, said: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        value(f"held | decode({steps})", held)
    assert caught.value.message == f"`held | decode({steps})`: {said}"


@pytest.mark.parametrize("word", ["from_csv", "from_base64", "unzip"])
def test_it_is_found_by_its_other_names(word: str) -> None:
    _, findings = Language().expression(yaml.blank(f"held | {word}"), {"held": None})
    assert [finding.suggestion for finding in findings] == ["did you mean `decode`?"]


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=5)


@given(st.lists(st.tuples(cells, cells), max_size=5))
def test_a_csv_of_any_texts_comes_back(rows: list[tuple[str, str]]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written).writerows([("a", "b"), *rows])
    packed = in_base64(zipped(written.getvalue().encode()))
    assert value("held | decode(['base64', 'zip', 'csv'])", packed) == [{"a": a, "b": b} for a, b in rows]


@given(
    st.text() | st.binary().map(in_base64),
    st.lists(st.sampled_from(["base64", "gzip", "zip", "csv", "ndjson", "json", "xml", "text"]), max_size=3),
)
def test_any_text_gives_a_value_or_a_sentence(held: str, steps: list[str]) -> None:
    with suppress(ExpressionError):
        json.dumps(value(f"held | decode({steps})", held))
