"""The definitions that docs/language.md shows: together they are one valid project."""

from __future__ import annotations

import re
from pathlib import Path

from runner.definitions.project import Project

PAGE = (Path(__file__).parent.parent / "docs/language.md").read_text()


def shown() -> dict[str, str]:
    """File → what the page shows of it: blocks of YAML whose first line is a comment with the file's name."""
    files: dict[str, str] = {}
    for name, text in re.findall(r"^```yaml\n# (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        files[name] = files.get(name, "") + text
    return files


def test_what_the_page_shows_is_valid(tmp_path: Path) -> None:
    for name, text in shown().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = Project.load(tmp_path)
    assert [f"{one.place}: {one.message} {one.suggestion}" for one in found.problems] == []
    assert found.providers


def test_each_block_names_its_file() -> None:
    assert PAGE.count("```yaml") == len(re.findall(r"^```yaml\n# \S+\.yaml\n", PAGE, re.MULTILINE))
