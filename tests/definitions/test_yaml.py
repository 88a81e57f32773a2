"""YAML: what is read, and the sentence for each way in which it breaks."""

from __future__ import annotations

import re

import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as st

from runner.definitions import yaml
from runner.definitions.problems import render_github, render_text
from runner.errors import Place, Problem

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{above}'] * 9)}]\n"
    for above, name in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "mend"),
    [
        ("a:\n\tb: 1\n", 2, 1, "a tab cannot indent YAML", "use spaces"),
        ("a: {{ x }}\n", 1, 4, "a value that begins with `{{` needs quotes", 'write: "{{ x }}"'),
        ("a: {{ x }}/y\n", 1, 4, "a value that begins with `{{` needs quotes", 'write: "{{ x }}/y"'),
        ("a: {q: {{ x }}, b: 1}\n", 1, 8, "a value that begins with `{{` needs quotes", 'write: "{{ x }}"'),
        ("a: {q: v {{ x }} w}\n", 1, 10, "`{{` inside an unquoted value of a `{…}` map needs quotes", 'write: "… {{ … }} …"'),
        ("a: b: c\n", 1, 5, "`: ` inside a plain value begins a map where none can be", "put the whole value between quotes"),
        ("version: 1\nsync contacts\nmodel: X\n", 2, 1, "this line has no `: `", "write: key: value"),
        ("version: 1\nsync:contacts\nmodel: X\n", 2, 1, "this line has no `: `", "write: sync: contacts"),
        ("a: 'foo\nb: 1\n", 1, 4, "this quote is never closed", "close it with the same quote"),
        ('a: "x" ~ y\n', 1, 8, "something follows behind the end of a quoted value, list or map", "put quotes of the other kind around the whole value"),
        ("a: [b] == c\n", 1, 8, "something follows behind the end of a quoted value, list or map", "put quotes of the other kind around the whole value"),
        ("a: *foo\n", 1, 4, "the alias `*foo` is not defined above", None),
        ("a: **\n", 1, 4, "a value cannot begin with `*`", "put the whole value between quotes"),
        ("a: @foo\n", 1, 4, "a value cannot begin with `@`", "put the whole value between quotes"),
        ("a: `x`\n", 1, 4, "a value cannot begin with a backtick", "put the whole value between quotes"),
        ("a: 1\nb: 2\na: 3\n", 3, 1, "the key `a` stands here twice; it was given in line 1 already", "remove one of them"),
        ("a: !!python/object:os.system x\n", 1, 4, "the tag `!!python/object:os.system` is not allowed; definitions are plain data", "remove the tag"),
        ("a: 1\n---\nb: 2\n", 2, 1, "a second document begins here; a definition is one document", "remove the `---`"),
        ("a: .inf\n", 1, 4, "`.inf` is no number that JSON can say", "quote it if it is text"),
        ("a: x {{ y #z }}\n", 1, 10, "` #` begins a comment, and cuts the template in front of it", "put the whole value between quotes"),
        ("a:\n  b: 1\n c: 2\n", 3, 2, "the indentation does not fit the lines above, or a `- ` or `:` is missing", "line it up with its neighbours"),
        ("a: \0", 1, 4, "the control character U+0000 cannot stand in YAML", "remove it"),
        ("a: \x01", 1, 4, "the control character U+0001 cannot stand in YAML", "remove it"),
        ("a: \x80", 1, 4, "the control character U+0080 cannot stand in YAML", "remove it"),
        ("a: 1\nb: \u2028\n", 2, 4, "the character U+2028 cannot stand in YAML", "remove it"),
        ("a: \ud800", 1, 4, "the character U+D800 cannot stand in YAML", "remove it"),
        ("a: 1e999\n", 1, 4, "`1e999` is no number that JSON can say", "quote it if it is text"),
        ("a: -.Inf\n", 1, 4, "`-.Inf` is no number that JSON can say", "quote it if it is text"),
        ("a: !!int x\n", 1, 4, "`x` is not what the tag `!!int` says", "remove the tag"),
        ("when: !input.vip\n", 1, 7, "the tag `!input.vip` is not allowed; definitions are plain data", "for `not` write `not …`; for text, use quotes"),
        ("a: ! b\n", 1, 4, "the tag `!` is not allowed; definitions are plain data", "for `not` write `not …`; for text, use quotes"),
        ("a: x {# y #} z\n", 1, 10, "` #` begins a comment, and cuts the template in front of it", "put the whole value between quotes"),
        ("a: x {{ y   # z }}\n", 1, 12, "` #` begins a comment, and cuts the template in front of it", "put the whole value between quotes"),
        ("version:1\n", 1, 1, "a space is missing behind the `:`", "write: version: 1"),
        ("a: {b:1, c: 2}\n", 1, 5, "a space is missing behind the `:`", "write: b: 1"),
        ("steps:\n  -one\n  -two\n", 2, 3, "a space is missing behind the `-` of a list item", "write: - one"),
        ("---\n", 1, 1, "the file is empty", None),
        ("[" * 5000, 1, 62, "nested more than 60 levels deep", None),
        (BOMB, 5, 12, "the file unfolds to more than 20,000 values", None),
        ("a: &a [*a]\n", 1, 8, "the alias `*a` contains itself", None),
        ("? [a]\n: b\n", 1, 3, "a key must be text", None),
        ("", 1, 1, "the file is empty", None),
        ("# only a comment\n", 1, 1, "the file is empty", None),
    ],
)  # fmt: skip
def test_broken_yaml_gets_a_sentence(
    text: str, line: int, column: int, message: str, mend: str | None
) -> None:
    node, problems = yaml.read(text, "f.yaml")
    assert node is None
    found = problems[0]
    assert (found.place.line, found.place.column, found.message, found.suggestion) == (
        line,
        column,
        message,
        mend,
    )
    assert render_text(problems, {"f.yaml": text}).startswith(f"f.yaml:{line}:{column}: error: {message}")


