"""A connection's params: what fits a sync, and the sentence for each thing that does not."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from runner.calls.access import Access
from runner.definitions.project import Project
from runner.errors import UsageError
from runner.store import Connection
from runner.sync.params import params_of
from tests.conftest import ORDERS

PARAMS = """
params:
  size: {type: integer, default: 50}
  state: {type: string, enum: [open, closed], required: false}
  region: {type: string}
"""
OTHER = """
params: {page_size: {type: integer, default: 10}, depth: {type: number}}
"""


@pytest.fixture
def project(folder: Path) -> Project:
    (folder / "syncs/orders.yaml").write_text(ORDERS + PARAMS)
    (folder / "syncs/other.yaml").write_text(
        ORDERS.replace("sync: orders", "sync: other").replace("Order", "Other") + OTHER
    )
    return Project.load(folder).checked()


def params(project: Project, connection: Connection, given: object) -> dict[str, object]:
    set_ = msgspec.structs.replace(connection, metadata={"plan": "pro", "params": given})
    return params_of(project.sync("orders", "shop"), set_)


def test_what_is_not_set_is_the_default_or_absent(project: Project, connection: Connection) -> None:
    assert params(project, connection, {"region": "eu"}) == {"size": 50, "region": "eu"}
    assert params(project, connection, {"region": "eu", "size": 5, "state": "open"}) == {
        "size": 5,
        "state": "open",
        "region": "eu",
    }


def test_what_another_sync_takes_is_passed_over(project: Project, connection: Connection) -> None:
    assert "depth" not in params(project, connection, {"region": "eu", "depth": 3})


def test_without_metadata_the_defaults_hold(access: Access, connection: Connection) -> None:
    assert params_of(access.project.sync("orders", "shop"), connection) == {}


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        (
            {"region": "eu", "size": "many"},
            "do not fit `orders`: `size` must be integer, found the text 'many'",
            """'params={"region": "eu", "size": 50}'""",
        ),
        (
            {"region": "eu", "size": True},
            "do not fit `orders`: `size` must be integer, found true",
            """'params={"region": "eu", "size": 50}'""",
        ),
        (
            {"region": "eu", "state": "lost"},
            'do not fit `orders`: `state` must be one of "open", "closed", found the text \'lost\'',
            """'params={"region": "eu", "state": "open"}'""",
        ),
        ({"size": 5}, "lack `region`, which `orders` needs", """'params={"size": 5, "region": "…"}'"""),
        (
            {"region": "eu", "page_siz": 5},
            "have `page_siz`, which no sync of shop takes",
            """did you mean `page_size`? terapi connections set demo --metadata 'params={"region": "eu", "page_size": 5}'""",
        ),
        (
            {"region": "eu", "colour": "red"},
            "have `colour`, which no sync of shop takes",
            "its syncs take: depth, page_size, region, size, state; terapi",
        ),
        (["eu"], "must be a map, found a list", "'params={}'"),
    ],
)
def test_what_does_not_fit_is_told_with_the_way_to_set_it(
    project: Project, connection: Connection, given: object, message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        params(project, connection, given)
    assert caught.value.message == f"the params of the connection `demo` {message}"
    assert hint in str(caught.value.hint)
    assert "terapi connections set demo --metadata" in str(caught.value.hint)
