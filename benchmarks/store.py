"""The store alone: records of 800 bytes written, compared, changed, deleted and read, on one core."""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator

from benchmarks.figures import Figure
from runner.store import Stream, open_store

PAGE = 2_000
COUNT = 200_000
Rows = list[tuple[str, bytes]]


def rows(count: int) -> Rows:
    """Records of 800 bytes with 22 fields, their keys ascending."""
    fields = {f"field_{n:02}": f"value {n:02} of a field" for n in range(21)}
    size = len(json.dumps({"id": "0" * 18, **fields, "note": ""}))
    note = "x" * (800 - size)
    return [
        (key, json.dumps({"id": key, **fields, "note": note}).encode())
        for key in (f"003{n:015d}" for n in range(count))
    ]


def write(stream: Stream, given: Rows, *, seen_by: str | None = None) -> int:
    for start in range(0, len(given), PAGE):
        stream.write(given[start : start + PAGE], 1.0, seen_by=seen_by)
    return len(given)


def read(stream: Stream) -> int:
    count = after = 0
    while page := stream.read(after=after, limit=PAGE):
        count, after = count + len(page), page[-1].cursor
    return count


def full(stream: Stream, given: Rows) -> int:
    stream.begin_full("orders")
    write(stream, given, seen_by="orders")
    return stream.delete_unseen("orders", 2.0) + len(given)


def emptied(stream: Stream) -> int:
    stream.begin_full("orders")
    return stream.delete_unseen("orders", 3.0)


def figures() -> Iterator[Figure]:
    given = rows(COUNT)
    some = [
        (key, payload + b" ") if n % 100 == 0 else (key, payload) for n, (key, payload) in enumerate(given)
    ]
    shuffled = random.Random(1).sample(given, COUNT)
    with tempfile.TemporaryDirectory() as folder, open_store(f"sqlite:///{folder}/terapi.db") as store:
        stream = store.records.stream("shop", "demo", "Order")
        other = store.records.stream("shop", "demo", "Other")
        yield timed("insert", lambda: write(stream, given))
        yield timed("unchanged", lambda: write(stream, given))
        yield timed("1 % changed", lambda: write(stream, some))
        yield timed("full read, unchanged", lambda: full(stream, some))
        yield timed("read by cursor", lambda: read(stream))
        yield timed("delete what is unseen", lambda: emptied(stream))
        yield timed("insert, keys shuffled", lambda: write(other, shuffled))


def timed(what: str, work: Callable[[], int]) -> Figure:
    began = time.perf_counter()
    count = work()
    return Figure(what, f"{count / (time.perf_counter() - began):,.0f} records/s")
