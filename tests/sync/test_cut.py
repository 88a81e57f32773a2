"""How a range of time is cut: whatever lies where, the slices are the whole and nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.definitions.conversions import format_instant, instant
from runner.definitions.model import Slices
from runner.sync.plan import Slice
from runner.sync.slices import MOST_SLICES, cut, evenly

START = datetime(2020, 1, 1, tzinfo=UTC)


def whole(days: float) -> Slice:
    return Slice(start=format_instant(START), end=format_instant(START + timedelta(days=days)))


def counted(moments: Sequence[datetime], days: float, most: int) -> tuple[list[Slice], int]:
    """The slices of records at these moments, and how often was counted."""
    asked = 0

    async def count(part: Slice) -> int:
        nonlocal asked
        asked += 1
        return len(within(moments, part))

    return asyncio.run(cut(whole(days), Slices(most=most), count)), asked


def within(moments: Sequence[datetime], part: Slice) -> list[datetime]:
    return [moment for moment in moments if instant(part.start) <= moment < instant(part.end)]


@given(
    seconds=st.lists(st.floats(0, 86_400 * 30 - 1), max_size=60)
    | st.lists(st.integers(1000, 1010), max_size=60),
    most=st.integers(1, 20),
)
def test_every_record_lies_in_one_slice(seconds: list[float], most: int) -> None:
    moments = [START + timedelta(seconds=second) for second in seconds]
    slices, _ = counted(moments, 30, most)
    for moment in moments:
        assert sum(moment in within([moment], part) for part in slices) == 1
    for left, right in pairwise(slices):
        assert instant(left.end) <= instant(right.start)
    for part in slices:
        narrow = instant(part.end) - instant(part.start) < timedelta(seconds=2)
        assert part.total == len(within(moments, part))
        assert part.total <= most or narrow


def test_what_is_small_is_one_slice_for_one_look() -> None:
    slices, asked = counted([START + timedelta(days=n) for n in range(10)], 30, 100)
    assert (len(slices), asked) == (1, 1)


def test_a_cluster_is_found_with_few_looks() -> None:
    cluster = [START + timedelta(days=9_000, seconds=n) for n in range(1_000)]
    slices, asked = counted(cluster, 10_000, 250)
    assert 4 <= len(slices) <= 8
    assert asked < 80


@given(days=st.floats(0.001, 400), hours=st.integers(1, 5_000))
def test_even_slices_have_no_gap(days: float, hours: int) -> None:
    slices = evenly(whole(days), timedelta(hours=hours))
    assert len(slices) <= MOST_SLICES + 1
    assert (slices[0].start, slices[-1].end) == (whole(days).start, whole(days).end)
    assert all(left.end == right.start for left, right in pairwise(slices))


@pytest.mark.parametrize(("days", "by", "expected"), [(10, 5, 2), (11, 5, 3), (4, 5, 1)])
def test_even_slices_are_as_long_as_said(days: int, by: int, expected: int) -> None:
    slices = asyncio.run(cut(whole(days), Slices(by=by * 86_400.0), _never))
    assert len(slices) == expected


async def _never(part: Slice) -> int:
    raise AssertionError(part)


def test_what_was_written_of_late_is_found_in_three_rounds() -> None:
    late = [START + timedelta(days=19_770 + n * 0.73) for n in range(1_000)]
    slices, asked = counted(late, 20_500, 100)
    # The whole, its halves and quarters, and the parts of those in which there is something.
    assert asked <= 1 + 8 + 20
    assert 10 <= len(slices) <= 16
