"""Fields taken by the function that is written for them: the same as by getters, one by one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.definitions.project import Project
from runner.errors import RecordError
from runner.sync.mapping import Mapper
from tests.conftest import ORDERS, PROVIDERS

FIELDS = {
    "keys": "id: record.id\n  at: record.at",
    "paths": "id: record.id\n  city: record.address.city\n  deep: record.a.b.c",
    "types": "when: {from: record.at, type: timestamp}\n  id: record.id\n  total: {from: record.total, type: number}",
    "maps": "id: record.id\n  place: {fields: {city: record.city, inner: {fields: {at: {from: record.at, type: timestamp}}}}}",
    "odd names": "id: record.id\n  \"it's\": record[\"it's\"]\n  '{x}\\\\': record['{y}\\\\n']",
    "computed": "id: record.id\n  shout: record.name.upper()\n  at: record.at",
    "constants": "id: record.id\n  kind: {value: order}",
}
LEAVES = st.none() | st.text(max_size=3) | st.sampled_from(["2026-07-24T14:05:58.000+0000", "12.5", 7, True])
KEYS = st.sampled_from(["id", "at", "address", "city", "a", "b", "c", "total", "it's", "{y}\\n", "name"])
RECORDS = (
    st.dictionaries(
        KEYS,
        st.recursive(
            LEAVES, lambda inner: st.dictionaries(KEYS, inner, max_size=3) | st.lists(inner, max_size=2)
        ),
        max_size=8,
    )
    | LEAVES
)


@pytest.fixture(scope="module", params=[name for name in FIELDS if name not in ("computed", "constants")])
def mapper(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Mapper:
    return mapper_of(tmp_path_factory.mktemp("project"), FIELDS[request.param])


def mapper_of(folder: Path, fields: str) -> Mapper:
    (folder / "syncs").mkdir(parents=True)
    (folder / "providers.yaml").write_text(PROVIDERS)
    text = ORDERS.partition("fields:")[0] + f"fields:\n  {fields}\n"
    (folder / "syncs/orders.yaml").write_text(text)
    return Mapper(Project.load(folder).checked().sync("orders"), {})


@given(RECORDS)
def test_whatever_the_record_the_row_is_the_same(mapper: Mapper, record: object) -> None:
    assert outcome(mapper, record) == outcome(slowly(mapper), record)


def slowly(mapper: Mapper) -> Mapper:
    slow = Mapper.__new__(Mapper)
    slow.__dict__.update(mapper.__dict__, _straight=mapper._mapped)
    return slow


def outcome(mapper: Mapper, record: object) -> object:
    try:
        return mapper.row(record)
    except RecordError as exc:
        return exc.message, str(exc.where)


def test_plain_keys_come_first(tmp_path: Path) -> None:
    mapper = mapper_of(tmp_path, FIELDS["types"])
    record = {"id": "1", "at": "2026-07-24T14:05:58.000+0000", "total": "12.5"}
    assert mapper.row(record) == ("1", b'{"id":"1","when":"2026-07-24T14:05:58.000Z","total":12.5}')


@pytest.mark.parametrize("fields", ["computed", "constants"])
def test_fields_that_are_more_than_paths_are_computed(tmp_path: Path, fields: str) -> None:
    mapper = mapper_of(tmp_path, FIELDS[fields])
    assert mapper.row({"id": "1", "name": "ada", "at": "now"})[0] == "1"
    assert mapper._straight == mapper._mapped
