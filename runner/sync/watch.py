"""Syncs run again and again, each by its own schedule."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from runner.sync.choice import Job

#: seconds between two turns of a sync that has no schedule
_EVERY = 60.0
#: how many run at once; the others wait for their turn
_AT_ONCE = 4


class Timing:
    """The clock (seconds since 1970) and the sleep of a watch; tests give their own."""

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.clock = clock
        self.sleep = sleep


async def watch(
    jobs: Sequence[Job], run: Callable[[Job], Awaitable[object]], timing: Timing | None = None
) -> None:
    """Runs each at once and then every time its schedule says so, until it is cancelled.

    A run that takes longer than its interval is followed by the next at once; turns never pile up.

    Args:
        run: runs one; whatever fails is its to tell.
    """
    gate = asyncio.Semaphore(_AT_ONCE)
    timing = timing or Timing()
    async with asyncio.TaskGroup() as group:
        for job in jobs:
            group.create_task(_turns(job, run, timing, gate))


async def _turns(
    job: Job, run: Callable[[Job], Awaitable[object]], timing: Timing, gate: asyncio.Semaphore
) -> None:
    while True:
        async with gate:
            began = timing.clock()
            await run(job)
        await timing.sleep(max(0.0, _due(job, began) - timing.clock()))


def _due(job: Job, began: float) -> float:
    """When a sync has its next turn, after one that began then."""
    schedule = job.sync.schedule
    if schedule is not None and schedule.cron is not None:
        return schedule.after(began)
    return began + (_EVERY if schedule is None or schedule.every is None else schedule.every)
