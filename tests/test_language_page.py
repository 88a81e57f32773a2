"""docs/language.md says what is: its files are a valid project, its examples give what they say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml as pyyaml

from runner.definitions import yaml
from runner.definitions.expressions import Language
from runner.definitions.expressions.offered import FILTERS, FUNCTIONS, KEPT_FILTERS, TESTS, TEXT_METHODS
from runner.definitions.problems import render_text
from runner.definitions.project import Project
from tests.definitions.fragments import changed

PAGE = (Path(__file__).parent.parent / "docs/language.md").read_text()
#: what a fragment shows keys of → its file, and how deep they stand
PLACES = {"provider": ("providers.yaml", 2), "sync": ("syncs/orders.yaml", 0), "workflow": ("workflows/reorder.yaml", 0)}  # fmt: skip


class Block(NamedTuple):
    """A block of YAML in the page, and what it is."""

    kind: str
    text: str
    line: int


BLOCKS = [
    Block(found[1], found[2], PAGE.count("\n", 0, found.start()) + 1)
    for found in re.finditer(r"^```yaml (.+?)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
]
FILES = {block.kind: block.text for block in BLOCKS if "." in block.kind and " " not in block.kind}
#: definitions that go with the shipped `providers.yaml`
SHIPPED = {
    block.kind.removeprefix("shipped "): block.text for block in BLOCKS if block.kind.startswith("shipped ")
}
FRAGMENTS = [block for block in BLOCKS if block.kind in PLACES]
RECORD = next(pyyaml.safe_load(block.text) for block in BLOCKS if block.kind == "record")


def project(root: Path, files: dict[str, str]) -> Project:
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    return Project.load(root)


def told(found: Project) -> str:
    return render_text(found.problems, found.sources)


def test_every_block_of_yaml_says_what_it_is() -> None:
    known = {*FILES, *(f"shipped {name}" for name in SHIPPED), *PLACES, "providers", "record", "wrong sync"}
    assert {block.kind for block in BLOCKS} == known
    assert PAGE.count("```yaml\n") == 0


def test_the_files_of_the_page_are_a_valid_project(tmp_path: Path) -> None:
    more = "".join(block.text for block in BLOCKS if block.kind == "providers")
    assert told(project(tmp_path, {**FILES, "providers.yaml": FILES["providers.yaml"] + more})) == ""


def test_what_goes_with_the_shipped_provider_is_valid(tmp_path: Path) -> None:
    providers = (Path(__file__).parent.parent / "providers.yaml").read_text()
    assert told(project(tmp_path, {**SHIPPED, "providers.yaml": providers})) == ""


@pytest.mark.parametrize("block", FRAGMENTS, ids=lambda block: f"{block.kind} in line {block.line}")
def test_what_the_page_shows_is_valid(block: Block, tmp_path: Path) -> None:
    file, indent = PLACES[block.kind]
    # Another provider's operations are not what the sync and the workflow of the page call.
    files = {file: FILES[file]} if block.kind == "provider" else dict(FILES)
    files[file] = changed(FILES[file], block.text, indent)
    assert told(project(tmp_path, files)) == ""


def test_what_the_page_says_of_a_mistake_is_what_is_said(tmp_path: Path) -> None:
    wrong = next(block for block in BLOCKS if block.kind == "wrong sync")
    said = re.search(r"^```text\n(.*?)\n```", PAGE, re.MULTILINE | re.DOTALL)
    assert said is not None
    files = {**FILES, "syncs/orders.yaml": changed(FILES["syncs/orders.yaml"], wrong.text, 0)}
    assert told(project(tmp_path, files)) == said[1]


def examples() -> list[tuple[str, str, str]]:
    """The rows of tables headed `expression` or `template`."""
    found = []
    for table in re.finditer(
        r"^\| (expression|template) \| gives \|\n\| --- \| --- \|\n((?:\|.*\n)+)", PAGE, re.MULTILINE
    ):
        for row in table[2].splitlines():
            cells = [cell.strip().strip("`").replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row)[1:3]]
            found.append((table[1], cells[0], cells[1]))
    return found


@pytest.mark.parametrize(("kind", "written", "gives"), examples())
def test_an_example_gives_what_the_page_says(kind: str, written: str, gives: str) -> None:
    read = Language().template if kind == "template" else Language().expression
    found, findings = read(yaml.blank(written), {"record": None})
    assert findings == []
    assert found is not None
    assert not isinstance(found, str)
    assert found.evaluate({"record": RECORD}) == pyyaml.safe_load(gives)


def test_every_function_filter_and_test_is_named() -> None:
    words = set(re.findall(r"\w+", PAGE[PAGE.index("## Values") : PAGE.index("### Bounds")]))
    offered = {*FUNCTIONS, *FILTERS, *KEPT_FILTERS, *TESTS, *TEXT_METHODS}
    assert offered - words == set()