@pytest.mark.parametrize(
    ("content", "line", "column", "message"),
    [
        (b"a: 1\nb: \xff\n", 2, 4, "the file is not UTF-8: byte 0xff at offset 8"),
        ("é: ".encode() + b"\xe9", 1, 4, "the file is not UTF-8: byte 0xe9 at offset 4"),
        (b"a: 1\r\rb: \xff", 3, 4, "the file is not UTF-8: byte 0xff at offset 9"),
        ("a: 1\n".encode("utf-16"), 1, 1, "the file is UTF-16, not UTF-8"),
        ("a: 1\n".encode("utf-16-le"), 1, 1, "the file is UTF-16, not UTF-8"),
        ("a: 1\n".encode("utf-16-be"), 1, 1, "the file is UTF-16, not UTF-8"),
    ],
)
def test_bytes_that_are_no_utf8_are_named(content: bytes, line: int, column: int, message: str) -> None:
    node, problems = yaml.read(content, "f.yaml")
    assert node is None
    assert (problems[0].message, problems[0].suggestion) == (message, "save it as UTF-8")
    assert (problems[0].place.line, problems[0].place.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("e5", "e5"), ("-e5", "-e5"), ("+", "+"), (".", "."), ("1.", "1."), ("0o17", 15), ("1e3", 1000.0),
        ("-0", 0), ("00", "00"), ("08.5", "08.5"), ("!!str 5", "5"), ('!!int "5"', 5), ("x # y", "x"),
        ('"x {{ y" # z', "x {{ y"), ("http://a:1", "http://a:1"), ("-a", "-a"), ("9" * 5000, "9" * 5000),
    ],
)  # fmt: skip
def test_a_scalar_is_what_it_looks_like(text: str, data: object) -> None:
    node, problems = yaml.read(f"k: {text}\n", "f")
    assert problems == []
    assert node is not None
    value = node.data
    assert value == {"k": data}
    assert isinstance(value, dict)
    assert type(value["k"]) is type(data)


def test_a_long_file_written_by_hand_is_no_alias_bomb() -> None:
    node, problems = yaml.read("".join(f"k{i}: v\n" for i in range(15_000)), "f")
    assert problems == []
    assert isinstance(node, yaml.Mapping)
    assert len(node.entries) == 15_000


def test_a_file_of_too_many_values_is_refused() -> None:
    _, problems = yaml.read("[" + "a," * 120_000 + "]", "f")
    assert problems[0].message == "the file holds more than 100,000 values"


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_lines_are_counted_whatever_ends_them(line_break: str) -> None:
    _, problems = yaml.read(line_break.join(["a: 1", "b: 2", "a: 3"]), "f")
    assert problems[0].place.line == 3


def test_a_large_file_is_refused_before_it_is_read() -> None:
    assert yaml.read(b"a" * (1 << 21), "f.yaml")[1][0].message == "the file is larger than 1 MiB"


def test_scalars_follow_yaml_1_2() -> None:
    text = "a: no\nb: 2026-01-01\nc: 007\nd: 1_000\ne: 0x10\nf: 1.5e3\ng: on\ni: .5\nj: +3\nl: '5'\nm: ~\nn: true\no:\n"
    node, _ = yaml.read(text, "f")
    assert node is not None
    assert node.data == {
        "a": "no", "b": "2026-01-01", "c": "007", "d": "1_000", "e": 16, "f": 1500.0, "g": "on", "i": 0.5, "j": 3,
        "l": "5", "m": None, "n": True, "o": None,
    }  # fmt: skip


