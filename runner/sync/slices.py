"""How a long range of time is cut into shorter ones: evenly, or by how many records lie in each."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from itertools import pairwise

from runner.definitions.conversions import format_instant, instant
from runner.definitions.model import Slices
from runner.sync.plan import Slice

Count = Callable[[Slice], Awaitable[int]]

#: slices that a window has at the most: each is kept with the progress
MOST_SLICES = 1_000
#: parts into which one range is cut at once; they are counted side by side
_PARTS = 8
#: how many more parts a range is cut into than an even one would need: a round of counting saved
_SPARE = 1.25
#: a shorter range is not cut: cursors count seconds often enough
_SHORTEST = timedelta(seconds=1)


async def cut(whole: Slice, rules: Slices, count: Count) -> list[Slice]:
    """The slices of a range, in order.

    Args:
        count: tells how many records a range has; asked for several at once.
    """
    if rules.by is not None:
        return evenly(whole, timedelta(seconds=rules.by))
    return _joined(sorted(await _counted(whole, rules, count), key=_start), rules.most)


def evenly(whole: Slice, length: timedelta) -> list[Slice]:
    """Slices of one length; longer ones where there would be too many."""
    start, end = instant(whole.start), instant(whole.end)
    length = max(length, (end - start) / MOST_SLICES)
    bounds, at = [start], start + length
    while at < end:
        bounds.append(at)
        at += length
    return _between([*bounds, end])


async def _counted(whole: Slice, rules: Slices, count: Count) -> list[Slice]:
    """Ranges that are small enough, or cannot be cut any more; those without records are left out."""
    found: list[Slice] = []
    waiting = [whole]
    while waiting:
        totals = await asyncio.gather(*(_total(one, count) for one in waiting))
        larger: list[Slice] = []
        for one, total in zip(waiting, totals, strict=True):
            one.total = total
            parts = _recent_finer(one, total, rules.most) if one is whole else _parts(one, total, rules.most)
            if len(parts) > 1 and len(found) + len(larger) + len(parts) <= MOST_SLICES:
                larger += parts
            elif total:
                found.append(one)
        waiting = larger
    return found or [whole]


async def _total(one: Slice, count: Count) -> int:
    return one.total if one.total is not None else await count(one)


def _recent_finer(one: Slice, total: int, most: int) -> list[Slice]:
    """The halves, quarters … of a range up to its end: most of what there is was written of late."""
    start, end = instant(one.start), instant(one.end)
    length = end - start
    if total <= most or length / 2 ** (_PARTS - 1) < _SHORTEST:
        return _parts(one, total, most)
    return _between([*(end - length / 2**n for n in range(_PARTS)), end])


def _parts(one: Slice, total: int, most: int) -> list[Slice]:
    """Parts of one length, some more than would do if the records lay evenly."""
    if total <= most:
        return []
    start, end = instant(one.start), instant(one.end)
    parts = min(_PARTS, max(2, math.ceil(_SPARE * total / most)), int((end - start) / _SHORTEST))
    if parts < 2:
        return []
    length = (end - start) / parts
    return _between([*(start + length * n for n in range(parts)), end])


def _between(bounds: list[datetime]) -> list[Slice]:
    return [Slice(start=format_instant(start), end=format_instant(end)) for start, end in pairwise(bounds)]


def _joined(slices: Iterable[Slice], most: int) -> list[Slice]:
    """Neighbours together, where both are small enough: fewer requests."""
    found: list[Slice] = []
    for one in slices:
        last = found[-1] if found else None
        if last is not None and last.end == one.start and (last.total or 0) + (one.total or 0) <= most:
            found[-1] = Slice(start=last.start, end=one.end, total=(last.total or 0) + (one.total or 0))
        else:
            found.append(one)
    return found


def _start(one: Slice) -> datetime:
    return instant(one.start)
