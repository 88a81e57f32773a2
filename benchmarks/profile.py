"""Where the time of a full load goes, by the time that its process has a processor.

The stages are those of a sync, each timed by itself over the same pages; what is left of a whole run is the
wire: TLS, HTTP, the event loop and the kernel.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import orjson

from benchmarks.figures import Figure, emulated
from benchmarks.mapping import page_of_contacts
from runner.calls.client import Client
from runner.calls.raw import RawRecords, split
from runner.cli.main import GARBAGE
from runner.definitions.project import Project
from runner.store import open_store
from runner.sync.reading import Reading

RECORDS, PAGES = 100_000, 50
_DECODED, _MAPPED = "its records decoded", "mapped, their cursors read, written as JSON"
_INSERTED, _COMMITTED = "hashed, compared and inserted", "committed"
_ROOT = Path(__file__).parent.parent


class Stages:
    """Seconds of work by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        began = time.process_time()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - began


def figures() -> Iterator[Figure]:
    with emulated(RECORDS, "--tls") as bench:
        whole = bench.sync()[0].worked / RECORDS
        start = bench.sync()[0].worked / RECORDS
    each = {stage: seconds / PAGES / 2_000 for stage, seconds in _stages().seconds.items()}
    each[_COMMITTED] -= each[_MAPPED]
    each[_MAPPED] -= each[_DECODED] + each[_INSERTED]
    each["start-up, once a run"] = start
    each["the wire, and all else"] = whole - sum(each.values())
    for stage, seconds in each.items():
        yield Figure(stage, f"{seconds * 1e6:.1f} µs a record", f"{seconds / whole:.0%}")
    yield Figure(f"a full load of {RECORDS:,}", f"{whole * 1e6:.1f} µs a record")


def _stages() -> Stages:
    """Pages of contacts taken through all that a sync does with them."""
    gc.set_threshold(*GARBAGE)
    sync = Project.load(_ROOT).checked().sync("contacts")
    reading = Reading(sync, cast(Client, None), sync.fetch[-1], {})
    body, stages = orjson.dumps({"done": False, "records": page_of_contacts()}), Stages()
    with tempfile.TemporaryDirectory() as folder, open_store(f"sqlite:///{folder}/terapi.db") as store:
        stream = store.records.stream("bench", "bench", "Contact")
        for number in range(PAGES):
            with stages.stage("a page split into its records"):
                page = split(body.replace(b'"Id":"003Hs', b'"Id":"%05d' % number), ("records",))
            records = cast(dict[str, RawRecords], page)["records"]
            with stages.stage(_DECODED):
                for start in range(0, len(records), 250):
                    records[start : start + 250]
            with stages.stage(_COMMITTED), store.atomic(), stages.stage(_MAPPED):
                for some in reading.rows(records, 1):
                    with stages.stage(_INSERTED):
                        stream.write(some.kept, 1.0)
    return stages