def test_merge_keys_give_way_to_explicit_ones() -> None:
    node, _ = yaml.read("x: &x {a: 1, b: 1}\ny:\n  <<: *x\n  b: 2\n", "f")
    assert node is not None
    assert node.data == {"x": {"a": 1, "b": 1}, "y": {"b": 2, "a": 1}}


@pytest.mark.parametrize(
    ("text", "word", "line", "column"),
    [
        ("k: alpha beta\n", "beta", 1, 10),
        ('k: "alpha beta"\n', "beta", 1, 11),
        ("k: >-\n  one two\n  three beta\n", "beta", 3, 9),
        ("k: |\n  one two\n  three beta\n", "beta", 3, 9),
        ("k: {a: beta}\n", "beta", 1, 8),
        ("k: 'it''s a beta'\n", "beta", 1, 13),
        ('k: "a\\tb \\x41 \\u00e9 \\" beta"\n', "beta", 1, 25),
        ('k: "one \\\n  two\n\n  beta"\n', "beta", 4, 3),
        ("k: one\n  two\n\n  beta\n", "beta", 4, 3),
        ("k: >\n\n    one\n      two\n\n    beta\nnext: 1\n", "beta", 6, 5),
    ],
)
def test_a_character_of_a_value_is_found_in_the_file(text: str, word: str, line: int, column: int) -> None:
    node, _ = yaml.read(text, "f")
    assert isinstance(node, yaml.Mapping)
    value = node.entries["k"]
    scalar = value.entries["a"] if isinstance(value, yaml.Mapping) else value
    assert isinstance(scalar, yaml.Scalar)
    place = scalar.at(scalar.text.index(word))
    assert (place.line, place.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("k: alpha\nnext: 1\n", 1, 9),
        ("k: 'alpha'\nnext: 1\n", 1, 10),
        ("k: >\n  alpha\n  beta\nnext: 1\n", 3, 7),
    ],
)
def test_the_end_of_a_value_is_found_behind_its_last_character(text: str, line: int, column: int) -> None:
    node, _ = yaml.read(text, "f")
    assert isinstance(node, yaml.Mapping)
    value = node.entries["k"]
    assert isinstance(value, yaml.Scalar)
    place = value.at(len(value.text))
    assert (place.line, place.column) == (line, column)


def test_a_problem_is_shown_with_its_line() -> None:
    source = "model: Contact\nprimay_key: id\n"
    problem = Problem(Place("syncs/contacts.yaml", 2, 1), "unknown key `primay_key`", 10, "did you mean `primary_key`?", "sync.primary_key")  # fmt: skip
    assert render_text([problem], {"syncs/contacts.yaml": source}) == (
        "syncs/contacts.yaml:2:1: error: unknown key `primay_key`\n"
        "    2 | primay_key: id\n"
        "      | ^^^^^^^^^^ did you mean `primary_key`?\n"
        "  see: terapi explain sync.primary_key"
    )


def test_github_annotations_escape_what_would_end_them() -> None:
    problem = Problem(Place("a,b:c.yaml", 2, 3), "50% of\nit", 4, code="x")
    assert (
        render_github([problem])
        == "::error file=a%2Cb%3Ac.yaml,line=2,col=3,endColumn=7,title=x::50%25 of%0Ait"
    )


yaml_like = st.lists(st.sampled_from(["a", "5", "e", ".", "-", ":", " ", "\n", "  ", "{", "}", "[", "]", "'", '"', "#", "&a", "*a", "!", "|", ">", "<<", ",", "\t", "%", "?"]), max_size=40).map("".join)  # fmt: skip


@given(st.one_of(st.text(st.characters(categories=None), max_size=200), st.binary(max_size=200), yaml_like))
def test_anything_is_read_or_refused(content: str | bytes) -> None:
    node, problems = yaml.read(content, "f")
    assert (node is None) == bool(problems)
    render_text(problems, {"f": content if isinstance(content, str) else content.decode("utf-8", "replace")})


#: PyYAML writes YAML 1.1, where `0E0` is text: what may be a number to one version only is left out
words = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=12).filter(
    lambda text: not re.match(r"[-+.\d]", text)
)
plain = st.recursive(
    st.booleans() | st.integers(-(10**9), 10**9) | words,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), plain, min_size=1, max_size=4))
def test_what_another_writer_writes_is_read_as_it_was(data: dict[str, object]) -> None:
    written = pyyaml.safe_dump(data, allow_unicode=True, default_style='"' if "{{" in str(data) else None)
    node, problems = yaml.read(written, "f")
    assert problems == []
    assert node is not None
    assert node.data == data
