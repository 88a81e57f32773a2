"""Records: a reader who keeps a cursor misses nothing and repeats nothing, whatever is written meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from runner.store import Changes, Store, SyncKey, open_store


def test_a_page_counts_what_it_changed(store: Store) -> None:
    stream = store.records.stream("shop", "demo", "Order")
    assert stream.write([("1", b"a"), ("2", b"b")], 1.0) == Changes(added=2)
    assert stream.write([("1", b"a"), ("2", b"c"), ("3", b"d")], 2.0) == Changes(
        added=1, updated=1, unchanged=1
    )
    found = [(record.id, record.state, record.cursor) for record in stream.read()]
    assert found == [("1", "added", 1), ("2", "updated", 3), ("3", "added", 4)]


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
    stream.begin_full()
    stream.write([("1", b"x"), ("2", b"y")], 2.0, seen=True)
    assert stream.delete_unseen(3.0) == 8
    assert stream.count() == {"added": 1, "updated": 1, "deleted": 8}


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


class Readers(RuleBasedStateMachine):
    """A writer and two readers of different pace; what each reader has seen must end as what is stored."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store = open_store(f"sqlite:///{self.folder.name}/terapi.db")
        self.stream = self.store.records.stream("shop", "demo", "Order")
        self.model: dict[str, tuple[bytes, bool]] = {}
        self.cursors = [0, 0]
        self.views: list[dict[str, tuple[bytes, bool]]] = [{}, {}]

    @rule(rows=st.lists(st.tuples(st.sampled_from("abcdef"), st.binary(max_size=2)), max_size=5))
    def write(self, rows: list[tuple[str, bytes]]) -> None:
        before = dict(self.model)
        changes = self.stream.write(rows, 1.0)
        self.model.update({id: (payload, False) for id, payload in rows})
        touched = {id for id, _ in rows}
        assert sum(changes) == len(touched)
        assert changes.unchanged == sum(before.get(id) == self.model[id] for id in touched)

    @rule(ids=st.lists(st.sampled_from("abcdef"), max_size=4))
    def delete(self, ids: list[str]) -> None:
        there = {id for id in ids if id in self.model and not self.model[id][1]}
        assert self.stream.delete(ids, 2.0) == len(there)
        self.model.update({id: (self.model[id][0], True) for id in there})

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

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()


Readers.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestReaders = Readers.TestCase

WRITER = """
    import sys
    from runner.store import open_store, SyncKey, SyncState
    store = open_store(sys.argv[1])
    key = SyncKey(integration="shop", connection="demo", sync="orders", model="Order")
    stream = store.records.stream("shop", "demo", "Order")
    print("ready", flush=True)
    for page in range(100000):
        with store.atomic():
            stream.write([(f"{page}-{n}", b"x" * 50) for n in range(50)], 1.0)
            store.states.put(key, SyncState(progress={"pages": page + 1}))
        print(page, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("pages", [0, 1, 3, 7, 20, 50])
def test_killed_at_any_instant_records_and_progress_agree(tmp_path: Path, pages: int) -> None:
    url = f"sqlite:///{tmp_path}/terapi.db"
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), url], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    for _ in range(pages + 1):
        child.stdout.readline()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    with open_store(url) as store:
        key = SyncKey(integration="shop", connection="demo", sync="orders", model="Order")
        progress = store.states.get(key).progress or {"pages": 0}
        assert store.records.stream("shop", "demo", "Order").count()["added"] == 50 * int(
            str(progress["pages"])
        )
        assert int(str(progress["pages"])) >= pages
