"""A sync of contacts (22 fields, pages of 2,000) from the emulated org, over HTTP, into SQLite.

The org has a core of its own. The peer is a plain script: simple-salesforce, the same query, the same fields,
stored with one upsert a page.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Bench, Figure, Measured, emulated, measured

FEW, MANY = 10_000, 100_000


def figures() -> Iterator[Figure]:
    with emulated(FEW) as bench:
        few, _ = bench.sync()
    with emulated(MANY) as bench:
        many, told = bench.sync()
        peer = _peer(bench)
        again, _ = bench.sync()
    rate = MANY / _seconds(told)
    yield Figure(f"full sync of {MANY:,}", f"{rate:,.0f} records/s", _ratio(peer.seconds, many.seconds))
    yield Figure("the plain script, start-up included", f"{MANY / peer.seconds:,.0f} records/s")
    yield Figure(f"memory at {MANY:,}", f"{many.peak:.0f} MB", f"{many.peak - few.peak:+.0f} MB over {FEW:,}")
    yield Figure("memory of the plain script", f"{peer.peak:.0f} MB")
    yield Figure("a run with nothing new, start-up included", f"{again.seconds:.2f} s")


def _seconds(told: dict[str, object]) -> float:
    seconds = told["seconds"]
    assert isinstance(seconds, float)
    return seconds


def _ratio(theirs: float, ours: float) -> str:
    return f"{theirs / ours:.1f} × the plain script, start-up included"


def _peer(bench: Bench) -> Measured:
    script = Path(__file__).parent / "peers" / "plain_script.py"
    with tempfile.TemporaryDirectory() as folder:
        org = (bench.org["url"], bench.org["client_id"], bench.org["client_secret"])
        return measured((sys.executable, str(script), *org, f"{folder}/peer.db"))
