"""Opening the state: made for its owner alone, recognised before it is touched, its faults told in sentences."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import runner.store
from runner.errors import StoreDamaged, StoreError, StoreTooNew, UsageError
from runner.store import SyncKey, open_store
from tests.store.children import line, start


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_files_are_their_owners_alone(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/state/terapi.db") as store:
        store.states.set_setting("a", "b")
        files = [tmp_path / "state" / name for name in ("terapi.db", "terapi.db-wal", "terapi.db-shm")]
        assert [mode(file) for file in files] == [0o600] * 3
        assert mode(tmp_path / "state") == mode(tmp_path / "state/locks") == 0o700


def test_wider_rights_are_taken_away(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/terapi.db"):
        pass
    (tmp_path / "terapi.db").chmod(0o644)
    with open_store(f"sqlite:///{tmp_path}/terapi.db"):
        assert mode(tmp_path / "terapi.db") == 0o600


def test_a_relative_path_stays_where_it_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with open_store("sqlite:///here/terapi.db") as store:
        assert store.folder == tmp_path / "here"


def stored(path: Path) -> bytes:
    with open_store(f"sqlite:///{path}") as store:
        store.records.stream("shop", "demo", "Order").write([(str(n), b"x" * 500) for n in range(200)], 1.0)
    return path.read_bytes()


def truncated(path: Path) -> None:
    path.write_bytes(stored(path)[:60_000])


def overwritten(path: Path) -> None:
    whole = stored(path)
    path.write_bytes(whole[:100] + b"\xff" * 8_000 + whole[8_100:])


def emptied(path: Path) -> None:
    path.write_bytes(b"")
    path.with_name("terapi.db-wal").write_bytes(b"what was written last")


def another_programs(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE songs (title TEXT)")
    other.close()


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda path: path.write_bytes(b"garbage" * 1000), "is damaged: file is not a database"),
        (lambda path: path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000), "is damaged: file is not a database"),
        (truncated, "is damaged: database disk image is malformed"),
        (overwritten, "is damaged: database disk image is malformed"),
        (emptied, "is damaged: it is empty, but terapi.db-wal beside it is not"),
        (another_programs, "is a database, but no state of terapi"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_told_and_left_alone(
    tmp_path: Path, harm: Callable[[Path], object], said: str
) -> None:
    path = tmp_path / "terapi.db"
    harm(path)
    before = path.read_bytes()
    with pytest.raises(StoreDamaged) as caught:
        open_store(f"sqlite:///{path}")
    assert str(path) in caught.value.message
    assert said in caught.value.message
    assert "aside" in str(caught.value.hint)
    assert path.read_bytes() == before


def test_damage_that_shows_later_is_told_as_well(tmp_path: Path) -> None:
    path = tmp_path / "terapi.db"
    whole = stored(path)
    first = whole.index(b"x" * 400) // 8192 * 8192
    path.write_bytes(whole[:first] + b"\xff" * 8192 + whole[first + 8192 :])
    with open_store(f"sqlite:///{path}") as store, pytest.raises(StoreDamaged, match="is damaged"):
        list(store.records.stream("shop", "demo", "Order").all())


def only_begun(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("PRAGMA journal_mode = WAL")
    other.close()


@pytest.mark.parametrize("begin", [Path.touch, only_begun])
def test_what_a_killed_process_had_only_begun_is_made_whole(
    tmp_path: Path, begin: Callable[[Path], None]
) -> None:
    begin(tmp_path / "terapi.db")
    with open_store(f"sqlite:///{tmp_path}/terapi.db") as store:
        assert store.states.ensure_setting("a", "b") == "b"


def test_a_later_version_is_not_touched(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/terapi.db"
    with open_store(url) as store:
        store.database.run("PRAGMA user_version = 999")
    with pytest.raises(StoreTooNew, match=r"is of a later terapi \(version 999, ours \d+\)"):
        open_store(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "postgresql://me:secret@host/x",
            "TERAPI_STORE: `postgresql` is not a kind of store that this version has",
        ),
        ("mysql:///x", "TERAPI_STORE: `mysql` is not a kind of store that this version has"),
        ("sqlite:relative", "TERAPI_STORE: `sqlite:relative` is no URL of a store"),
        ("nonsense", "TERAPI_STORE: `nonsense` is no URL of a store"),
        ("sqlite:///", "TERAPI_STORE: `sqlite:///` names no file"),
        ("sqlite:///:memory:", "TERAPI_STORE: `sqlite:///:memory:` names no file"),
    ],
)
def test_another_kind_of_store_is_refused(url: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_store(url)
    assert caught.value.message == said
    assert "sqlite:///path/to/terapi.db" in str(caught.value.hint)


def test_a_place_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be opened: "):
        open_store(f"sqlite:///{tmp_path}/file/terapi.db")
    with pytest.raises(StoreError, match="cannot be written: unable to open database file"):
        open_store(f"sqlite:///{tmp_path}")


OPENER = """
    import sys
    from runner.store import open_store
    print("ready", flush=True)
    sys.stdin.readline()
    with open_store(sys.argv[1]) as store:
        store.states.set_setting(sys.argv[2], "here")
        print(store.states.ensure_setting("first", sys.argv[2]), flush=True)
"""


def test_processes_that_open_a_new_folder_at_once_agree(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/terapi.db"
    children = [start(OPENER, url, str(n)) for n in range(6)]
    assert [line(child) for child in children] == ["ready"] * 6
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    answers = {child.communicate()[0].strip() for child in children}
    assert len(answers) == 1
    with open_store(url) as store:
        assert [store.states.setting(str(n)) for n in range(6)] == ["here"] * 6


def test_records_of_a_state_without_variants_become_the_bases(tmp_path: Path) -> None:
    path = tmp_path / "terapi.db"
    steps = sorted((Path(runner.store.__file__).parent / "migrations").glob("*.sql"))[:5]
    with closing(sqlite3.connect(path)) as old:
        for step in steps:
            old.executescript(step.read_text())
        old.executescript(
            "INSERT INTO streams (number, integration, connection, model, cursor) VALUES (7, 's', 'd', 'Order', 1);"
            "INSERT INTO records VALUES (1, 7, 'a', x'00', 0, 1, 1.0, 1.0, NULL, NULL, x'01');"
            "INSERT INTO sync_state VALUES ('s', 'd', 'orders', 'Order', '5', 1.0, NULL, 'd', 1.0);"
            "PRAGMA user_version = 5"
        )
    with open_store(f"sqlite:///{path}") as store:
        stream = store.records.stream("s", "d", "Order")
        assert [(one.id, one.cursor) for one in stream.read()] == [("a", 1)]
        stream.write([("b", b"2")], 2.0)
        assert [(one.id, one.cursor) for one in stream.read()] == [("a", 1), ("b", 2)]
        key = SyncKey(integration="s", connection="d", sync="orders", model="Order")
        assert store.states.get(key).checkpoint == 5
