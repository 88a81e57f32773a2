"""Records: a reader who keeps a cursor misses nothing and repeats nothing, whatever is written meanwhile."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from runner.errors import RecordError
from runner.store import Changes, Record, Store, SyncKey, open_store
from tests.store.children import line, start


def test_variants_are_numbered_and_kept_apart(store: Store) -> None:
    base, eu = (store.records.stream("shop", "demo", "Order", variant) for variant in ("base", "eu"))
    base.write([("1", b"a"), ("2", b"b")], 1.0)
    assert eu.write([("1", b"x")], 2.0).added == 1
    assert [(one.id, one.payload, one.cursor) for one in eu.read()] == [("1", b"x", 1)]
    assert eu.delete(["1", "2"], 3.0) == 1
    assert base.count() == {"added": 2, "updated": 0, "deleted": 0}
    eu.empty()
    assert [one.payload for one in store.records.stream("shop", "demo", "Order").read()] == [b"a", b"b"]
    assert [key.variant for key in store.records.streams()] == ["base", "eu"]


def test_a_page_counts_what_it_changed(store: Store) -> None:
    stream = store.records.stream("shop", "demo", "Order")
    assert stream.write([("1", b"a"), ("2", b"b")], 1.0) == Changes(added=2)
    assert stream.write([("1", b"a"), ("2", b"c"), ("3", b"d")], 2.0) == Changes(
        added=1, updated=1, unchanged=1
    )
    found = [(record.id, record.state, record.cursor) for record in stream.read()]
    assert found == [("1", "added", 1), ("2", "updated", 3), ("3", "added", 4)]


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 100, 123])
def test_a_page_of_any_length_is_stored_in_its_order(store: Store, count: int) -> None:
    stream = store.records.stream("shop", "demo", "Order")
    rows = [(str(n), b"%d" % n) for n in range(count)]
    assert stream.write(rows, 1.0) == Changes(added=count)
    found = stream.read(limit=1_000)
    assert [(one.id, one.payload, one.cursor) for one in found] == [
        (id, payload, place) for place, (id, payload) in enumerate(rows, 1)
    ]


def test_of_two_rows_with_one_key_the_last_counts(store: Store) -> None:
    stream = store.records.stream("shop", "demo", "Order")
    assert stream.write([("1", b"a"), ("1", b"b")], 1.0) == Changes(added=1)
    assert stream.read()[0].payload == b"b"


def test_a_deleted_record_that_comes_back_is_added(store: Store) -> None:
    stream = store.records.stream("shop", "demo", "Order")
    stream.write([("1", b"a")], 1.0)
    assert stream.delete(["1", "unknown"], 2.0) == 1
    assert stream.delete(["1"], 3.0) == 0
    assert stream.read()[0].deleted_at == 2.0
    assert stream.write([("1", b"a")], 4.0) == Changes(added=1)
    assert (stream.read()[0].state, stream.read()[0].deleted_at) == ("added", None)


def test_a_full_read_deletes_what_it_did_not_see(store: Store) -> None:
    stream = store.records.stream("shop", "demo", "Order")
    stream.write([(str(n), b"x") for n in range(10)], 1.0)
    stream.begin_full("orders")
    stream.write([("1", b"x"), ("2", b"y")], 2.0, seen_by="orders")
    assert stream.delete_unseen("orders", 3.0) == 8
    assert stream.count() == {"added": 1, "updated": 1, "deleted": 8}


def test_a_full_read_goes_on_in_another_process_and_takes_nothing_from_the_one_before(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/terapi.db") as store:
        stream = store.records.stream("shop", "demo", "Order")
        stream.write([(id, b"x") for id in "abc"], 1.0)
        stream.begin_full("orders")
        stream.write([("a", b"x")], 2.0, seen_by="orders")
    with open_store(f"sqlite:///{tmp_path}/terapi.db") as store:
        stream = store.records.stream("shop", "demo", "Order")
        stream.write([("b", b"x")], 3.0, seen_by="orders")
        assert stream.delete_unseen("orders", 4.0) == 1
        assert [record.id for record in stream.read(states=["deleted"])] == ["c"]


def test_an_emptied_stream_begins_anew_behind_its_last_cursor(store: Store) -> None:
    stream = store.records.stream("shop", "demo", "Order")
    stream.empty()
    stream.write([(id, b"x") for id in "abc"], 1.0)
    stream.begin_full("orders")
    stream.write([("a", b"x")], 2.0, seen_by="orders")
    stream.empty()
    assert stream.read() == []
    assert stream.write([("b", b"x")], 3.0) == (1, 0, 0)
    assert [(record.id, record.cursor, record.state) for record in stream.read()] == [("b", 4, "added")]


def test_what_others_write_during_a_full_read_stays(store: Store) -> None:
    stream = store.records.stream("shop", "demo", "Order")
    stream.write([("old", b"x"), ("changed", b"x")], 1.0)
    stream.begin_full("orders")
    stream.write([("new", b"x"), ("changed", b"y")], 2.0)
    assert stream.delete_unseen("orders", 3.0) == 1
    assert [record.id for record in stream.read(states=["deleted"])] == ["old"]


def test_a_full_read_of_nothing_deletes_everything(store: Store) -> None:
    stream = store.records.stream("shop", "demo", "Order")
    stream.write([(str(n), b"x") for n in range(12_000)], 1.0)
    stream.begin_full("orders")
    assert stream.delete_unseen("orders", 2.0) == 12_000
    assert [record.cursor for record in stream.all()] == list(range(12_001, 24_001))


def test_asking_for_a_stream_leaves_no_trace(store: Store) -> None:
    stream = store.records.stream("shop", "demo", "Odrer")
    assert (stream.read(), stream.count()["added"], stream.delete(["1"], 1.0)) == ([], 0, 0)
    assert stream.write([], 1.0) == Changes()
    assert store.records.streams() == []


def test_a_stream_whose_first_write_was_undone_starts_again(store: Store) -> None:
    stream = store.records.stream("shop", "demo", "Order")

    def fail() -> None:
        with store.atomic():
            stream.write([("1", b"a")], 1.0)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    store.records.stream("shop", "demo", "Other").write([("1", b"other")], 1.0)
    assert stream.write([("1", b"a")], 2.0) == Changes(added=1)
    assert [record.payload for record in stream.read()] == [b"a"]


@pytest.mark.parametrize(
    "id", ["", " ", "ü€😀", '"', "\\", "\n", "\\u0000", "1e5", "0010", "null", "x" * 5000]
)
def test_any_text_is_a_key(store: Store, id: str) -> None:
    stream = store.records.stream("shop", "demo", "Order")
    assert stream.write([(id, b"a")], 1.0) == Changes(added=1)
    assert stream.write([(id, b"a")], 2.0) == Changes(unchanged=1)
    assert [record.id for record in stream.read(ids=[id])] == [id]
    assert stream.delete([id], 3.0) == 1


def test_but_no_key_with_a_nul(store: Store) -> None:
    stream = store.records.stream("shop", "demo", "Order")
    with pytest.raises(RecordError, match="has a NUL in it"):
        stream.write([("a", b"a"), ("a\0b", b"a")], 1.0)
    assert stream.read(ids=["a\0b", "a"]) == []


def test_streams_do_not_see_each_other(store: Store) -> None:
    store.records.stream("shop", "one", "Order").write([("1", b"a")], 1.0)
    assert store.records.stream("shop", "two", "Order").read() == []


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ({"states": ["deleted"]}, ["3"]),
        ({"states": ["added", "updated"]}, ["1", "2"]),
        ({"ids": ["2", "nine"]}, ["2"]),
        ({"since": 2.0}, ["2", "3"]),
        ({"limit": 1}, ["1"]),
        ({"after": 3}, ["2", "3"]),
    ],
)
def test_reads_are_narrowed(store: Store, given: dict[str, object], ids: list[str]) -> None:
    stream = store.records.stream("shop", "demo", "Order")
    stream.write([("1", b"a"), ("2", b"b"), ("3", b"c")], 1.0)
    stream.write([("2", b"bb")], 2.0)
    stream.delete(["3"], 3.0)
    assert [record.id for record in stream.read(**given)] == ids  # type: ignore[arg-type]


IDS = st.sampled_from("abcdef")
ROWS = st.lists(st.tuples(IDS, st.binary(max_size=1)), max_size=5)


class Readers(RuleBasedStateMachine):
    """Writers, and two readers of different pace; what each has seen must end as what is stored."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.url = f"sqlite:///{self.folder.name}/terapi.db"
        self.open()
        self.model: dict[str, tuple[bytes, bool]] = {}
        self.cursors = [0, 0]
        self.views: list[dict[str, tuple[bytes, bool]]] = [{}, {}]

    def open(self) -> None:
        self.store = open_store(self.url)
        self.stream = self.store.records.stream("shop", "demo", "Order")

    def written(self, rows: list[tuple[str, bytes]], *, seen_by: str | None = None) -> set[str]:
        """Writes; gives the keys that changed."""
        before = dict(self.model)
        expected = Counter(self.stream.preview(rows).values())
        changes = self.stream.write(rows, 1.0, seen_by=seen_by)
        self.model.update({id: (payload, False) for id, payload in rows})
        touched = {id for id, _ in rows}
        changed = {id for id in touched if before.get(id) != self.model[id]}
        assert sum(changes) == len(touched)
        assert changes == (expected["added"], expected["updated"], expected["unchanged"])
        assert changes.added == len({id for id in touched if before.get(id, (b"", True))[1]})
        assert changes.unchanged == len(touched - changed)
        return changed

    def gone(self, ids: set[str]) -> None:
        self.model.update({id: (self.model[id][0], True) for id in ids})

    @rule(rows=ROWS)
    def write(self, rows: list[tuple[str, bytes]]) -> None:
        self.written(rows)

    @rule(ids=st.lists(IDS, max_size=4))
    def delete(self, ids: list[str]) -> None:
        there = {id for id in ids if id in self.model and not self.model[id][1]}
        assert set(self.stream.preview_delete(ids)) == there
        assert self.stream.delete(ids, 2.0) == len(there)
        self.gone(there)

    @rule(first=ROWS, others=ROWS, second=ROWS, killed=st.booleans())
    def read_all(
        self,
        first: list[tuple[str, bytes]],
        others: list[tuple[str, bytes]],
        second: list[tuple[str, bytes]],
        killed: bool,
    ) -> None:
        self.stream.begin_full("orders")
        before = {id for id, (_, deleted) in self.model.items() if not deleted}
        self.written(first, seen_by="orders")
        spared = self.written(others)
        if killed:
            self.reopen()
        self.written(second, seen_by="orders")
        unseen = before - {id for id, _ in [*first, *second]} - spared
        assert self.stream.delete_unseen("orders", 3.0) == len(unseen)
        self.gone(unseen)

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.open()

    @rule(reader=st.sampled_from([0, 1]), limit=st.integers(1, 4))
    def read(self, reader: int, limit: int) -> None:
        for record in self.stream.read(after=self.cursors[reader], limit=limit):
            assert record.cursor > self.cursors[reader]
            self.cursors[reader] = record.cursor
            self.views[reader][record.id] = (record.payload, record.state == "deleted")

    @invariant()
    def nobody_misses_anything(self) -> None:
        for cursor, view in zip(self.cursors, self.views, strict=True):
            rest = {r.id: (r.payload, r.state == "deleted") for r in self.stream.all(after=cursor)}
            assert {**view, **rest} == self.model

    @invariant()
    def each_is_counted_once(self) -> None:
        assert sum(self.stream.count().values()) == len(self.model)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()


