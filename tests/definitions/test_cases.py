"""The table of definitions: every key of the language right once and wrong once; see cases/README.md."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import copytree
from typing import NamedTuple, cast

import pytest
import yaml as pyyaml

from runner.definitions import yaml
from runner.definitions.build.aliases import resolve_aliases
from runner.definitions.build.around import Around
from runner.definitions.build.keys import text
from runner.definitions.build.provider import build_providers
from runner.definitions.build.reader import Reader
from runner.definitions.build.sync import build_sync
from runner.definitions.build.tests import build_test
from runner.definitions.build.workflow import build_workflow
from runner.definitions.project import Project
from runner.definitions.schema import KINDS, KindSchema, Schema, SchemaBook, properties
from runner.errors import Problem
from tests.definitions.fragments import changed

CASES = Path(__file__).parent / "cases"
BOOK = SchemaBook()
#: kind → the file of the base that a row changes, and how deep its keys stand
BASE = {"providers": ("providers.yaml", 2), "sync": ("syncs/orders.yaml", 0), "workflow": ("workflows/look-up.yaml", 0), "test": ("tests/orders.test.yaml", 0)}  # fmt: skip
#: kind → the files of the valid project
VALID = {
    "providers": "providers.yaml", "sync": "syncs/*.yaml", "workflow": "workflows/*.yaml",
    "test": "tests/*.test.yaml",
}  # fmt: skip
#: what people read, in the files and in `terapi providers show --json`, and what the schema alone sees to
NOT_BUILT = {
    "providers": {"provider.categories", "provider.docs", "provider.functions.description"},
    "sync": {"sync.version"},
    "workflow": {"workflow.version"},
    "test": {"test.version"},
}


class Row(NamedTuple):
    """One row of invalid/."""

    kind: str
    key: str
    wrong: str
    at: str
    says: str
    mend: str | None
    severity: str

    @property
    def id(self) -> str:
        return f"{self.key}: {self.wrong.strip()[:60]}"


def rows() -> Iterator[Row]:
    for kind in KINDS:
        for row in pyyaml.safe_load((CASES / f"invalid/{kind}.yaml").read_text()):
            yield Row(kind, mend=row.pop("mend", None), severity=row.pop("severity", "error"), **row)


def place_of(row: Row, text: str) -> tuple[int, int]:
    """Line and column of what a row says is marked; `word (2)` is the word's second place."""
    found = re.fullmatch(r"(.*) \((\d+)\)", row.at)
    word, number = (found[1], int(found[2])) if found else (row.at, 1)
    offset = text.index(row.wrong.partition("\n")[0].strip()) - 1
    for _ in range(number):
        offset = text.index(word, offset + 1)
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row.id)
def test_a_wrong_definition_is_told_in_a_sentence(row: Row, tmp_path: Path) -> None:
    copytree(CASES / "base", tmp_path, dirs_exist_ok=True)
    file, indent = BASE[row.kind]
    text = changed((tmp_path / file).read_text(), row.wrong, indent)
    (tmp_path / file).write_text(text)
    problems = Project.load(tmp_path, tests=row.kind == "test").problems
    assert [(one.place.file, one.severity, one.message, one.suggestion) for one in problems] == [
        (file, row.severity, row.says, row.mend)
    ]
    assert problems[0].place[1:] == place_of(row, text)


def test_the_base_is_valid() -> None:
    assert Project.load(CASES / "base", tests=True).problems == ()


def test_the_valid_project_is_valid() -> None:
    assert Project.load(CASES / "valid", tests=True).problems == ()


def names(kind: str) -> dict[int, str]:
    """Every key of a schema: the entry that it is in the file → the first name that leads to it."""
    found: dict[int, str] = {}
    for name, entry in BOOK[kind].entries():
        found.setdefault(id(entry), name)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_has_a_row_that_is_wrong_in_it(kind: str) -> None:
    first = names(kind)
    known = {name: first[id(entry)] for name, entry in BOOK[kind].entries()}
    assert {known.get(row.key, f"no such key: {row.key}") for row in rows() if row.kind == kind} == set(
        first.values()
    )


