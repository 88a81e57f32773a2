"""The store alone: records a second, written, compared, changed, deleted and read by cursor.

python benchmarks/store.py [--records 200000] [--json]
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator

from runner.store import Stream, open_store

PAGE = 2_000
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


def write(stream: Stream, given: Rows, *, seen: bool = False) -> int:
    for start in range(0, len(given), PAGE):
        stream.write(given[start : start + PAGE], 1.0, seen=seen)
    return len(given)


def read(stream: Stream) -> int:
    count = after = 0
    while page := stream.read(after=after, limit=PAGE):
        count, after = count + len(page), page[-1].cursor
    return count


def full(stream: Stream, given: Rows) -> int:
    stream.begin_full()
    write(stream, given, seen=True)
    return stream.delete_unseen(2.0) + len(given)


def emptied(stream: Stream) -> int:
    stream.begin_full()
    return stream.delete_unseen(3.0)


def figures(count: int) -> Iterator[tuple[str, float]]:
    given = rows(count)
    some = [
        (key, payload + b" ") if n % 100 == 0 else (key, payload) for n, (key, payload) in enumerate(given)
    ]
    shuffled = random.Random(1).sample(given, count)
    with tempfile.TemporaryDirectory() as folder, open_store(f"sqlite:///{folder}/terapi.db") as store:
        stream = store.records.stream("shop", "demo", "Order")
        other = store.records.stream("shop", "demo", "Other")
        yield "insert", rate(lambda: write(stream, given))
        yield "unchanged", rate(lambda: write(stream, given))
        yield "1 % changed", rate(lambda: write(stream, some))
        yield "full read, unchanged", rate(lambda: full(stream, some))
        yield "read by cursor", rate(lambda: read(stream))
        yield "delete what is unseen", rate(lambda: emptied(stream))
        yield "insert, keys shuffled", rate(lambda: write(other, shuffled))


def rate(work: Callable[[], int]) -> float:
    began = time.perf_counter()
    return work() / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description="How many records a second the store takes and gives.")
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--json", action="store_true", help="one JSON document")
    options = parser.parse_args()
    if options.json:
        print(json.dumps({name: round(value) for name, value in figures(options.records)}))
        return
    for name, value in figures(options.records):
        print(f"{name:24}{value:>12,.0f} records/s")


if __name__ == "__main__":
    main()