Readers.TestCase.settings = settings(max_examples=60, stateful_step_count=20)
TestReaders = Readers.TestCase

WRITER = """
    import sys
    from runner.store import open_store, SyncKey, SyncState
    store = open_store(sys.argv[1])
    key = SyncKey(integration="shop", connection="demo", sync="orders", model="Order")
    stream = store.records.stream("shop", "demo", "Order")
    begun = (store.states.get(key).progress or {"pages": 0})["pages"]
    print("ready", flush=True)
    for page in range(begun, 100000):
        with store.atomic():
            stream.write([(f"{page}-{n}", b"x" * 500) for n in range(20)], 1.0)
            stream.write([("last", str(page).encode())], 1.0)
            stream.delete([f"{page}-0"], 1.0)
            store.states.put(key, SyncState(progress={"pages": page + 1}))
        print(page, flush=True)
"""


@pytest.mark.slow
def test_killed_again_and_again_records_and_progress_agree(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/terapi.db"
    key = SyncKey(integration="shop", connection="demo", sync="orders", model="Order")
    chance = Random(3)
    reader: dict[str, str] = {}
    cursor = said = 0
    for _ in range(20):
        child = start(WRITER, url)
        assert line(child) == "ready"
        for _ in range(chance.randrange(12)):
            said = int(line(child)) + 1
        sum(range(chance.randrange(500_000)))  # so that the kill falls anywhere within a page
        child.kill()
        child.wait()
        with open_store(url) as store:
            pages = int(str((store.states.get(key).progress or {"pages": 0})["pages"]))
            assert pages >= said
            for record in store.records.stream("shop", "demo", "Order").all(after=cursor):
                cursor = record.cursor
                reader[record.id] = record.state
            wanted = {f"{page}-{n}": "added" if n else "deleted" for page in range(pages) for n in range(20)}
            assert {id: state for id, state in reader.items() if id != "last"} == wanted
            assert store.database.rows("PRAGMA integrity_check")[0][0] == "ok"


CROWD = """
    import sys
    from runner.store import open_store
    store = open_store(sys.argv[1])
    stream = store.records.stream("shop", "demo", "Order")
    for page in range(40):
        stream.write([(f"{sys.argv[2]}-{page}-{n}", b"x") for n in range(25)] + [("shared", sys.argv[2].encode())], 1.0)
    print("done", flush=True)
"""


def test_a_reader_misses_nothing_of_two_who_write_at_once(store: Store) -> None:
    children = [start(CROWD, f"sqlite:///{store.database.path}", name) for name in ("left", "right")]
    stream = store.records.stream("shop", "demo", "Order")
    seen: list[Record] = []
    writing = True
    while writing or seen[-1].cursor < stream.read(after=0, limit=1_000_000)[-1].cursor:
        writing = any(child.poll() is None for child in children)
        seen += stream.read(after=seen[-1].cursor if seen else 0, limit=37)
    assert [line(child) for child in children] == ["done", "done"]
    cursors = [record.cursor for record in seen]
    assert cursors == sorted(set(cursors))
    keys = {record.id for record in seen}
    assert len(keys) == 2 * 40 * 25 + 1
