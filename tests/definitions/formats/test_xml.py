"""XML as maps and lists."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.definitions.formats.xml import parse_xml

BOMB = b'<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>'


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (b"<a/>", {"a": None}),
        (b"<a>1</a>", {"a": "1"}),
        (b'<a id="7">x</a>', {"a": {"@id": "7", "#text": "x"}}),
        (b"<a><b>1</b><b>2</b><c/></a>", {"a": {"b": ["1", "2"], "c": None}}),
        (b'<s:a xmlns:s="urn:x"><s:b>1</s:b></s:a>', {"a": {"b": "1"}}),
        (b"<a> <b>1</b>\n</a>", {"a": {"b": "1"}}),
        ("<?xml version='1.0' encoding='iso-8859-1'?><a>é</a>".encode("latin-1"), {"a": "é"}),
    ],
)
def test_what_xml_means(written: bytes, expected: object) -> None:
    assert parse_xml(written) == expected


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (b"<a>", "it is no XML: no element found: line 1, column 3"),
        (b"", "it is no XML: no element found: line 1, column 0"),
        (BOMB, "its XML has a document type declaration, which is not read"),
        (b"<a>" * 300, "its XML is nested deeper than 200"),
    ],
)
def test_what_cannot_be_read_is_said(written: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match="XML") as caught:
        parse_xml(written)
    assert str(caught.value) == sentence


@given(st.binary(max_size=60))
def test_no_bytes_do_worse_than_a_sentence(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(parse_xml(b"<a>" + content + b"</a>"), dict)
