"""`terapi records` and `terapi sql`: what was synced, on the screen and in files."""

from __future__ import annotations

import csv
import json
import resource
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from pyarrow import parquet

from runner.store import open_store
from tests.cli.terapi import Terapi


@pytest.fixture
def filled(terapi: Terapi) -> Terapi:
    """120 orders: one updated, one deleted, a few odd ones."""
    with open_store(f"sqlite:///{terapi.folder}/.terapi/terapi.db") as store:
        stream = store.records.stream("shop", "demo", "Order")
        rows = [{"id": f"{n:03}", "name": f"order {n}", "total": n} for n in range(1, 118)]
        rows.append({"id": "118", "name": "two\nlines, \x1b[31mred", "tags": ["a", "b"]})
        rows.append({"id": "119", "name": None, "late": True})
        rows.append({"id": "120", "name": "gone"})
        stream.write([(str(row["id"]), json.dumps(row).encode()) for row in rows], 1.0)
        stream.write([("001", json.dumps({**rows[0], "total": 2.5}).encode())], 2.0)
        stream.delete(["120"], 3.0)
    return terapi


def rows(text: str) -> list[dict[str, object]]:
    found = json.loads(text)
    assert isinstance(found, list)
    return found


def test_the_first_hundred_are_shown_and_the_rest_is_told(filled: Terapi) -> None:
    assert len(rows(filled("records", "Order", "--json"))) == 100
    assert filled.err == "these are the first 100; --all gives all, --cursor 101 what follows\n"
    assert [row["id"] for row in rows(filled("records", "Order", "--json", "--cursor", "118"))] == [
        "119",
        "001",
        "120",
    ]
    assert filled.err == ""
    assert len(rows(filled("records", "Order", "--json", "--all"))) == 120
    assert len(rows(filled("records", "Order", "--json", "--limit", "5"))) == 5
    assert filled.err == ""
    filled("records", "Order", "--limit", "5", "--all", code=2)
    assert "--limit and --all do not go together" in filled.err


def test_records_are_chosen_by_their_state(filled: Terapi) -> None:
    def ids(*filters: str) -> list[object]:
        return [row["id"] for row in rows(filled("records", "Order", "--json", "--all", *filters))]

    assert ids("--filter", "deleted") == ["120"]
    assert (
        ids("--filter", "updated", "--filter", "deleted")
        == ids("--filter", "Updated,deleted")
        == ["001", "120"]
    )
    assert len(ids("--filter", "added,updated")) == 119
    filled("records", "Order", "--filter", "adedd", code=2)
    assert "--filter takes added, updated, deleted, found 'adedd'" in filled.err


def test_a_table_lines_up_and_steers_no_terminal(filled: Terapi) -> None:
    told = filled("records", "Order", "--cursor", "117").splitlines()
    assert told == [
        "id   name                     tags       late  total  _state   _cursor",
        r'118  two\nlines, \x1b[31mred  ["a","b"]               added    118',
        "119                                      true         added    119",
        "001  order 1                                   2.5    updated  121",
        "120  gone                                             deleted  122",
    ]
    assert filled("records", "Order", "--cursor", "122") == "no rows\n"


@pytest.mark.parametrize("form", ["json", "ndjson", "csv", "parquet"])
def test_a_file_holds_all_of_them_in_the_form_that_its_name_says(
    filled: Terapi, tmp_path: Path, form: str
) -> None:
    file = tmp_path / f"orders.{form}"
    assert filled("records", "Order", "-o", str(file)) == ""
    assert filled.err == f"{file}: 120 rows\n"
    assert [path.name for path in tmp_path.glob("*orders*")] == [file.name]
    found = read(file)
    assert [row["id"] for row in found] == [f"{n:03}" for n in [*range(2, 120), 1, 120]]
    assert [str(row["_state"]) for row in found][-2:] == ["updated", "deleted"]


def read(file: Path) -> list[dict[str, object]]:
    match file.suffix:
        case ".json":
            return rows(file.read_text())
        case ".ndjson":
            return [json.loads(line) for line in file.read_text().splitlines()]
        case ".csv":
            return list(csv.DictReader(file.open(newline="")))
        case _:
            return parquet.read_table(file).to_pylist()


