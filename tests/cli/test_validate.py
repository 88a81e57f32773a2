"""`terapi validate`: what it says to people, to GitHub and to code scanning, and how it exits."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree

import pytest

from tests.cli.terapi import Terapi

BASE = Path(__file__).parent.parent / "definitions/cases/base"
#: a warning, and a mistake
UNUSED = "lookups: {all: {use: list_orders}}\n"
WRONG = "modle: Order\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terapi:
    """A project in a folder of a repository, where the command runs at the top of it."""
    monkeypatch.chdir(tmp_path)
    return Terapi(Path(copytree(BASE, tmp_path / "integrations")))


def append(project: Terapi, text: str) -> None:
    file = project.folder / "syncs/orders.yaml"
    file.write_text(file.read_text() + text)


def test_a_warning_is_told_and_leaves_the_definitions_valid(project: Terapi) -> None:
    append(project, UNUSED)
    assert project("validate") == (
        "syncs/orders.yaml:8:11: warning: `all` is never used\n"
        "    8 | lookups: {all: {use: list_orders}}\n"
        "      |           ^^^ remove it, or use it\n\n"
        "4 files valid, 1 warning\n"
    )
    assert project.json("validate")["valid"] is True
    project("sync", "orders", code=4)


def test_warnings_wait_until_nothing_is_wrong(project: Terapi) -> None:
    append(project, UNUSED + WRONG)
    assert project("validate", code=3) == (
        "syncs/orders.yaml:9:1: error: unknown key `modle`\n"
        "    9 | modle: Order\n"
        "      | ^^^^^ did you mean `model`?\n"
        "  see: terapi explain sync.model\n\n"
        "1 problem in 1 of 4 files\n"
    )


def test_github_is_told_the_file_as_the_repository_has_it(project: Terapi) -> None:
    assert project("validate", "--format", "github") == ""
    append(project, WRONG)
    assert project("validate", "--format", "github", code=3) == (
        "::error file=integrations/syncs/orders.yaml,line=8,col=1,endColumn=6,title=unknown-key::"
        "unknown key `modle` (did you mean `model`?)\n"
    )


def test_code_scanning_is_told_the_file_as_the_repository_has_it(project: Terapi) -> None:
    append(project, WRONG)
    run = json.loads(project("validate", "--format", "sarif", code=3))["runs"][0]
    where = run["results"][0]["locations"][0]["physicalLocation"]
    assert where == {
        "artifactLocation": {"uri": "integrations/syncs/orders.yaml"},
        "region": {"startLine": 8, "startColumn": 1, "endColumn": 6},
    }


@pytest.mark.parametrize(
    ("path", "code", "said"),
    [
        ("syncs", 3, "1 problem in 1 of 1 file\n"),
        ("syncs/orders.yaml", 3, "1 problem in 1 of 1 file\n"),
        ("workflows", 0, "1 file valid\n"),
        ("tests", 0, "1 file valid\n"),
        (".", 3, "1 problem in 1 of 4 files\n"),
    ],
)
def test_paths_limit_what_is_shown(project: Terapi, path: str, code: int, said: str) -> None:
    append(project, WRONG)
    assert project("validate", path, code=code).endswith(said)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (
            "syncs/order.yaml",
            "syncs/order.yaml does not exist\n  next: paths are counted from the current folder\n",
        ),
        ("notes.txt", "notes.txt is no definition of the project"),
        ("/", "/ is not in the project"),
    ],
)
def test_a_path_without_definitions_is_told(project: Terapi, path: str, said: str) -> None:
    (project.folder / "notes.txt").write_text("{")
    project("validate", path, code=2)
    assert said in project.err
