"""A request as it goes out: what it holds in a scope, and what cannot be sent."""

from __future__ import annotations

import pytest

from runner.definitions import yaml
from runner.definitions.build.reader import Reader
from runner.definitions.build.request import read_request
from runner.definitions.exchange import build
from runner.definitions.expressions import Language
from runner.definitions.model import Request
from runner.errors import ExpressionError

SCOPE = {"id": 7, "name": "Ada & Co", "tags": ["a", "b"], "none": None, "deep": {"x": [1, None, True]}}


def request(text: str) -> Request:
    node, problems = yaml.read(text, "f.yaml")
    assert isinstance(node, yaml.Mapping), problems
    reader = Reader(Language(), [])
    found = read_request(node, reader, dict.fromkeys([*SCOPE, "missing"]))
    assert reader.problems == []
    return found


@pytest.mark.parametrize(
    ("written", "url", "content"),
    [
        ('path: "/a/{{ id }}"', "https://x.example/v1/a/7", None),
        ('path: "/a b/{{ name | urlencode }}"', "https://x.example/v1/a%20b/Ada%20%26%20Co", None),
        ('url: "https://y.example/{{ id }}"', "https://y.example/7", None),
        ('{path: /a, query: {t: "{{ tags }}", n: "{{ none }}", m: "{{ missing }}", q: "{{ name }}"}}', "https://x.example/v1/a?t=a&t=b&n=&q=Ada+%26+Co", None),
        ('{path: /a?b=1, query: {c: true}}', "https://x.example/v1/a?b=1&c=true", None),
        ('{path: /a, json: {id: "{{ id }}", m: "{{ missing }}", n: "{{ none }}", d: "{{ deep }}", l: ["{{ missing }}", 1]}}', "https://x.example/v1/a", b'{"id": 7, "n": null, "d": {"x": [1, null, true]}, "l": [1]}'),
        ('{path: /a, json: "{{ missing }}"}', "https://x.example/v1/a", None),
        ('{path: /a, json: "{{ none }}"}', "https://x.example/v1/a", b"null"),
        ('{path: /a, form: {a: "{{ name }}", b: "{{ tags }}"}}', "https://x.example/v1/a", b"a=Ada+%26+Co&b=a&b=b"),
        ('{path: /a, body: "hi {{ id }}"}', "https://x.example/v1/a", b"hi 7"),
        ('{path: /a, json: {l: "{{ [id, missing] }}", m: "{{ {\'a\': missing, \'b\': 1} }}"}}', "https://x.example/v1/a", b'{"l": [7], "m": {"b": 1}}'),
    ],
)  # fmt: skip
def test_what_goes_out(written: str, url: str, content: bytes | None) -> None:
    sent = build(request(written), SCOPE, "https://x.example/v1/")
    assert (sent.url, sent.content) == (url, content)


@pytest.mark.parametrize(
    ("written", "message", "line"),
    [
        ('path: "{{ none }}"', "the `path` is null", 1),
        ('url: "{{ missing }}"', "the `url` is absent", 1),
        ('path: "/a/{{ none }}"', "`none` is null and stands inside a text", 1),
        ('path: "/a/{{ none | urlencode }}"', "`none | urlencode` is null and stands inside a text", 1),
        ('path: /a\njson: {n: "{{ 1e308 * id * 100 }}"}', "the body holds a number that JSON cannot say", 1),
        ('path: /a\nheaders:\n  X: "{{ name ~ tags[5] }}"', "`{{ name ~ tags[5] }}`: a part of `~` is absent", 3),
        ('path: /a\nheaders: {X: "{{ \'a\\nb\' }}"}', "the header `X` cannot hold a line break", 1),
    ],
)  # fmt: skip
def test_what_cannot_be_sent(written: str, message: str, line: int) -> None:
    with pytest.raises(ExpressionError) as refused:
        build(request(written), SCOPE, "https://x.example")
    assert refused.value.message == message
    assert refused.value.where is not None
    assert refused.value.where.line == line
