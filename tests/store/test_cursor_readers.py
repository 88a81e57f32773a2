"""Readers beside writers who each have the store open for themselves: nothing is missed, nothing comes twice."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.store import Ages, Store, Stream, open_store

KEYS = st.sampled_from([f"k{n}" for n in range(12)])
PAGE = st.one_of(
    st.tuples(st.just("write"), st.lists(st.tuples(KEYS, st.binary(min_size=1, max_size=1)), min_size=1, max_size=6)),
    st.tuples(st.just("delete"), st.lists(KEYS, min_size=1, max_size=4)),
    st.tuples(st.just("prune"), st.just([])),
)  # fmt: skip
#: what each of several writers does, page by page
PLANS = st.lists(st.lists(PAGE, min_size=5, max_size=30), min_size=2, max_size=4)


def stream_of(store: Store) -> Stream:
    return store.records.stream("shop", "demo", "Order")


class Writer(threading.Thread):
    """Carries out a plan; counts the changes that it made."""

    def __init__(self, url: str, plan: list[tuple[str, list[object]]], start: threading.Barrier) -> None:
        super().__init__()
        self.url, self.plan, self.begin = url, plan, start
        self.changes = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with open_store(self.url, patience=60) as store:
                stream = stream_of(store)
                self.begin.wait()
                for what, page in self.plan:
                    self.changes += self.one(store, stream, what, page)
        except BaseException as exc:  # noqa: BLE001 - told by the test
            self.error = exc

    def one(self, store: Store, stream: Stream, what: str, page: list[object]) -> int:
        if what == "prune":
            store.pruning(stream).by_age(Ages(changed=1), 3.0)
            return 0
        if what == "delete":
            return stream.delete(page, 2.0)  # type: ignore[arg-type]
        changes = stream.write(page, 2.5)  # type: ignore[arg-type]
        return changes.added + changes.updated


@settings(max_examples=25)
@given(plans=PLANS, limits=st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_every_reader_ends_with_what_is_stored(
    plans: list[list[tuple[str, list[object]]]], limits: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder)}/terapi.db"
        with open_store(url) as store:
            stream_of(store).write([("first", b"x")], 1.0)
            start = threading.Barrier(len(plans) + 1)
            writers = [Writer(url, plan, start) for plan in plans]
            for writer in writers:
                writer.start()
            start.wait()
            cursors: list[list[int]] = [[0] for _ in limits]
            views: list[dict[str, tuple[str, int]]] = [{} for _ in limits]
            writing = True
            while writing:
                writing = any(writer.is_alive() for writer in writers)
                for limit, seen, view in zip(limits, cursors, views, strict=True):
                    # Once nobody writes any more, to the end.
                    while page := stream_of(store).read(after=seen[-1], limit=limit):
                        seen += [record.cursor for record in page]
                        view.update({record.id: (record.state, record.cursor) for record in page})
                        if writing:
                            break
            for writer in writers:
                writer.join()
            assert [writer.error for writer in writers] == [None] * len(writers)
            there = {record.id: (record.state, record.cursor) for record in stream_of(store).all()}
            for seen, view in zip(cursors, views, strict=True):
                assert view == there
                assert seen == sorted(set(seen))
            # Each change had a number of its own, and none was left out.
            reached = store.database.rows("SELECT cursor FROM streams")[0][0]
            assert reached == 1 + sum(writer.changes for writer in writers)
