"""Lists and maps turned into each other, and the links of a header."""

from __future__ import annotations

import pytest

from runner.definitions import yaml
from runner.definitions.expressions import Language
from runner.definitions.values import is_absent
from runner.errors import ExpressionError


def value(text: str, **scope: object) -> object:
    found, findings = Language().expression(yaml.blank(text), dict.fromkeys(scope))
    assert found is not None, findings
    return found.evaluate(scope)


GITHUB = '<https://api.example/repos/7/issues?page=2>; rel="next", <https://api.example/repos/7/issues?page=9>; rel="last"'


@pytest.mark.parametrize(
    ("header", "rel", "address"),
    [
        (GITHUB, "next", "https://api.example/repos/7/issues?page=2"),
        (GITHUB, "last", "https://api.example/repos/7/issues?page=9"),
        (GITHUB, "prev", None),
        ("</a?x=1,2;3>; rel=next", "next", "/a?x=1,2;3"),
        ('</a>; rel="prev first"; title="a, b; rel=\\"next\\""', "next", None),
        ('</a>; rel="prev first"; title="a, b; rel=\\"next\\"", </b>; REL="Next"', "next", "/b"),
        ('</a>; crossorigin; rel="next"', "next", "/a"),
        ("</a>;rel=prev,</b>;rel=next,", "next", "/b"),
        ("</a>", "next", None),
        ("", "next", None),
        ("garbage", "next", None),
    ],
)
def test_a_link_is_found_by_its_relation(header: str, rel: str, address: str | None) -> None:
    found = value("link(header, rel)", header=header, rel=rel)
    assert is_absent(found) if address is None else found == address


def test_without_a_header_there_is_no_link() -> None:
    assert is_absent(value("link(response.headers.link)", response={"headers": {}}))
    assert value("header | link", header=None) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("users | values", [{"id": "a"}, {"id": "b"}]),
        ("concat(users | values, none, absent.list, [1])", [{"id": "a"}, {"id": "b"}, 1]),
        ("sheet | maps", [{"id": "1", "name": "Ada"}, {"id": "2"}, {"id": "3", "name": "x"}]),
        ("[[1, 2], [3]] | maps(['a', 'b'])", [{"a": 1, "b": 2}, {"a": 3}]),
        ("[] | maps", []),
        ("none | maps(['a'])", []),
        ("deep | flatten", {"a_b_c": 1, "a_d": None, "e": [{"f": 1}], "g": {}}),
        ("deep | flatten('.')", {"a.b.c": 1, "a.d": None, "e": [{"f": 1}], "g": {}}),
        ("none | flatten", None),
        (
            "{'a': 1, 'b': '', 'c': none, 'd': absent.x, 'e': 0, 'f': false} | compact",
            {"a": 1, "e": 0, "f": False},
        ),
        ("['', 1, none, []] | compact", [1, []]),
        ("none | compact", []),
        (
            "{'a': '1', 'b': none, 'c': 'x'} | typed({'a': 'number', 'b': 'integer', 'd': 'text'})",
            {"a": 1, "b": None, "c": "x"},
        ),
        (
            "{'a': 1, 'b': '2026-07-24T16:00:00+02:00'} | typed({'a': 'text', 'b': 'timestamp'})",
            {"a": "1", "b": "2026-07-24T14:00:00.000Z"},
        ),
        ("none | typed({'a': 'number'})", None),
    ],
)
def test_reshapes(text: str, found: object) -> None:
    scope = {
        "users": {"a": {"id": "a"}, "b": {"id": "b"}},
        "absent": {},
        "sheet": [["id", "name", ""], ["1", "Ada", "nameless"], ["2"], ["3", "x", "y", "too long"]],
        "deep": {"a": {"b": {"c": 1}, "d": None}, "e": [{"f": 1}], "g": {}},
    }
    assert value(text, **scope) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1] | values", "`[1] | values`: `values` works on a map, not on a list"),
        ("concat('a')", "`concat('a')`: expected a list, found the text 'a'"),
        ("[['a'], 'b'] | maps", "`[['a'], 'b'] | maps`: `maps` works on lists, found the text 'b'"),
        ("[1] | flatten", "`[1] | flatten`: `flatten` works on a map, not on a list"),
        (
            "{'a': 'x'} | typed({'a': 'number'})",
            "`{'a': 'x'} | typed({'a': 'number'})`: `a`: the text 'x' is no number",
        ),
        (
            "{} | typed({'a': 'date'})",
            "`{} | typed({'a': 'date'})`: the text 'date' is no type; there are text, number, integer, boolean, timestamp",
        ),
        ("{} | typed('number')", "`{} | typed('number')`: `typed` works on a map, not on the text 'number'"),
    ],
)
def test_refuses_what_has_another_shape(text: str, said: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        value(text)
    assert caught.value.message == said
