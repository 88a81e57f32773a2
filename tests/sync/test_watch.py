"""When syncs have their turns: a clock and a sleep of the test's own, no waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from runner.calls.access import Access
from runner.definitions.schedules import read_schedule
from runner.store import Connection
from runner.sync.choice import Job
from runner.sync.watch import Timing, watch


class Time:
    """Moves only when somebody sleeps; everybody's sleep ends in its order."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    async def sleep(self, seconds: float) -> None:
        event = asyncio.Event()
        self._sleepers.append((self.now + seconds, event))
        await event.wait()

    async def until(self, end: float) -> None:
        """Lets the time pass."""
        while True:
            for _ in range(50):
                await asyncio.sleep(0)  # until everybody sleeps
            due = min(self._sleepers, key=lambda one: one[0], default=None)
            if due is None or due[0] > end:
                self.now = end
                return
            self._sleepers.remove(due)
            self.now = max(self.now, due[0])
            due[1].set()


@pytest.fixture
def job(access: Access, connection: Connection) -> Callable[[str, int | str | None], Job]:
    def made(name: str, schedule: int | str | None) -> Job:
        text = f"every {schedule} seconds" if isinstance(schedule, int) else schedule
        times = None if text is None else read_schedule(str(text))
        sync = msgspec.structs.replace(access.project.sync("orders"), name=name, schedule=times)
        return Job(sync, connection)

    return made


def turns(
    jobs: list[Job], end: float, took: Callable[[Job, Time], Awaitable[None]] | None = None
) -> list[tuple[float, str]]:
    """When each had its turns until ``end``."""

    async def inside() -> list[tuple[float, str]]:
        time, found = Time(), []

        async def run(job: Job) -> None:
            found.append((time.now, job.sync.name))
            if took is not None:
                await took(job, time)

        watching = asyncio.create_task(watch(jobs, run, Timing(lambda: time.now, time.sleep)))
        await time.until(end)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        return found

    return asyncio.run(inside())


def test_each_runs_at_once_and_then_by_its_own_schedule(job: Callable[[str, int | str | None], Job]) -> None:
    found = turns([job("fast", 20), job("slow", 50), job("plain", None)], 61)
    assert [at for at, name in found if name == "fast"] == [0, 20, 40, 60]
    assert [at for at, name in found if name == "slow"] == [0, 50]
    assert [at for at, name in found if name == "plain"] == [0, 60]


def test_a_cron_expression_is_due_by_the_clock(job: Callable[[str, int | str | None], Job]) -> None:
    assert [at for at, _ in turns([job("hourly", "30 * * * *")], 3 * 3600)] == [0, 1800, 5400, 9000]


def test_a_run_that_takes_longer_than_its_interval_is_followed_at_once(
    job: Callable[[str, int | str | None], Job],
) -> None:
    async def took(job: Job, time: Time) -> None:
        await time.sleep(25)

    assert [at for at, _ in turns([job("slow", 10)], 80, took)] == [0, 25, 50, 75]


def test_a_long_run_keeps_no_other_waiting_until_four_are_under_way(
    job: Callable[[str, int | str | None], Job],
) -> None:
    async def took(job: Job, time: Time) -> None:
        await time.sleep(1000 if job.sync.name.startswith("long") else 0)

    three = [job(f"long-{n}", 10) for n in range(3)]
    assert [at for at, name in turns([*three, job("short", 10)], 25, took) if name == "short"] == [0, 10, 20]
    four = [job(f"long-{n}", 10) for n in range(4)]
    assert [at for at, name in turns([*four, job("short", 10)], 25, took) if name == "short"] == []
