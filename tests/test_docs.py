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
    ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/language.md", "docs/cli.md", "docs/server.md"],
)
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text()):
        assert target.startswith("http") or ((ROOT / page).parent / target).exists(), target
