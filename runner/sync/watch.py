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
    """The clock and the sleep of a watch; tests give their own."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
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
    every = job.sync.schedule or _EVERY
    while True:
        async with gate:
            began = timing.clock()
            await run(job)
        await timing.sleep(max(0.0, began + every - timing.clock()))