class Noticed(dict[str, yaml.Node]):
    """The entries of a map, which notice the keys that somebody asks for."""

    def __init__(self, entries: dict[str, yaml.Node]) -> None:
        super().__init__(entries)
        self.asked: set[object] = set()

    def __getitem__(self, key: str) -> yaml.Node:
        self.asked.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: yaml.Node | None = None) -> yaml.Node | None:
        self.asked.add(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self.asked.add(key)
        return super().__contains__(key)


def noticed(node: yaml.Node) -> yaml.Node:
    if isinstance(node, yaml.Mapping):
        entries = Noticed({key: noticed(child) for key, child in node.entries.items()})
        return yaml.Mapping(entries, node.keys, node.place)
    if isinstance(node, yaml.Sequence):
        return yaml.Sequence([noticed(item) for item in node.items], node.place)
    return node


class Use(NamedTuple):
    """A map in a definition: its schema, and what became of it."""

    schema: Schema
    entries: Noticed


def uses(schemas: KindSchema, node: yaml.Node, schema: Schema) -> Iterator[Use]:
    if isinstance(node, yaml.Mapping):
        entries = cast(Noticed, node.entries)
        yield Use(schema, entries)
        for key, child in entries.items():
            yield from uses(schemas, child, schemas.below(schema, key))
    elif isinstance(node, yaml.Sequence):
        for index, child in enumerate(node.items):
            yield from uses(schemas, child, schemas.below(schema, index))


def valid(kind: str) -> list[yaml.Mapping]:
    found = []
    for path in sorted((CASES / "valid").glob(VALID[kind])):
        node, problems = yaml.read(path.read_bytes(), path.name)
        assert node is not None, problems
        found.append(cast(yaml.Mapping, noticed(node)))
    return found


def used(kind: str, tops: Sequence[yaml.Mapping]) -> list[Use]:
    schemas = BOOK[kind]
    return [use for top in tops for use in uses(schemas, top, schemas.resolve(schemas.root))]


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_is_used_in_the_valid_project(kind: str) -> None:
    first = names(kind)
    there = {
        first[id(BOOK[kind].entry(entry))]
        for use in used(kind, valid(kind))
        for key, entry in properties(use.schema).items()
        if key in set(use.entries)
    }
    assert there == set(first.values())


def build(kind: str, tops: Sequence[yaml.Mapping], problems: list[Problem]) -> list[object]:
    """What the builders make of the files; what they read of them is noticed."""
    providers = tops if kind == "providers" else valid("providers")
    known = build_providers(resolve_aliases(providers[0], problems), problems)
    if kind == "providers":
        return list(known.values())
    around = Around(
        providers=known,
        workflows={text(top, "workflow"): top for top in valid("workflow")},
        syncs={text(top, "sync"): top for top in valid("sync")},
    )
    return [_bound(kind, top, around, problems) for top in tops]


def _bound(kind: str, top: yaml.Mapping, around: Around, problems: list[Problem]) -> object:
    provider = around.providers["ledger"]
    reader = Reader(provider.language, problems)
    if kind == "sync":
        return build_sync(top, provider, reader)
    if kind == "test":
        return build_test(top, reader, around, "")
    return build_workflow(top, provider, reader, "", around)


def keys_within(data: object) -> set[str]:
    if isinstance(data, dict):
        return {*data, *(key for value in data.values() for key in keys_within(value))}
    return {key for item in data for key in keys_within(item)} if isinstance(data, list) else set()


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_schema_allows_is_what_the_builders_read(kind: str) -> None:
    first, tops, problems = names(kind), valid(kind), cast(list[Problem], [])
    built = build(kind, tops, problems)
    assert problems == []
    # What stands below a workflow's `input` goes into a JSON Schema as it is.
    passed = (
        {key for one in built for key in keys_within(getattr(one, "input", {}))}
        if kind == "workflow"
        else set()
    )
    read, foreign = set(), set()
    for schema, entries in used(kind, tops):
        keys = properties(schema)
        read |= {first[id(BOOK[kind].entry(keys[key]))] for key in {*entries.asked, *passed} & set(keys)}
        if schema.get("additionalProperties") is False:
            foreign |= entries.asked - set(keys)
    assert set(first.values()) - read == NOT_BUILT[kind]
    assert foreign == set()
