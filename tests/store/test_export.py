"""Rows written out: what is read back is what was there, whatever the values."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from runner.errors import StoreError
from runner.store import Store
from runner.store.duck import write_duckdb
from runner.store.export import OWN, Row, Selection, cell, columns, write

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
NAMES = st.sampled_from(["id", "name", "Ünïcode", "a,b", 'quo"te', "line\nbreak", ""])
ROWS = st.lists(st.dictionaries(NAMES, VALUES, max_size=4), max_size=12)


def written(form: str, rows: list[Row]) -> bytes:
    """The rows, three a page."""

    def pages() -> Iterator[list[Row]]:
        for start in range(0, len(rows), 3):
            yield rows[start : start + 3]

    out = io.BytesIO()
    assert write(form, pages, out, ("_last",)) == len(rows)
    assert not out.closed
    return out.getvalue()


@given(ROWS)
def test_json_gives_back_what_was_there(rows: list[Row]) -> None:
    assert json.loads(written("json", rows)) == rows
    assert [json.loads(line) for line in written("ndjson", rows).splitlines()] == rows


@given(ROWS)
@example([{"note": "a carriage\rreturn"}])
def test_csv_gives_back_each_cell(rows: list[Row]) -> None:
    head, *lines = csv.reader(io.StringIO(written("csv", rows).decode(), newline=""))
    assert set(head) == {name for row in rows for name in row} | {"_last"}
    assert head[-1] == "_last"
    assert lines == [[cell(row.get(name)) for name in head] for row in rows]


@given(ROWS)
def test_parquet_gives_back_each_value(rows: list[Row]) -> None:
    table = parquet.read_table(io.BytesIO(written("parquet", rows)))
    assert table.num_rows == len(rows)
    for name in table.column_names:
        for before, after in zip([row.get(name) for row in rows], table[name].to_pylist(), strict=True):
            if str(table.schema.field(name).type) == "string" and isinstance(after, str) and before != after:
                after = json.loads(after)
            assert after == (
                float(before) if isinstance(after, float) and isinstance(before, int) else before
            )


@pytest.mark.parametrize(
    ("values", "kind", "found"),
    [
        ([1, 2, None], "int64", [1, 2, None]),
        ([1, 2.5], "double", [1.0, 2.5]),
        ([True, None], "bool", [True, None]),
        (["a", None], "string", ["a", None]),
        ([None], "string", [None]),
        ([True, 1], "string", ["true", "1"]),
        (["a", 1], "string", ['"a"', "1"]),
        ([{"a": [1]}, None], "string", ['{"a":[1]}', None]),
        ([2**63, 1], "string", ["9223372036854775808", "1"]),
    ],
)
def test_a_column_of_parquet_has_the_type_of_its_values(
    values: list[object], kind: str, found: list[object]
) -> None:
    table = parquet.read_table(io.BytesIO(written("parquet", [{"x": value} for value in values])))
    assert (str(table.schema.field("x").type), table["x"].to_pylist()) == (kind, found)


def duck(
    folder: Path, rows: list[Row], declared: dict[str, str | None] | None = None
) -> dict[str, list[object]]:
    """The rows as a table `Order` holds them afterwards: the type of each column, then its values."""

    def pages() -> Iterator[list[Row]]:
        for start in range(0, len(rows), 3):
            yield rows[start : start + 3]

    file = folder / "out.duckdb"
    assert write_duckdb(pages, ("_last",), file, "Order", declared or {}) == len(rows)
    with closing(duckdb.connect(file, read_only=True)) as database:
        types = database.execute('DESCRIBE "Order"').fetchall()
        values = database.execute('SELECT CAST(COLUMNS(*) AS VARCHAR) FROM "Order"').fetchall()
    return {name: [kind, *(row[n] for row in values)] for n, (name, kind, *_) in enumerate(types)}


@settings(max_examples=40)
@given(ROWS)
def test_duckdb_gives_back_each_value(rows: list[Row]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = duck(Path(folder), rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    assert list(found) == [name or "_" for name in names] + ["_last"]
    for name in names:
        kind, *after = found[name or "_"]
        for before, text in zip([row.get(name) for row in rows], after, strict=True):
            if before is None:
                assert text is None
            elif kind == "VARCHAR":
                assert text == before
            else:
                assert json.loads(str(text)) == before


@pytest.mark.parametrize(
    ("values", "declared", "kind", "found"),
    [
        ([1, 2], None, "BIGINT", ["1", "2"]),
        ([1, 2], "number", "DOUBLE", ["1.0", "2.0"]),
        ([None], "number", "DOUBLE", [None]),
        ([None], None, "VARCHAR", [None]),
        (
            ["2026-01-02T03:04:05.678Z", None],
            "timestamp",
            "TIMESTAMP WITH TIME ZONE",
            ["2026-01-02 03:04:05.678", None],
        ),
        (["2026-01-02T03:04:05.678Z"], None, "VARCHAR", ["2026-01-02T03:04:05.678Z"]),
        (
            ["2026-01-02T03:04:05.678Z", "soon", 7],
            "timestamp",
            "JSON",
            ['"2026-01-02T03:04:05.678Z"', '"soon"', "7"],
        ),
        (["2026-01-02T03:04:05.678Z", "soon"], "timestamp", "VARCHAR", ["2026-01-02T03:04:05.678Z", "soon"]),
        ([{"a": [1]}, None], "json", "JSON", ['{"a":[1]}', None]),
        ([True, None], "boolean", "BOOLEAN", ["true", None]),
    ],
)
def test_a_column_of_duckdb_is_what_it_is_meant_to_be_where_its_values_are(
    tmp_path: Path, values: list[object], declared: str | None, kind: str, found: list[str | None]
) -> None:
    table = duck(tmp_path, [{"x": value} for value in values], {"x": declared, "never": "integer"})
    assert list(table) == ["x", "never", "_last"]
    assert table["never"][0] == "BIGINT"
    assert table["x"][0] == kind
    assert [None if v is None else str(v).removesuffix("+00") for v in table["x"][1:]] == found


def test_names_that_duckdb_cannot_tell_apart_get_names_of_their_own(tmp_path: Path) -> None:
    found = duck(tmp_path, [{"id": "1", "ID": "2", "Id_": "3", "": "4"}])
    assert list(found) == ["id", "ID_", "Id__", "_", "_last"]


def test_a_second_export_replaces_the_table_and_leaves_the_others(tmp_path: Path) -> None:
    duck(tmp_path, [{"x": 1}, {"x": 2}])
    with closing(duckdb.connect(tmp_path / "out.duckdb")) as database:
        database.execute("CREATE TABLE mine AS SELECT 7 AS n")
    assert duck(tmp_path, [{"y": "new"}])["y"] == ["VARCHAR", "new"]
    with closing(duckdb.connect(tmp_path / "out.duckdb")) as database:
        assert database.execute("SELECT n FROM mine").fetchall() == [(7,)]


def test_an_export_that_fails_leaves_the_table_as_it_was(tmp_path: Path) -> None:
    duck(tmp_path, [{"x": 1}])
    turns = iter([1, 2])

    def pages() -> Iterator[list[Row]]:
        yield [{"x": n} for n in range(50_000)]
        if next(turns) == 2:
            raise StoreError("gone")

    with pytest.raises(StoreError, match="gone"):
        write_duckdb(pages, (), tmp_path / "out.duckdb", "Order", {})
    with closing(duckdb.connect(tmp_path / "out.duckdb")) as database:
        assert database.execute('SELECT x FROM "Order"').fetchall() == [(1,)]


def test_many_rows_of_parquet_are_cut_into_groups() -> None:
    def pages() -> Iterator[list[Row]]:
        for start in range(0, 120_000, 5_000):
            yield [{"id": n} for n in range(start, start + 5_000)]

    out = io.BytesIO()
    write("parquet", pages, out)
    found = parquet.ParquetFile(out)
    assert (found.metadata.num_rows, found.metadata.num_row_groups) == (120_000, 3)


def fill(store: Store, count: int) -> None:
    rows = [(str(n), json.dumps({"id": str(n), "n": n}).encode()) for n in range(count)]
    stream = store.records.stream("shop", "demo", "Order")
    stream.write(rows, 1.0)
    stream.delete(["1"], 2.0)


def test_records_are_chosen_in_pages(store: Store) -> None:
    fill(store, 12_000)
    stream = store.records.stream("shop", "demo", "Order")
    selection = Selection(stream)
    assert [len(page) for page in selection.pages()] == [5_000, 5_000, 2_000]
    assert (selection.last, selection.more(), selection.count()) == (12_001, False, 12_000)
    few = Selection(stream, after=2, limit=3)
    assert list(few.pages()) == [
        [{"id": str(n), "n": n, "_state": "added", "_cursor": n + 1} for n in (2, 3, 4)]
    ]
    assert (few.last, few.more(), few.count()) == (5, True, 3)
    gone = Selection(stream, states=["deleted"])
    assert list(gone.pages()) == [[{"id": "1", "n": 1, "_state": "deleted", "_cursor": 12_001}]]
    assert gone.count() == 1
    assert columns(gone.pages, OWN) == ["id", "n", "_state", "_cursor"]


def test_of_a_record_whose_payload_is_pruned_the_key_is_left(store: Store) -> None:
    fill(store, 1)
    store.database.run("UPDATE records SET payload = x'', pruned_at = 3")
    (page,) = Selection(store.records.stream("shop", "demo", "Order")).pages()
    assert page == [{"id": "0", "_state": "added", "_cursor": 1}]


def test_a_snapshot_stays_as_it_was(store: Store) -> None:
    fill(store, 3)
    with store.snapshot() as still:
        fill(store, 5)
        store.connections.find("anybody")
        stream = still.records.stream("shop", "demo", "Order")
        assert [record.id for record in stream.read()] == ["0", "2", "1"]
        with pytest.raises(StoreError, match="cannot be written"):
            still.states.set_setting("a", "1")
    assert len(store.records.stream("shop", "demo", "Order").read()) == 5
