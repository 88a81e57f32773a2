"""What a schema refuses, said in one sentence at the exact place."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import cast

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.definitions import yaml
from runner.definitions.refusals import Checker
from runner.definitions.schema import KINDS, KindSchema, Schema, SchemaBook
from runner.errors import Problem

CASES = Path(__file__).parent / "cases"
TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}


def of(**properties: Schema) -> dict[str, object]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def check(schema: Schema, text: str) -> list[Problem]:
    node, problems = yaml.read(text, "f.yaml")
    assert node is not None, problems
    return Checker(KindSchema("sync", schema)).check(node)


@pytest.mark.parametrize(
    ("schema", "text", "line", "column", "message", "mend"),
    [
        (of(page_size=WHOLE), "page_siz: 1", 1, 1, "unknown key `page_siz`", "did you mean `page_size`?"),
        (of(page_size=WHOLE), "x: 1", 1, 1, "unknown key `x`", "known here: page_size"),
        ({**of(a=TEXT, b=TEXT), "required": ["b"]}, "a: x", 1, 1, "`b` is missing", "add `b: …`"),
        ({**of(a=TEXT, b=TEXT), "dependentRequired": {"a": ["b"]}}, "a: x", 1, 1, "`b` is missing: `a` needs it", "add `b: …`"),
        (of(a=WHOLE), "a: many", 1, 4, "`a` must be a whole number, found the text 'many'", None),
        (of(a=WHOLE), "a: '5'", 1, 4, "`a` must be a whole number, found the text '5'", "write: 5"),
        (of(a=WHOLE), "a: 1.5", 1, 4, "`a` must be a whole number, found 1.5", None),
        (of(a=TEXT), "a: 1.10", 1, 4, "`a` must be text, found 1.1", 'write: "1.10"'),
        (of(a=TEXT), "a:", 1, 3, "`a` must be text, found nothing", "give it a value, or remove the key"),
        (of(a={"type": "boolean"}), "a: yes", 1, 4, "`a` must be true or false, found the text 'yes'", "write: true"),
        (of(a={"type": "boolean"}), "a: False", 1, 4, "`a` must be true or false, found the text 'False'", "write: false"),
        (of(a={"type": ["string", "null"]}), "a: [1]", 1, 4, "`a` must be text or null, found a list", None),
        (of(a=of(b=TEXT)), "a: x", 1, 4, "`a` must be a map, found the text 'x'", None),
        (of(a=TEXT), "- 1", 1, 1, "the file must be a map, found a list", None),
        (of(a={"type": "array", "items": TEXT}), "a:\n- x\n- 5", 3, 3, "item 2 of `a` must be text, found 5", 'write: "5"'),
        (of(a={"enum": ["GET", "POST"]}), "a: get", 1, 4, "`a` cannot be the text 'get'; it can be `GET`, `POST`", "did you mean `GET`?"),
        (of(a={"const": 1}), "a: 2", 1, 4, "`a` cannot be 2; it can be `1`", None),
        (of(a={"pattern": "^x", "x-pattern-message": "an x in front"}), "a: y", 1, 4, "`a` cannot be the text 'y'", "expected an x in front"),
        (of(a={"minimum": 3}), "a: 1", 1, 4, "`a` must be at least 3, found 1", None),
        (of(a={"maximum": 3}), "a: 4", 1, 4, "`a` must be at most 3, found 4", None),
        (of(a={"exclusiveMinimum": 3}), "a: 3", 1, 4, "`a` must be more than 3, found 3", None),
        (of(a={"multipleOf": 3}), "a: 4", 1, 4, "`a` must be a multiple of 3, found 4", None),
        (of(a={"minItems": 1}), "a: []", 1, 4, "`a` must have at least one entry, found none", None),
        (of(a={"maxItems": 2}), "a: [1, 2, 3]", 1, 4, "`a` must have at most 2 entries, found 3", None),
        (of(a={"minProperties": 1}), "a: {}", 1, 4, "`a` must have at least one entry, found none", None),
        (of(a={"minLength": 1}), "a: ''", 1, 4, "`a` must be at least 1 character long, found 0", None),
        (of(a={"uniqueItems": True}), "a: [1, 1]", 1, 4, "`a` must not have the same item twice", None),
        ({**of(a=TEXT, b=TEXT), "x-exactly-one": ["a", "b"]}, "a: x\nb: y", 2, 1, "this takes exactly one of `a`, `b`; found `a` and `b`", "remove one"),
        ({**of(a=TEXT, b=TEXT), "x-exactly-one": ["a", "b"]}, "{}", 1, 1, "this takes exactly one of `a`, `b`; found none", None),
        ({**of(a=TEXT, b=TEXT), "x-at-most-one": ["a", "b"]}, "a: x\nb: y", 2, 1, "this takes at most one of `a`, `b`; found `a` and `b`", "remove one"),
        ({"propertyNames": {"pattern": "^[a-z]+$", "x-pattern-message": "small letters"}}, "A B: 1", 1, 1, "`A B` cannot be a name here", "expected small letters"),
    ],
)  # fmt: skip
def test_what_is_refused_gets_a_sentence(
    schema: Schema, text: str, line: int, column: int, message: str, mend: str | None
) -> None:
    found = check(schema, text)
    assert [(p.place.line, p.place.column, p.message, p.suggestion) for p in found] == [
        (line, column, message, mend)
    ]


def test_a_key_that_looks_like_a_number_is_a_key() -> None:
    responses = of(responses={"type": "object", "additionalProperties": of(kind=TEXT)})
    found = check(responses, "responses:\n  404: {kind: 1}\n  500: {kin: x}\n")
    assert [(str(p.place), p.message, p.see) for p in found] == [
        ("f.yaml:2:15", "`kind` must be text, found 1", "sync.responses.kind"),
        ("f.yaml:3:9", "unknown key `kin`", "sync.responses.kind"),
    ]


def test_a_number_in_the_place_of_a_map_is_named_by_its_key() -> None:
    found = check({"type": "object", "additionalProperties": of(kind=TEXT)}, "404: 1\n")
    assert [p.message for p in found] == ["`404` must be a map, found 1"]


def test_a_misspelt_key_is_told_once() -> None:
    found = check({**of(model=TEXT), "required": ["model"]}, "modle: x")
    assert [p.message for p in found] == ["unknown key `modle`"]


def test_what_is_below_an_unknown_key_is_not_checked() -> None:
    found = check(of(a=of(b=WHOLE)), "c: {b: x, d: {}}")
    assert [p.message for p in found] == ["unknown key `c`"]


def test_a_reference_is_followed() -> None:
    tree = of(steps={"type": "array", "items": {"$ref": "#/$defs/step"}})
    tree["$defs"] = {"step": of(use=TEXT, steps={"type": "array", "items": {"$ref": "#/$defs/step"}})}
    found = check(tree, "steps:\n- steps:\n  - uses: x\n")
    assert [(str(p.place), p.suggestion, p.see) for p in found] == [
        ("f.yaml:3:5", "did you mean `use`?", "sync.steps.steps.use")
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_is_described_and_shown(kind: str) -> None:
    lacking = [
        name
        for name, schema in SchemaBook()[kind].documented()
        if not str(schema.get("description", "")).strip() or not cast(list[object], schema.get("examples"))
    ]
    assert lacking == []


KNOWN = {
    "$schema", "$id", "$defs", "$ref", "title", "description", "examples", "default", "format", "type", "enum",
    "const", "properties", "additionalProperties", "propertyNames", "required", "dependentRequired", "items",
    "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "minLength", "maxLength", "pattern",
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "x-exactly-one", "x-at-most-one",
    "x-pattern-message",
}  # fmt: skip


def keywords(schema: object) -> set[str]:
    """Every keyword that a schema uses, wherever a schema may stand in it."""
    if not isinstance(schema, dict):
        return set()
    named = [value for key in ("properties", "$defs") for value in schema.get(key, {}).values()]
    single = [schema.get(key) for key in ("items", "additionalProperties", "propertyNames")]
    return set(schema).union(*(keywords(below) for below in [*named, *single]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_schemas_use_no_keyword_that_is_not_checked(kind: str) -> None:
    assert keywords(SchemaBook()[kind].root) - KNOWN == set()


def agree(schema: Schema, node: yaml.Node) -> None:
    """The verdict is that of a validator of the whole standard, which does not know our own annotations."""
    ours = [one for one in Checker(KindSchema("sync", schema)).check(node) if one.code != "choice"]
    assert (ours == []) == jsonschema_rs.Draft202012Validator(dict(schema)).is_valid(node.data)


FILES = {
    "providers": "providers.yaml", "sync": "syncs/*.yaml", "workflow": "workflows/*.yaml",
    "test": "tests/*.test.yaml",
}  # fmt: skip
VALID = {kind: [path.read_text() for path in sorted((CASES / "valid").glob(FILES[kind]))] for kind in KINDS}
scalars = st.sampled_from(["5", "-1", "0", "1.0", "1.5", "true", "null", "''", "x", "GET", "5m", "[]", "{}", "[1, 1.0]", "[a, b]", "{a: 1}", "'1'"])  # fmt: skip


@settings(max_examples=200)
@given(st.data())
def test_verdicts_are_those_of_the_standard(data: st.DataObject) -> None:
    """Of valid definitions in which values were put in place of others."""
    kind = data.draw(st.sampled_from(KINDS))
    text = data.draw(st.sampled_from(VALID[kind]))
    values = [found.span(1) for found in re.finditer(r": ([^\n{}\[\],]+)", text)]
    start, end = data.draw(st.sampled_from(values))
    node, _ = yaml.read(text[:start] + data.draw(scalars) + text[end:], "f.yaml")
    if node is not None:
        agree(SchemaBook()[kind].root, node)


limits = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "number", "integer", "boolean", "array", "object", "null", ["string", "array"]]),
        "enum": st.lists(st.sampled_from([1, 1.0, True, "a", None, [1], {"a": 1}]), min_size=1, max_size=3),
        "minimum": st.integers(-2, 3), "maximum": st.integers(-2, 3), "exclusiveMinimum": st.integers(-2, 3),
        "exclusiveMaximum": st.integers(-2, 3), "multipleOf": st.sampled_from([1, 2, 0.5]),
        "minLength": st.integers(0, 3), "maxLength": st.integers(0, 3), "pattern": st.sampled_from(["^a+$", "^[a-z0-9]*$", r"\d"]),
        "minItems": st.integers(0, 3), "maxItems": st.integers(0, 3), "uniqueItems": st.booleans(),
        "minProperties": st.integers(0, 2), "maxProperties": st.integers(0, 2), "required": st.just(["a"]),
        "dependentRequired": st.just({"b": ["a"]}), "propertyNames": st.just({"pattern": "^[ab]$"}),
        "additionalProperties": st.sampled_from([False, {"type": "integer"}]),
        "properties": st.just({"a": {"type": "string"}}), "items": st.just({"type": "integer"}),
    },
)  # fmt: skip
plain = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 1.0, 1.5, 3, -2, "", "a", "aa", "abc", "9", "é", "a\n"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=400)
@given(limits, plain)
def test_each_keyword_means_what_the_standard_says(schema: dict[str, object], value: object) -> None:
    node, problems = yaml.read(json.dumps({"v": value}), "f.yaml")
    assert node is not None, problems
    agree({"properties": {"v": schema}}, node)
