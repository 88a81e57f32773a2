"""Workflows run as a test writes them, against an API that the test serves, by a clock of its own."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from runner.calls.access import Access
from runner.definitions.project import Project
from runner.store import Connection, Run, Store
from runner.workflow.life import Result
from runner.workflow.run import Options, cancel_run, resume_run, run_workflow
from tests.api import Api

ENVIRON = {"TERAPI_SHOP_CLIENT_ID": "our-client", "TERAPI_SHOP_CLIENT_SECRET": "our-client-secret"}


class FakeClock:
    """A clock that whoever sleeps puts forward."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


class Flows:
    """Workflows of a project folder, each run in an access of its own."""

    def __init__(self, folder: Path, store: Store, connection: Connection) -> None:
        self.folder = folder
        self.store = store
        self.connection = connection
        self.clock = FakeClock()
        self.options = Options(clock=self.clock)

    def write(self, text: str, name: str = "try") -> None:
        """A workflow of the integration `shop`, from what its file has beside the usual head."""
        head = f"version: 1\nworkflow: {name}\nintegrations: [shop]\n"
        (self.folder / "workflows" / f"{name}.yaml").write_text(head + textwrap.dedent(text))

    @property
    def project(self) -> Project:
        return Project.load(self.folder)

    def problems(self) -> list[str]:
        return [
            f"{problem.place}: {problem.message}" + (f" — {problem.suggestion}" if problem.suggestion else "")
            for problem in self.project.problems
        ]

    def access(self) -> Access:
        project = self.project
        assert [problem for problem in project.problems if problem.severity == "error"] == []
        return Access(project, self.store, ENVIRON, self.clock.sleep)

    def run(
        self, text: str | None = None, given: Mapping[str, object] | None = None, **options: object
    ) -> Result:
        """Runs the workflow `try`, written first where its text is given."""
        if text is not None:
            self.write(text)
        wanted = msgspec.structs.replace(self.options, **options)

        async def inside() -> Result:
            async with self.access() as access:
                workflow = access.project.workflow("try", "shop")
                place = self.store.connections.get("shop", self.connection.id)
                assert place is not None
                return await run_workflow(access, workflow, place, given or {}, wanted)

        return asyncio.run(inside())

    def resume(self, id: str, **options: object) -> Result:
        wanted = msgspec.structs.replace(self.options, **options)

        async def inside() -> Result:
            async with self.access() as access:
                return await resume_run(access, self.kept(id), wanted)

        return asyncio.run(inside())

    def cancel(self, id: str, *, undo: bool = False) -> Result | None:
        async def inside() -> Result | None:
            async with self.access() as access:
                return await cancel_run(access, self.kept(id), undo=undo, options=self.options)

        return asyncio.run(inside())

    def kept(self, id: str) -> Run:
        run = self.store.runs.get(id)
        assert run is not None
        return run

    def journal(self, id: str) -> dict[str, str]:
        """Path → status of each step of a run."""
        return {row.path: row.status for row in self.store.steps.of(id).all()}


@pytest.fixture
def flows(folder: Path, store: Store, connection: Connection, api: Api) -> Flows:
    return Flows(folder, store, connection)
