"""One look at the triggers of a test's project, and what lies in the store after it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from runner.store import Run
from runner.workflow.run import Options, resume_run
from runner.workflow.triggers.starter import DEATHS, Starter
from tests.workflow.conftest import Flows


def look(flows: Flows) -> list[str]:
    """Looks once, at the time of the test's clock; gives what was told."""
    told: list[str] = []

    async def inside() -> None:
        async with flows.access() as access:
            Starter(access, flows.clock.now, told.append).look()

    asyncio.run(inside())
    return told


def started(flows: Flows) -> list[Run]:
    """The runs, the oldest first."""
    return flows.store.runs.newest(kind="workflow")[::-1]


def inputs(flows: Flows) -> list[Mapping[str, object]]:
    found = []
    for run in started(flows):
        assert isinstance(run.input, Mapping)
        found.append(run.input)
    return found


def go_on(flows: Flows) -> list[str]:
    """Takes up what may go on, as a worker does; gives how it ended."""
    found = []

    async def inside() -> None:
        async with flows.access() as access:
            for run in flows.store.runs.due(flows.clock.now(), deaths=DEATHS):
                options = Options(clock=flows.clock, hold=10.0, patience=0.0)
                found.append((await resume_run(access, run, options)).status)

    asyncio.run(inside())
    return found
