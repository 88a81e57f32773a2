"""A mistake in an expression is marked where it stands, however the text is written in the file."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from runner.definitions.problems import render_text
from runner.definitions.project import Project

BASE = Path(__file__).parent / "cases/base"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("where: record.total = 5\n", "8:21: error: the expression cannot be read: found `=`, expected the end\n    8 | where: record.total = 5\n      |                     ^ write: =="),
        ("where: 'record.total && record.id'\n", "8:22: error: the expression cannot be read: `&` cannot stand here\n    8 | where: 'record.total && record.id'\n      |                      ^ write: and"),
        ('where: "record.total \\"x\\" "\n', "8:22: error: the expression cannot be read: found `x`, expected the end\n    8 | where: \"record.total \\\"x\\\" \"\n      |                      ^"),
        ("where: >-\n  record.total == 5\n  or record.id ==\n", "10:18: error: the expression cannot be read: it ends too early\n   10 |   or record.id ==\n      |                  ^"),
        ("where: |\n  record.total\n\n    in [1, 2\n  # or not\n  and recrod.id\n", "12:3: error: the expression cannot be read: `#` cannot stand here\n   12 |   # or not\n      |   ^"),
        ("where: >\n  record.total in\n    [1, 2]\n  and recrod.id\n", "11:7: error: `recrod` is not known here\n   11 |   and recrod.id\n      |       ^^^^^^ did you mean `record`?"),
        ("where: record.total\n  and\n  recrod.id\n", "10:3: error: `recrod` is not known here\n   10 |   recrod.id\n      |   ^^^^^^ did you mean `record`?"),
        ("where: \"record.total \\\n  and recrod.id\"\n", "9:7: error: `recrod` is not known here\n    9 |   and recrod.id\"\n      |       ^^^^^^ did you mean `record`?"),
        ("where: 'record.id == ''a'' | uper'\n", "8:30: error: there is no filter `uper`\n    8 | where: 'record.id == ''a'' | uper'\n      |                              ^^^^ did you mean `upper`?"),
        ("fields: {id: record.id, total: record.total | nummber, n: record.n}\n", "8:47: error: there is no filter `nummber`\n    8 | fields: {id: record.id, total: record.total | nummber, n: record.n}\n      |                                               ^^^^^^^ did you mean `number`?"),
        ("fields:\n  id: record.id\n  x: record.x is defned and record.defned\n", "10:18: error: there is no test `defned`\n   10 |   x: record.x is defned and record.defned\n      |                  ^^^^^^ did you mean `defined`?"),
        ("where: record.recrod and recrod\n", "8:26: error: `recrod` is not known here\n    8 | where: record.recrod and recrod\n      |                          ^^^^^^ did you mean `record`?"),
        ("where: \"'recrod' == recrod\"\n", "8:21: error: `recrod` is not known here\n    8 | where: \"'recrod' == recrod\"\n      |                     ^^^^^^ did you mean `record`?"),
        ("where: \"\\u00e9 \\x41\"\n", "8:16: error: the expression cannot be read: found `A`, expected the end\n    8 | where: \"\\u00e9 \\x41\"\n      |                ^"),
        ("fetch: {use: list_orders, with: {since: 'a{{ x }} b {% if y %}'}}\n", "8:56: error: the expression cannot be read: `{% if %}` is never closed\n    8 | fetch: {use: list_orders, with: {since: 'a{{ x }} b {% if y %}'}}\n      |                                                        ^^ write: {% endif %}"),
        ("fetch:\n  use: list_orders\n  with:\n    since: >-\n      a {{ config.x }}\n      {%- if params.y -%} b {% endif %} {{ last_rnu }}\n", None),
    ],
)  # fmt: skip
def test_a_mistake_is_marked_where_it_stands(written: str, told: str | None, tmp_path: Path) -> None:
    copytree(BASE, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "syncs/orders.yaml"
    key = written.partition(":")[0]
    kept = [line for line in file.read_text().splitlines(keepends=True) if not line.startswith(f"{key}:")]
    file.write_text("".join(kept) + ("" if len(kept) == 7 else "# \n") + written)
    project = Project.load(tmp_path)
    shown = render_text(project.problems, project.sources)
    if told is None:
        assert [(one.place.line, one.place.column) for one in project.problems] == [
            (12, 19),
            (13, 21),
            (13, 44),
        ]
        return
    assert shown.startswith(f"syncs/orders.yaml:{told}")
