"""What the docs say is what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runner.definitions.explain import reference
from runner.definitions.schema import KINDS, SchemaBook

ROOT = Path(__file__).parent.parent


def test_the_reference_is_what_the_schemas_say() -> None:
    """Mend with: terapi explain --all > docs/reference.md"""
    assert (ROOT / "docs/reference.md").read_text() == reference(SchemaBook())


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_is_described_and_has_an_example(kind: str) -> None:
    bare = [
        key
        for key, schema in SchemaBook()[kind].documented()
        if not schema.get("description") or not schema.get("examples")
    ]
    assert bare == []


def test_the_runner_names_no_vendor() -> None:
    vendor = re.compile("salesforce|soql|sobject|sforce", re.IGNORECASE)
    named = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in (ROOT / "runner").rglob("*")
        if path.suffix in (".py", ".sql") and "emulator" not in path.parts and "_sample" not in path.parts
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if vendor.search(line)
    ]
    assert named == []


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/language.md",
        "docs/cli.md",
        "docs/server.md",
        "docs/syncs.md",
        "docs/workflows.md",
        "docs/testing.md",
    ],
)
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text()):
        assert target.startswith("http") or ((ROOT / page).parent / target).exists(), target


def test_every_sync_that_ships_is_listed_and_no_other() -> None:
    """Mend the table in docs/syncs.md: a row for each file of syncs/, with its model."""
    row = re.compile(r"^\| \[([\w-]+)\]\(\.\./syncs/([\w-]+)\.yaml\) \| ([^|]+) \|", re.M)
    listed = row.findall(_page("docs/syncs.md"))
    assert [(name, link) for name, link, _ in listed] == [(path.stem, path.stem) for path in _syncs()]
    for path, (_, _, told) in zip(_syncs(), listed, strict=True):
        (model,) = re.findall(r"^model: (.+)$", path.read_text(), re.M)
        assert told == ("the object's name" if "{{" in model else f"`{model}`")


def _syncs() -> list[Path]:
    return sorted((ROOT / "syncs").glob("*.yaml"), key=lambda path: path.stem)


def test_every_workflow_that_ships_is_listed_and_no_other() -> None:
    """Mend the tables in docs/workflows.md: a row for each file of workflows/."""
    listed = re.findall(
        r"^\| \[([\w-]+)\]\(\.\./workflows/([\w-]+)\.yaml\) \|", _page("docs/workflows.md"), re.M
    )
    shipped = sorted(path.stem for path in (ROOT / "workflows").glob("*.yaml"))
    assert sorted(name for name, link in listed if name == link) == shipped


def _page(name: str) -> str:
    return (ROOT / name).read_text()