def test_of_several_variants_one_is_named(filled: Terapi) -> None:
    with open_store(f"sqlite:///{filled.folder}/.terapi/terapi.db") as store:
        store.records.stream("shop", "demo", "Order", "eu").write([("1", b'{"id":"1"}')], 1.0)
        store.records.stream("shop", "demo", "Note", "eu").write([("2", b'{"id":"2"}')], 1.0)
    assert [row["id"] for row in rows(filled("records", "Order", "--variant", "eu", "--json"))] == ["1"]
    assert len(rows(filled("records", "Order", "--variant", "base", "--all", "--json"))) == 120
    assert [row["id"] for row in rows(filled("records", "Note", "--json"))] == ["2"]
    filled("records", "Order", code=2)
    assert filled.err == "error: Order has several variants\n  next: name one with --variant: base, eu\n"
    filled("records", "Order", "--variant", "eo", code=2)
    assert filled.err == (
        "error: nothing is stored of a variant `eo` of Order\n  next: there are: base, eu\n"
    )


def test_a_duckdb_database_has_a_table_of_the_models_name(filled: Terapi, tmp_path: Path) -> None:
    file = tmp_path / "shop.duckdb"
    for count in (120, 120):
        assert filled("records", "Order", "-o", str(file)) == ""
        assert filled.err == f"{file}: {count} rows\n"
    filled("sql", 'SELECT count(*) AS n FROM "Order"', "-o", str(file))
    with closing(duckdb.connect(file, read_only=True)) as database:
        columns = dict(row[:2] for row in database.execute('DESCRIBE "Order"').fetchall())
        assert columns["total"] == "DOUBLE"  # as the sync says
        assert (columns["tags"], columns["late"], columns["_cursor"]) == ("JSON", "BOOLEAN", "BIGINT")
        assert database.execute('SELECT count(*), sum(total) FROM "Order"').fetchone() == (120, 6904.5)
        assert database.execute("SELECT n FROM query").fetchall() == [(120,)]


def test_what_is_no_duckdb_database_is_left_alone(filled: Terapi, tmp_path: Path) -> None:
    file = tmp_path / "notes.duckdb"
    file.write_text("my notes, of which nobody has a copy " * 200)
    filled("records", "Order", "-o", str(file), code=2)
    assert filled.err.startswith(f"error: {file} cannot be written as a DuckDB database: ")
    assert file.read_text().startswith("my notes")
    filled("records", "Order", "--format", "duckdb", code=2)
    assert "DuckDB is written into a file\n  next: name it with -o FILE.duckdb" in filled.err
    filled("records", "Order", "-o", str(tmp_path / "nowhere" / "shop.duckdb"), code=2)
    assert "shop.duckdb cannot be written as a DuckDB database" in filled.err


def test_a_duckdb_database_of_definitions_that_are_wrong_is_written_all_the_same(
    filled: Terapi, tmp_path: Path
) -> None:
    (filled.folder / "syncs" / "orders.yaml").write_text("version: 1\n")
    filled("records", "Order", "-o", str(tmp_path / "shop.duckdb"))
    assert filled.err.endswith("120 rows\n")


def test_the_form_that_is_asked_for_goes_before_the_name(filled: Terapi, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    filled("records", "Order", "--format", "ndjson", "-o", str(file))
    assert len(file.read_text().splitlines()) == 120
    filled("records", "Order", "--format", "parquet", code=2)
    assert "Parquet is written into a file\n  next: name it with -o FILE.parquet" in filled.err


def test_what_cannot_be_written_whole_leaves_what_was_there(filled: Terapi, tmp_path: Path) -> None:
    """The process may write no file of more than 64 KB, as on a disk that is full."""
    with open_store(f"sqlite:///{filled.folder}/.terapi/terapi.db") as store:
        payload = json.dumps({"text": "x" * 100_000}).encode()
        store.records.stream("shop", "demo", "Order").write([("big", payload)], 4.0)
    file = tmp_path / "orders.ndjson"
    file.write_text("before")
    command = [
        sys.executable,
        "-m",
        "runner.cli",
        "-C",
        str(filled.folder),
        "records",
        "Order",
        "-o",
        str(file),
    ]
    found = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60,
        env=filled.environ,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536)),
    )
    assert (found.returncode, found.stderr) == (
        2,
        f"error: {file} cannot be written: File too large\n",
    )
    assert file.read_text() == "before"
    assert [path.name for path in tmp_path.glob("*orders*")] == ["orders.ndjson"]
    filled("records", "Order", "-o", str(tmp_path / "nowhere" / "orders.csv"), code=2)
    assert "orders.csv cannot be written: No such file or directory" in filled.err


