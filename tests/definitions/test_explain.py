"""`terapi explain KEY` and the reference, told by the schemas alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.definitions.explain import explain, reference
from runner.definitions.schema import KINDS, SchemaBook
from runner.errors import UsageError

CURSOR = {
    "type": "string",
    "format": "expression",
    "description": "What grows with every change.",
    "examples": ["record.changed"],
}
PAGE = {
    "type": "integer",
    "default": 100,
    "description": "Records a page; more is faster.",
    "examples": [10],
}
MODE = {"enum": ["full", "changed"], "description": "How much.", "examples": ["full"]}


@pytest.fixture
def book(tmp_path: Path) -> SchemaBook:
    operation = {
        "type": "object",
        "description": "One call.",
        "examples": [{"cursor": "x"}],
        "properties": {"cursor": CURSOR},
    }
    operations = {
        "type": "object",
        "description": "Calls by name.",
        "examples": [{}],
        "additionalProperties": operation,
    }
    steps = {"type": "array", "description": "In order.", "examples": [[]], "items": operation}
    schemas: dict[str, dict[str, object]] = {
        "providers": {"additionalProperties": {"type": "object", "properties": {"operations": operations}}},
        "sync": {"type": "object", "properties": {"cursor": CURSOR, "page": PAGE, "mode": MODE}},
        "workflow": {"type": "object", "properties": {"steps": steps}},
        "test": {"type": "object"},
    }
    for kind, schema in schemas.items():
        (tmp_path / f"{kind}.schema.json").write_text(json.dumps(schema), encoding="utf-8")
    return SchemaBook(tmp_path)


def test_a_key_is_told_with_its_type_meaning_default_and_example(book: SchemaBook) -> None:
    assert explain("sync.page", book) == (
        "sync.page  (whole number)\n\n  Records a page; more is faster.\n  Default: 100\n\n    page: 10"
    )


@pytest.mark.parametrize(
    ("key", "words"), [("sync.cursor", "(expression)"), ("sync.mode", "(one of full, changed)")]
)
def test_a_type_is_told_in_words(book: SchemaBook, key: str, words: str) -> None:
    assert explain(key, book).startswith(f"{key}  {words}")


def test_what_stands_below_a_key_has_a_line_each(book: SchemaBook) -> None:
    below = explain("sync", book).partition("Below it:\n")[2]
    assert below.split("\n") == [
        "    cursor  What grows with every change.",
        "    page    Records a page",
        "    mode    How much.",
    ]


@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("provider.operations.cursor", "provider.operations.cursor"),
        ("provider.operations.query.cursor", "provider.operations.cursor"),
        ("providers.operations.query.cursor", "provider.operations.cursor"),
        ("workflows.steps.cursor", "workflow.steps.cursor"),
    ],
)
def test_names_that_people_chose_may_be_left_out(book: SchemaBook, key: str, title: str) -> None:
    assert explain(key, book).startswith(f"{title}  (expression)")


@pytest.mark.parametrize(
    ("key", "message", "hint"),
    [
        ("sync.cursr", "`sync` has no key `cursr`", "did you mean `sync.cursor`?"),
        ("sync.zzz", "`sync` has no key `zzz`", "there are: cursor, mode, page"),
        ("sync.page.size", "`sync.page` has no key `size`", "nothing stands below `sync.page`"),
        ("synk", "there is no kind of definition called `synk`", "did you mean `sync`?"),
        (
            "zzz",
            "there is no kind of definition called `zzz`",
            "keys begin with provider, sync, workflow or test",
        ),
        ("", "there is no kind of definition called ``", "keys begin with provider, sync, workflow or test"),
    ],
)
def test_an_unknown_key_is_refused_with_what_there_is(
    book: SchemaBook, key: str, message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as refused:
        explain(key, book)
    assert (refused.value.message, refused.value.hint) == (message, hint)


def test_the_reference_lists_each_key_once(book: SchemaBook) -> None:
    rows = [line.split(" | ")[0] for line in reference(book).split("\n") if line.startswith("| `")]
    assert rows == [
        "| `provider.operations`",
        "| `provider.operations.cursor`",
        "| `sync.cursor`",
        "| `sync.page`",
        "| `sync.mode`",
        "| `workflow.steps`",
        "| `workflow.steps.cursor`",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_of_the_language_can_be_explained(kind: str) -> None:
    shipped = SchemaBook()
    for name, schema in shipped[kind].documented():
        assert str(schema["description"]) in explain(name, shipped)
