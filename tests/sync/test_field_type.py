"""`field_type`: the type of the fields that name none."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.calls.access import Access
from runner.definitions.project import Project
from runner.errors import RecordError
from runner.store import Connection
from tests.api import Api, Reply
from tests.conftest import ORDERS
from tests.sync.test_run import stored, sync

AT = "2026-01-01T00:00:00Z"
FIELDS = (
    "fields: {id: record.id, name: record.name, owner: {fields: {name: record.owner.name}}, city: record.owner.city,"
    " lines: {foreach: record.lines, fields: {sku: item.sku}}, at: {from: record.at, type: timestamp}}"
)


@pytest.fixture
def typed(access: Access, folder: Path) -> Access:
    written = ORDERS.replace(ORDERS[ORDERS.index("fields:") : ORDERS.index("deletes:")], f"{FIELDS}\n")
    (folder / "syncs/orders.yaml").write_text(f"{written}field_type: text\n")
    access.project = Project.load(folder).checked()
    return access


def test_every_field_that_names_no_type_becomes_one(typed: Access, connection: Connection, api: Api) -> None:
    row = {"id": 7, "at": AT, "name": 1.5, "owner": {"name": True, "city": ["Bonn"]}, "lines": [{"sku": 12}]}
    api.on("/orders", Reply({"orders": [row, {"id": "8", "at": AT, "name": None, "owner": None}]}))
    sync(typed, connection)
    assert stored(typed) == {
        "7": {
            "id": "7", "name": "1.5", "owner": {"name": "true"}, "city": '["Bonn"]', "lines": [{"sku": "12"}],
            "at": "2026-01-01T00:00:00.000Z",
        },
        "8": {"id": "8", "name": None, "owner": {"name": None}, "city": None, "at": "2026-01-01T00:00:00.000Z"},
    }  # fmt: skip


def test_what_does_not_convert_is_named(
    typed: Access, connection: Connection, api: Api, folder: Path
) -> None:
    path = folder / "syncs/orders.yaml"
    path.write_text(path.read_text().replace("field_type: text", "field_type: number"))
    typed.project = Project.load(folder).checked()
    api.on("/orders", Reply({"orders": [{"id": "1", "at": AT, "name": "much"}]}))
    with pytest.raises(RecordError) as caught:
        sync(typed, connection)
    assert caught.value.message == "record 1 of page 1 (`1`): `name`: the text 'much' is no number"
