"""`terapi init`: what it makes, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

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


def test_the_state_is_ignored_once(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("# ours\n.terapi/\n")
    Terapi(tmp_path)("init")
    assert (tmp_path / ".gitignore").read_text() == "# ours\n.terapi/\n"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("a file")
    terapi = Terapi(tmp_path)
    terapi("init", "shop", code=2)
    assert "cannot be written: Not a directory" in terapi.err or "File exists" in terapi.err
