"""A full load of 200,000 contacts (22 fields, pages of 2,000) over HTTPS, start-up included.

![records a second by latency](load.svg)

The org is a process of its own, the same for all, and delays each answer by the latency. The contenders take
turns; the best of three loads counts, but one that takes longer than 12 s is made once. The connectors, which
take minutes, are loaded at 0 ms; `python -m benchmarks connectors` does so at 50 and 200, and `million` loads
1,000,000 without them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.contenders import Contender, Unreachable, anew, by_hand, connectors
from benchmarks.figures import Bench, Figure, Measured, emulated
from benchmarks.limit import bare_limit
from benchmarks.plot import Group, bars

RECORDS, FEW = 200_000, 100_000
#: how often a load is measured; one that takes longer than that, in seconds, but once
TIMES, PATIENCE = 3, 12.0
#: shares of the records that change between two runs
CHANGED = (0.01, 0.1)
_PLOT = Path(__file__).parent.parent / "docs" / "load.svg"

#: latency in ms → contender → its best load; None where it could not be measured
Loads = Mapping[int, Mapping[str, Measured | None]]


class Kept(NamedTuple):
    """What the runs after a full load cost."""

    full: Measured
    told: Mapping[str, object]
    again: Measured
    told_again: Mapping[str, object]
    changed: Mapping[float, tuple[Measured, Mapping[str, object]]]


def figures() -> Iterator[Figure]:
    yield Figure("load of the machine before", f"{os.getloadavg()[0]:.1f}")
    with emulated(FEW, "--tls") as bench:
        few = bench.sync()[0]
    with emulated(RECORDS, "--tls") as bench:
        loads = loaded(bench, {0: [*by_hand(), *connectors()], 50: by_hand(), 200: by_hand()})
        limit = bare_limit()
        kept = after(bench)
    yield from loads_as_figures(loads, RECORDS)
    yield from _limit(kept, limit)
    yield from _memory(few, kept.full)
    yield from kept_as_figures(kept)
    yield Figure("load of the machine after", f"{os.getloadavg()[0]:.1f}")
    _PLOT.write_text(plot(loads, RECORDS), encoding="utf-8")


def loaded(bench: Bench, plan: Mapping[int, Sequence[Contender]]) -> Loads:
    """The best load of each by latency; they take turns, so that a slow moment falls on all alike."""
    return {ms: _loaded(bench, who, ms) for ms, who in plan.items()}


def _loaded(bench: Bench, who: Sequence[Contender], ms: int) -> dict[str, Measured | None]:
    bench.delay(ms)
    found: dict[str, list[Measured]] = {one.name: [] for one in who}
    for turn in range(TIMES):
        for one in who:
            if turn == 0 or any(load.seconds < PATIENCE for load in found[one.name]):
                found[one.name] += _measured(one, bench)
    bench.delay(0)
    return {name: min(loads, default=None) for name, loads in found.items()}


def _measured(one: Contender, bench: Bench) -> list[Measured]:
    try:
        return [one.load(bench)]
    except Unreachable:
        return []


def after(bench: Bench) -> Kept:
    """Runs after a full load: with nothing new, and with some of the records changed."""
    with anew(bench) as fresh:
        full, told = fresh.sync()
        again, told_again = min(fresh.sync() for _ in range(3))
        ids = _ids(fresh)
        changed = {}
        for share in CHANGED:
            _change(fresh, ids[: int(len(ids) * share)])
            changed[share] = fresh.sync()
    return Kept(full, told, again, told_again, changed)


def _ids(bench: Bench) -> list[str]:
    told = bench.terapi("records", "Contact", "--all", "--format", "ndjson")
    return [json.loads(line)["id"] for line in told.output.splitlines()]


def _change(bench: Bench, ids: Sequence[str]) -> None:
    for start in range(0, len(ids), 2_000):
        some = [{"Id": id, "Title": "Countess"} for id in ids[start : start + 2_000]]
        bench.control("records", {"object": "Contact", "update": some})
    bench.control("clock", {"advance_seconds": 1})


def loads_as_figures(loads: Loads, records: int) -> Iterator[Figure]:
    for ms, of in loads.items():
        ours, *others = of.items()
        for name, load in of.items():
            value = f"{records / load.seconds:,.0f} records/s" if load else "not measured"
            worked = f"{load.seconds:.1f} s, of them {load.worked:.1f} s at work" if load else ""
            yield Figure(f"{name}, {ms} ms", value, _ratios(ours[1], others) if name == ours[0] else worked)


def _ratios(ours: Measured | None, others: Sequence[tuple[str, Measured | None]]) -> str:
    if ours is None:
        return ""
    return ", ".join(f"{load.seconds / ours.seconds:.1f} × {name}" for name, load in others if load)


def _limit(kept: Kept, limit: float) -> Iterator[Figure]:
    rate = _rate(kept.told)
    yield Figure("the bare limit of one core (see `limit`)", f"{limit:,.0f} records/s")
    yield Figure(
        "a full run at 0 ms, without start-up", f"{rate:,.0f} records/s", f"{rate / limit:.0%} of it"
    )


def _rate(told: Mapping[str, object]) -> float:
    read, seconds = told["read"], told["seconds"]
    assert isinstance(read, int)
    assert isinstance(seconds, float)
    return read / seconds


def _memory(few: Measured, many: Measured) -> Iterator[Figure]:
    yield Figure(f"memory at {FEW:,}", f"{few.peak:.0f} MB")
    yield Figure(f"memory at {RECORDS:,}", f"{many.peak:.0f} MB", f"{many.peak - few.peak:+.0f} MB")


def kept_as_figures(kept: Kept) -> Iterator[Figure]:
    yield Figure(
        "a run with nothing new, start-up included",
        f"{kept.again.seconds:.2f} s",
        f"{kept.told_again['requests']} requests, {kept.told_again['seconds']} s without start-up",
    )
    for share, (load, told) in kept.changed.items():
        own, all = load.worked - kept.again.worked, kept.full.worked - kept.again.worked
        yield Figure(
            f"a run with {share:.0%} changed, start-up included",
            f"{load.seconds:.2f} s",
            f"{told['read']:,} read; {own / all:.1%} of a full run's work",
        )


def plot(loads: Loads, records: int) -> str:
    groups = [
        Group(
            f"{ms} ms of latency a request",
            {name: records / load.seconds if load else None for name, load in of.items()},
        )
        for ms, of in loads.items()
    ]
    return bars(f"{records:,} contacts, records a second", "/s", groups)
