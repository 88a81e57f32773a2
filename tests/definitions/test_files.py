"""Files that are no definitions, and projects of odd shapes: each is told in a sentence, beside all others."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.definitions.problems import render_github, render_json, render_sarif, render_text
from runner.definitions.project import Project

CASES = Path(__file__).parent / "cases"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return Path(copytree(CASES / "base", tmp_path / "project"))


def told(root: Path) -> str:
    project = Project.load(root)
    return render_text(project.problems, project.sources)


def linked(path: Path, to: str) -> None:
    path.symlink_to(to)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda path: path.mkdir(), "syncs/x.yaml:1:1: error: the file cannot be read: it is a folder\n    1 |\n      | ^ mend or remove it"),
        (lambda path: linked(path, "nowhere"), "syncs/x.yaml:1:1: error: the file cannot be read: it is a link to nothing\n    1 |\n      | ^ mend or remove it"),
        (lambda path: linked(path, "x.yaml"), "syncs/x.yaml:1:1: error: the file cannot be read: it is a link to nothing\n    1 |\n      | ^ mend or remove it"),
        (lambda path: os.mkfifo(path), "syncs/x.yaml:1:1: error: the file cannot be read: it is no ordinary file\n    1 |\n      | ^ mend or remove it"),
        (lambda path: path.write_bytes(b"a: b\n" * 10_500_000), "syncs/x.yaml:1:1: error: the file is larger than 1 MiB\n    1 | a: b\n      | ^ split it"),
        (lambda path: path.write_bytes(b""), "syncs/x.yaml:1:1: error: the file is empty\n    1 |\n      | ^"),
        (lambda path: path.write_bytes("version: 1\n".encode("utf-16")), "syncs/x.yaml:1:1: error: the file is UTF-16, not UTF-8\n    1 | ��v�e�r�s�i�o�n�:� �1�\n      | ^ save it as UTF-8"),
        (lambda path: path.write_bytes(b"version: 1\nsync: \xe9t\xe9\n"), "syncs/x.yaml:2:7: error: the file is not UTF-8: byte 0xe9 at offset 17\n    2 | sync: �t�\n      |       ^ save it as UTF-8"),
        (lambda path: path.write_text("sync: a\0b\n"), "syncs/x.yaml:1:8: error: the control character U+0000 cannot stand in YAML\n    1 | sync: a�b\n      |        ^ remove it"),
        (lambda path: path.write_text("- sync: a\n"), "syncs/x.yaml:1:1: error: the file must be a map, found a list\n    1 | - sync: a\n      | ^\n  see: terapi explain sync"),
        (lambda path: path.write_text("orders\n"), "syncs/x.yaml:1:1: error: the file must be a map, found the text 'orders'\n    1 | orders\n      | ^^^^^^\n  see: terapi explain sync"),
        (lambda path: path.write_text("version: 1\n---\nversion: 1\n"), "syncs/x.yaml:2:1: error: a second document begins here; a definition is one document\n    2 | ---\n      | ^^^ remove the `---`"),
        (lambda path: path.write_text("sync: !!python/object/apply:os.system [ls]\n"), "syncs/x.yaml:1:7: error: the tag `!!python/object/apply:os.system` is not allowed; definitions are plain data\n    1 | sync: !!python/object/apply:os.system [ls]\n      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ remove the tag"),
        (lambda path: path.write_text("[" * 5000), "syncs/x.yaml:1:62: error: nested more than 60 levels deep\n    1 | …" + "[" * 110 + "…\n      |" + " " * 32 + "^"),
        (lambda path: path.write_text("a:\n" + "".join(f"{' ' * n}- \n" for n in range(1, 5000))[: 1 << 19]), "syncs/x.yaml:62:62: error: nested more than 60 levels deep\n   62 |" + " " * 62 + "-\n      |" + " " * 62 + "^"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_definition(base: Path, make: Callable[[Path], object], expected: str) -> None:
    make(base / "syncs/x.yaml")
    assert told(base) == expected


@pytest.mark.skipif(
    not Path("/proc/self/mem").exists(), reason="only Linux has a file that opens and cannot be read"
)
def test_a_file_that_cannot_be_read(base: Path) -> None:
    (base / "syncs/x.yaml").symlink_to("/proc/self/mem")
    assert told(base) == (
        "syncs/x.yaml:1:1: error: the file cannot be read: Input/output error\n    1 |\n      | ^ mend or remove it"
    )


@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line_break", [b"\n", b"\r\n", b"\r"])
def test_marks_and_line_breaks_of_every_system_are_read(base: Path, begin: bytes, line_break: bytes) -> None:
    file = base / "syncs/orders.yaml"
    text = file.read_bytes()
    file.write_bytes(begin + text.replace(b"\n", line_break))
    assert told(base) == ""
    file.write_bytes(begin + text.replace(b"model:", b"modle:").replace(b"\n", line_break))
    assert told(base) == (
        "syncs/orders.yaml:4:1: error: unknown key `modle`\n"
        "    4 | modle: Order\n"
        "      | ^^^^^ did you mean `model`?\n"
        "  see: terapi explain sync.model"
    )


def test_what_stands_in_a_broken_providers_file_is_not_blamed_on_syncs(base: Path) -> None:
    (base / "providers.yaml").write_text("shop: {auth_mode: NONE\n")
    assert [problem.place.file for problem in Project.load(base).problems] == ["providers.yaml"]


def test_a_project_may_have_no_syncs_and_no_workflows(base: Path) -> None:
    for path in (*base.glob("*/*"), base / "syncs", base / "workflows"):
        path.rmdir() if path.is_dir() else path.unlink()
    project = Project.load(base)
    assert (project.problems, project.syncs, project.workflows) == ((), [], [])


def test_a_provider_may_have_no_operations(tmp_path: Path) -> None:
    entry = "bare: {auth_mode: NONE, base_url: https://bare.example, hosts: [bare.example]}\n"
    (tmp_path / "providers.yaml").write_text(entry)
    assert Project.load(tmp_path).problems == ()


def test_definitions_may_stand_in_folders_and_end_in_yml(base: Path) -> None:
    text = (base / "syncs/orders.yaml").read_text()
    (base / "syncs/old/deep").mkdir(parents=True)
    (base / "syncs/old/deep/returns.yml").write_text(text.replace("sync: orders", "sync: returns"))
    (base / "syncs/.#orders.yaml").symlink_to("editor@host.1234")
    (base / "syncs/notes.txt").write_text("{")
    project = Project.load(base)
    assert (project.problems, project.syncs) == ((), ["orders", "returns"])


def test_a_name_is_given_once(base: Path) -> None:
    (base / "syncs/again.yml").write_text((base / "syncs/orders.yaml").read_text())
    assert told(base) == (
        "syncs/orders.yaml:2:7: error: syncs/again.yml defines the sync `orders` already\n"
        "    2 | sync: orders\n"
        "      |       ^^^^^^ give one of them another name"
    )


def test_two_thousand_syncs_are_read(base: Path) -> None:
    text = (base / "syncs/orders.yaml").read_text()
    for number in range(2000):
        (base / f"syncs/sync-{number}.yaml").write_text(text.replace("sync: orders", f"sync: sync-{number}"))
    project = Project.load(base)
    assert (len(project.syncs), project.problems) == (2001, ())


def test_a_name_of_a_file_cannot_steer_a_terminal(base: Path) -> None:
    (base / "syncs/a\x1b[31m\nb.yaml").write_text("")
    assert told(base).startswith("syncs/a\\x1b[31m\\nb.yaml:1:1: error: the file is empty")


pieces = st.sampled_from(
    ["{", "}", "[", "]", ": ", "\n", "  ", "- ", '"', "'", "{{ ", " }}", "{% if x %}", "null", "5", "*a", "&a ", "<<: *a", "|", "> ", " #", "\t", "record.", " | ", "(", ")", "not ", "~", ".__class__", "!!int ", "---\n"]
)  # fmt: skip


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_done_to_a_definition_is_read_or_told(data: st.DataObject, tmp_path: Path) -> None:
    root = tmp_path / "valid"
    if not root.exists():
        copytree(CASES / "valid", root)
    path = root / data.draw(st.sampled_from(["providers.yaml", "syncs/invoices.yaml", "workflows/bill.yaml"]))
    before = path.read_text()
    start = data.draw(st.integers(0, len(before)))
    gone = data.draw(st.integers(0, 20))
    path.write_text(before[:start] + data.draw(pieces | st.text(max_size=3)) + before[start + gone :])
    try:
        project = Project.load(root)
    finally:
        path.write_text(before)
    for problem in project.problems:
        assert problem.place.line >= 1
        assert problem.place.column >= 1
    for render in (
        render_github,
        lambda found: render_json(found, 1),
        lambda found: render_sarif(found, "1"),
    ):
        assert render(project.problems).isprintable() or "\n" in render(project.problems)
    render_text(project.problems, project.sources)
