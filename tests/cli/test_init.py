"""`terapi init`: what it makes, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

from runner.definitions.resources import shipped
from tests.cli.terapi import Terapi


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_of_ones_own_files_keeps_them(tmp_path: Path) -> None:
    (tmp_path / "syncs").mkdir()
    (tmp_path / "syncs" / "contacts.yaml").write_text("mine")
    (tmp_path / ".gitignore").write_text("node_modules")
    before = files(tmp_path)
    said = Terapi(tmp_path)("init")
    made = files(tmp_path) - before
    assert (tmp_path / "syncs" / "contacts.yaml").read_text() == "mine"
    assert (tmp_path / ".gitignore").read_text() == "node_modules\n.terapi/\n"
    assert said.startswith(f"made {tmp_path} with {len(made) + 1} files\n")
    assert "cd " not in said


def syncs(folder: Path) -> list[str]:
    return sorted(path.stem for path in (folder / "syncs").iterdir())


def test_a_project_begins_with_the_syncs_that_are_named(tmp_path: Path) -> None:
    terapi = Terapi(tmp_path)
    terapi("init", "one")
    assert syncs(tmp_path / "one") == ["accounts", "contacts", "opportunities"]
    terapi("init", "two", "--sync", "leads", "--sync", "leads")
    assert syncs(tmp_path / "two") == ["leads"]
    terapi("init", "three", "--sync", "all")
    assert syncs(tmp_path / "three") == shipped("syncs")
    terapi("-C", str(tmp_path / "three"), "validate")


def test_a_project_takes_in_further_syncs_and_keeps_its_own(tmp_path: Path) -> None:
    terapi = Terapi(tmp_path)
    terapi("init", "--sync", "contacts")
    (tmp_path / "providers.yaml").write_text("mine")
    (tmp_path / "syncs/contacts.yaml").write_text("mine")
    said = terapi("init", "--sync", "contacts", "--sync", "leads")
    assert said.startswith(f"added 2 files to {tmp_path}\n")
    assert syncs(tmp_path) == ["contacts", "leads"]
    assert (
        (tmp_path / "providers.yaml").read_text() == (tmp_path / "syncs/contacts.yaml").read_text() == "mine"
    )


def test_definitions_come_with_their_tests_and_what_they_call(tmp_path: Path) -> None:
    terapi = Terapi(tmp_path)
    terapi("init", "--sync", "leads", "--workflow", "merge-duplicate-contacts")
    assert sorted(path.stem for path in (tmp_path / "workflows").iterdir()) == [
        "merge-duplicate-contacts", "move-records",
    ]  # fmt: skip
    assert terapi("test").endswith("\n3 passed\n")
    first = (tmp_path / "tests/leads.test.yaml").read_text().partition("\n")[0]
    assert first == "# yaml-language-server: $schema=../schemas/test.schema.json"
    terapi("init", "--workflow", "all")
    assert terapi("validate").endswith(" valid\n")
    assert terapi("test").endswith(" passed\n")


def test_a_sync_that_does_not_ship_is_told(tmp_path: Path) -> None:
    terapi = Terapi(tmp_path)
    terapi("init", "--sync", "leds", code=2)
    assert "error: no sync `leds` ships with terapi\n  next: did you mean `leads`?" in terapi.err
    assert list(tmp_path.iterdir()) == []
    terapi("init", "--sync", "xyz", code=2)
    assert "next: there are: accounts, campaign-members," in terapi.err


def test_the_state_is_ignored_once(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("# ours\n.terapi/\n")
    Terapi(tmp_path)("init")
    assert (tmp_path / ".gitignore").read_text() == "# ours\n.terapi/\n"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("a file")
    terapi = Terapi(tmp_path)
    terapi("init", "shop", code=2)
    assert "cannot be written: Not a directory" in terapi.err or "File exists" in terapi.err


def test_every_test_that_ships_passes_in_a_project_of_its_own(tmp_path: Path) -> None:
    terapi = Terapi(tmp_path)
    terapi("init", "--sync", "all", "--workflow", "all")
    said = terapi("test")
    assert said.splitlines()[-1] == f"{len(shipped('syncs')) + len(shipped('workflows'))} passed"


def test_a_name_that_ships_is_told_where_it_is_not_there(tmp_path: Path) -> None:
    terapi = Terapi(tmp_path)
    terapi("init")
    terapi("run", "convert-lead", code=2)
    assert terapi.err == (
        "error: there is no workflow `convert-lead`\n"
        "  next: one ships with terapi: terapi init --workflow convert-lead\n"
    )