def test_a_link_keeps_leading_where_it_did(filled: Terapi, tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("before")
    (tmp_path / "real.csv").chmod(0o640)
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    filled("records", "Order", "-o", str(tmp_path / "link.csv"))
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text().startswith("id,name,total,")
    assert (tmp_path / "real.csv").stat().st_mode & 0o777 == 0o640


def test_a_device_is_written_as_it_is(filled: Terapi) -> None:
    assert len(filled("records", "Order", "--format", "ndjson", "-o", "/dev/stdout").splitlines()) == 120


def test_without_pyarrow_it_is_told_how_to_get_it(filled: Terapi, tmp_path: Path) -> None:
    (tmp_path / "shadow").mkdir()
    (tmp_path / "shadow" / "pyarrow.py").write_text("raise ImportError('not here')\n")
    filled.environ["PYTHONPATH"] = str(tmp_path / "shadow")
    filled("records", "Order", "-o", str(tmp_path / "orders.parquet"), code=2)
    assert filled.err == (
        "error: Parquet needs libraries that are not installed\n  next: pip install 'terapi[export]'\n"
    )
    assert not (tmp_path / "orders.parquet").exists()
    (tmp_path / "shadow" / "duckdb.py").write_text("raise ImportError('not here')\n")
    filled("records", "Order", "-o", str(tmp_path / "orders.duckdb"), code=2)
    assert filled.err.startswith("error: DuckDB needs libraries that are not installed\n")
    assert not (tmp_path / "orders.duckdb").exists()


def test_a_reader_that_leaves_ends_it_quietly(filled: Terapi) -> None:
    process = filled.start("records", "Order", "--format", "ndjson", "--all")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert (process.wait(30), process.stderr.read()) == (141, "")


def test_a_query_is_answered_in_every_form(filled: Terapi, tmp_path: Path) -> None:
    query = "SELECT id, total, id FROM \"Order\" WHERE total < 4 OR id = '119' ORDER BY id"
    assert filled("sql", query).splitlines() == [
        "id   total  id_2",
        "001  2.5    001",
        "002  2      002",
        "003  3      003",
        "119         119",
    ]
    assert rows(filled("sql", query, "--json"))[0] == {"id": "001", "total": 2.5, "id_2": "001"}
    assert filled("sql", query, "--format", "csv").splitlines()[:2] == ["id,total,id_2", "001,2.5,001"]
    (tmp_path / "query.sql").write_text(query)
    filled("sql", f"@{tmp_path}/query.sql", "-o", str(tmp_path / "found.parquet"))
    assert parquet.read_table(tmp_path / "found.parquet").num_rows == 4
    assert rows(filled("sql", "@-", "--json", stdin='SELECT count(*) AS n FROM "Order"')) == [{"n": 120}]
    assert rows(filled("sql", "SELECT x'00ff' AS raw", "--json")) == [{"raw": "00ff"}]
    assert filled("sql", 'SELECT id FROM "Order" WHERE 1 = 2', "--format", "csv") == "id\n"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (
            "SELECT * FROM Ordr",
            "the query cannot be answered: no such table: Ordr\n  next: the models are: Order",
        ),
        ("DELETE FROM records", "a query reads, and reads the models alone"),
        ("SELECT sealed FROM connections", "a query reads, and reads the models alone"),
        ("", "the query is empty"),
        ("@nowhere.sql", "nowhere.sql cannot be read: No such file or directory"),
    ],
)
def test_a_query_that_cannot_be_answered_is_told(filled: Terapi, query: str, sentence: str) -> None:
    filled("sql", query, code=2)
    assert sentence in filled.err


def test_records_are_pruned_by_their_age_or_up_to_a_cursor(filled: Terapi) -> None:
    assert filled("records", "prune", "Order", "--until-cursor", "3") == "Order: 2 records pruned\n"
    assert filled("records", "Order", "--limit", "2", "--format", "csv").splitlines() == [
        "id,_state,_cursor",
        "002,added,2",
        "003,added,3",
    ]
    assert filled.json("records", "prune", "Order", "--older-than", "1d") == {"model": "Order", "pruned": 118}
    assert filled("sql", 'SELECT count(*) AS n FROM "Order"', "--format", "csv") == "n\n120\n"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            ["Order"],
            "one of --older-than and --until-cursor says what is pruned\n  next: such as --older-than 90d",
        ),
        (
            ["Order", "--older-than", "1d", "--until-cursor", "7"],
            "one of --older-than and --until-cursor says",
        ),
        (["Order", "--older-than", "old"], "--older-than: the text 'old' is no duration"),
        (
            ["Ordr", "--older-than", "1d"],
            "nothing is stored of a model `Ordr`\n  next: did you mean `Order`?",
        ),
    ],
)
def test_what_is_to_be_pruned_must_be_said(filled: Terapi, given: list[str], sentence: str) -> None:
    filled("records", "prune", *given, code=2)
    assert sentence in filled.err
