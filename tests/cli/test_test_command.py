"""`terapi test` and `terapi record`, as a person uses them; and what docs/testing.md shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.api import Api, Reply
from tests.cli.terapi import Terapi

PAGE = (Path(__file__).parents[2] / "docs/testing.md").read_text()
FILES: dict[str, str] = dict(re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE, re.S))


@pytest.fixture
def shown(tmp_path: Path) -> Terapi:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return Terapi(tmp_path)


def test_what_the_docs_show_passes(shown: Terapi) -> None:
    assert shown("test").split("\n")[:-1] == [
        "passed  tests/cancelled.test.yaml (sync orders)",
        "passed  tests/refund-dry.test.yaml (workflow refund)",
        "passed  tests/refund.test.yaml (workflow refund)",
        "3 passed",
    ]
    assert not (shown.folder / ".terapi").exists()


def test_the_failure_that_the_docs_show_is_what_is_said(shown: Terapi) -> None:
    path = shown.folder / "tests" / "cancelled.test.yaml"
    path.write_text(path.read_text().replace('"7.5"', "9"))
    said = shown("test", str(path), code=1)
    (example,) = re.findall(r"```\n(failed .*?)```", PAGE, re.S)
    assert said.startswith(example)
    assert said.endswith("1 failed\n")
    found = shown.json("test", code=1)
    assert [found[key] for key in ("passed", "failed", "updated")] == [2, 1, 0]
    assert shown("test", "--update").endswith("2 passed, 1 updated\n")
    shown("test")


def test_tests_are_checked_as_the_other_definitions(shown: Terapi) -> None:
    path = shown.folder / "tests" / "refund.test.yaml"
    path.write_text(path.read_text().replace("workflow: refund", "workflow: refnd"))
    assert "did you mean `refund`?" in shown("validate", code=3)
    shown("validate", "syncs")
    shown("test", code=3)


def test_what_is_no_test_is_told(shown: Terapi) -> None:
    shown("test", "syncs", code=2)
    assert "there is no test in" in shown.err
    for path in (shown.folder / "tests").iterdir():
        path.unlink()
    shown("test", code=2)
    assert "terapi record NAME makes one" in shown.err


def test_a_recorded_workflow_passes(connected: Terapi, api: Api) -> None:
    api.on("/orders", lambda seen: Reply({"id": len(api.seen)}, 201))
    said = connected("record", "place-order", "--input", "name=ada", "--input", 'notes=["x"]')
    assert said == "passed  tests/place-order.test.yaml (workflow place-order)\n"
    sent = len(api.seen)
    assert connected("test").endswith("1 passed\n")
    assert len(api.seen) == sent
    text = (connected.folder / "tests" / "place-order.test.yaml").read_text()
    assert "access-token-1" not in text
    assert api.url not in text
    connected("record", "place-order", "--input", "name=ada", code=2)
    assert "is there already" in connected.err
    connected("record", "place-order", "--input", "name=ada", "--force", "--mock", 'order={"id": 9}')
    assert "mock: {order: {id: 9}}" in (connected.folder / "tests" / "place-order.test.yaml").read_text()


def test_a_sync_is_recorded_from_a_checkpoint_on(connected: Terapi, api: Api) -> None:
    api.on("/orders", Reply({"orders": []}))
    connected("record", "orders", "--checkpoint", "2026-01-01T00:00:00Z", "-o", "tests/again.test.yaml")
    assert "since: 2025-12-31T23:59:00.000Z" in (connected.folder / "tests/again.test.yaml").read_text()


def test_a_test_is_recorded_anew_with_what_it_is_given(connected: Terapi, api: Api) -> None:
    api.on("/orders", Reply({"id": 7}, 201))
    file = "tests/place-order.test.yaml"
    connected("record", "place-order", "--input", "name=ada", "--description", "It is placed.")
    workflow = connected.folder / "workflows" / "place-order.yaml"
    workflow.write_text(workflow.read_text().replace("| upper", "| title"))
    assert "next: terapi record" not in connected("test", code=1)
    connected("record", file)
    text = (connected.folder / file).read_text()
    assert "json: {name: Ada}" in text
    assert "description: It is placed." in text
    assert connected("test").endswith("1 passed\n")
    connected("record", file, "--input", "name=eve", code=2)
    assert "says what is given" in connected.err
    connected("record", "tests/other.test.yaml", code=2)
    assert "there is no test tests/other.test.yaml" in connected.err


@pytest.mark.parametrize("file", ["elsewhere.test.yaml", "tests/orders.yaml"])
def test_a_place_that_is_none_for_a_test_is_told_before_anything_is_asked(
    connected: Terapi, api: Api, file: str
) -> None:
    connected("record", "orders", "-o", file, code=2)
    assert "they stand below tests/ and end in .test.yaml" in connected.err
    assert api.seen == []


def test_what_cannot_be_recorded_is_told(connected: Terapi) -> None:
    connected("record", "order", code=2)
    assert "there is no sync or workflow `order`" in connected.err
    assert "did you mean `orders`?" in connected.err
