"""Workflows: what a step costs with its journal, held against bare DBOS Transact for the same steps.

Both keep each result in an SQLite file before the next step begins. A step gives `{n: 1}`, or asks a small
HTTP server on this machine (DBOS by httpx). Each run is a process of its own, its start-up left out; the two
take turns, and the best of their runs counts. The rate is by the processor time of that process, as on a
core of its own; beside it by the clock, with what the disk takes.

With *NORMAL* no step waits for the disk: a killed process loses nothing, a power cut may undo the last steps,
whole and in order. So terapi keeps steps that read. Where a step writes elsewhere, its result is on the disk
(*FULL*) before the next begins, and so is, where the API has no key to know it by, that it begins: one wait
for the disk covers both, as many as DBOS has with *WAL, FULL*. As it comes DBOS uses *FULL* and
SQLite's rollback journal, which waits for the disk four times a step.

Of our time for a step that does as little as possible, half is the interpreter's and the event loop's, a
third the journal's and SQLite's. Of a step of one GET, a third is the HTTP client's and the event loop's, a
seventh each the interpreter's and that of what a call needs besides, a tenth the journal's.

Memory is the most that the process held: interpreter, definitions and HTTP client included. An item that is
under way holds 12 kB, with its request. What many rows hold more is SQLite's page cache, which ends at 32 MB;
with one of 1 MB, 100,000 rows held 1.4 MB more than 1,000.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from benchmarks import flow
from benchmarks.api import answering
from benchmarks.figures import Figure
from runner.calls.access import Access
from runner.workflow.run import run_workflow
from tests.clients.environments import venv

_DBOS = ("dbos==3.4.0", "httpx==0.28.1")
_PEER = Path(__file__).parent / "peers" / "with_dbos.py"
_TERAPI = (sys.executable, "-m", "benchmarks.flow")
_TURNS = 3
COMES = "as it comes"
STEPS, ITEMS, CALLS = 1_000, 1_000, 500
FEW_ROWS, ROWS = 1_000, 100_000


class Case(NamedTuple):
    """Steps that are measured; see `flow`."""

    shape: str
    count: int
    concurrency: int = 1
    sync: str = "NORMAL"


class Took(NamedTuple):
    """What a run took."""

    #: by the clock
    seconds: float
    #: that its process had a processor
    worked: float
    #: in MB; 0 where nobody asked
    peak: float = 0.0


#: what is done: our case, and theirs
BOTH = {
    "steps that do as little as possible; WAL, NORMAL": (Case("least", STEPS), Case("least", STEPS)),
    "steps of one GET; WAL, NORMAL": (Case("get", STEPS), Case("get", STEPS)),
    "`foreach` of 1,000 GETs, 10 at once; WAL, NORMAL": (Case("get", ITEMS, 10), Case("get", ITEMS, 10)),
    "steps of one POST; WAL, FULL": (Case("post", 200, 1, COMES), Case("post", 200, 1, "FULL")),
    "steps that do as little as possible, as each comes": (
        Case("least", 200, 1, COMES),
        Case("least", 200, 1, COMES),
    ),
}


def figures() -> Iterator[Figure]:
    with answering() as url:
        yield from _beside_dbos(url)
        yield from _passing(url)
        yield from _memory(url)
        yield from _rows(url)


def _beside_dbos(url: str) -> Iterator[Figure]:
    try:
        dbos: Sequence[str] = (str(venv(*_DBOS).folder / "bin" / "python"), str(_PEER))
    except pytest.skip.Exception as exc:
        yield Figure("DBOS", "not measured", str(exc))
        dbos = ()
    for what, (our_case, their_case) in BOTH.items():
        ours, theirs = [], []
        for _ in range(_TURNS):
            ours.append(_run(_TERAPI, our_case, url))
            if dbos:
                theirs.append(_run(dbos, their_case, url))
        yield from _compared(what, our_case.count, _best(ours), _best(theirs) if theirs else None)


def _compared(what: str, count: int, ours: Took, theirs: Took | None) -> Iterator[Figure]:
    ratio = ""
    if theirs is not None:
        by_clock = f"{ours.seconds / theirs.seconds:.2f} × by the clock"
        ratio = f"{ours.worked / theirs.worked:.2f} × the time of DBOS; {by_clock}"
    yield Figure(what, _rate(count, ours), ratio)
    if theirs is not None:
        yield Figure("the same with DBOS", _rate(count, theirs))


def _rate(count: int, took: Took) -> str:
    return f"{count / took.worked:,.0f} steps/s; {count / took.seconds:,.0f} by the clock"


def _run(command: Sequence[str], case: Case, url: str) -> Took:
    with tempfile.TemporaryDirectory() as folder:
        told = subprocess.run([*command, *map(str, case), url, folder], stdout=subprocess.PIPE, check=True)
    return Took(**json.loads(told.stdout.splitlines()[-1]))


def _best(runs: Sequence[Took]) -> Took:
    return Took(*(min(each) for each in zip(*runs, strict=True)))


def _passing(url: str) -> Iterator[Figure]:
    bare, ours = asyncio.run(_one_call(url))
    yield Figure("a bare call by httpx", _each(bare))
    worked, seconds = ours.worked - bare.worked, ours.seconds - bare.seconds
    more = f"{worked * 1000:+.2f} ms; {seconds * 1000:+.2f} by the clock"
    yield Figure("a workflow of that call, `durable: false`, its run kept", _each(ours), more)


def _each(took: Took) -> str:
    return f"{took.worked * 1000:.2f} ms; {took.seconds * 1000:.2f} by the clock"


async def _one_call(url: str) -> list[Took]:
    """What a bare call takes, and a workflow that makes it: the medians of calls that take turns."""
    with tempfile.TemporaryDirectory() as at:
        flow.write(Path(at), "bench", "durable: false\nsteps:\n  - use: get")
        with flow.project(Path(at)) as (definitions, store):
            async with Access(definitions, store, {}) as access, httpx.AsyncClient() as client:
                place, workflow = flow.connect(access, url), definitions.workflow("bench", "bench")

                async def bare() -> None:
                    (await client.get(f"{url}/limits")).raise_for_status().json()

                async def ours() -> None:
                    result = await run_workflow(access, workflow, place, {})
                    assert result.status == "success"

                return await _in_turns(bare, ours)


async def _in_turns(*calls: Callable[[], Awaitable[None]]) -> list[Took]:
    took: list[list[Took]] = [[] for _ in calls]
    for _ in range(CALLS):
        for call, times in zip(calls, took, strict=True):
            began, worked = time.perf_counter(), time.process_time()
            await call()
            times.append(Took(time.perf_counter() - began, time.process_time() - worked))
    return [Took(*map(statistics.median, zip(*times, strict=True))) for times in took]


def _memory(url: str) -> Iterator[Figure]:
    cases = {
        "memory of `foreach` over 10 items, 10 at once": Case("get", 10, 10),
        f"of {ITEMS:,} items, 10 at once": Case("get", ITEMS, 10),
        f"of {ITEMS:,} items, {ITEMS:,} at once": Case("get", ITEMS, ITEMS),
    }
    yield from _held({what: _run(_TERAPI, case, url) for what, case in cases.items()})


def _held(runs: Mapping[str, Took]) -> Iterator[Figure]:
    few = next(iter(runs.values())).peak
    for what, took in runs.items():
        yield Figure(what, f"{took.peak:.0f} MB", f"{took.peak - few:+.1f} MB" if took.peak != few else "")


def _rows(url: str) -> Iterator[Figure]:
    runs = {
        count: _best([_run(_TERAPI, Case("rows", count), url) for _ in range(3)])
        for count in (FEW_ROWS, ROWS)
    }
    took = runs[ROWS]
    value = f"{ROWS / took.worked:,.0f} rows/s; {ROWS / took.seconds:,.0f} by the clock"
    yield Figure(f"`foreach` over a file of {ROWS:,} rows, each batch of {flow.BATCH} one POST", value)
    yield from _held({f"memory at {count:,} rows": run for count, run in runs.items()})
