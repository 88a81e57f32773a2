"""When a failed workflow may be begun anew: never where something may have been done already."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from runner.calls.access import Access
from runner.definitions.project import Project
from runner.store import Connection
from runner.workflow.repeat import repeatable
from runner.workflow.run import Result, run_workflow
from tests.api import Api, Reply

READ = "  - {use: get_order, with: {id: '1'}}\n"
WRITE = "  - {use: create_order, with: {name: tea}}\n"
EACH = "  - {foreach: '[1, 2]', use: create_order, with: {name: tea}}\n"
SEND = "  - {request: {method: POST, path: /orders, json: {name: tea}}}\n"
SKIP = "  - {when: 'false', use: create_order, with: {name: tea}}\n"
FAIL = "  - {fail: no}\n"


@pytest.mark.parametrize(
    ("steps", "statuses", "expected"),
    [
        (READ + FAIL, {}, True),
        (SKIP + FAIL, {}, True),
        (READ, {"/orders/1": 503}, True),
        (WRITE, {"/orders": 503}, True),
        (WRITE, {"/orders": 429}, True),
        (SEND, {"/orders": 503}, True),
        (WRITE, {"/orders": 500}, False),
        (WRITE, {"/orders": 400}, False),
        (EACH, {"/orders": 503}, False),
        (WRITE + READ, {"/orders/1": 503}, False),
        (WRITE + FAIL, {}, False),
        (SEND + FAIL, {}, False),
    ],
)
def test_only_a_run_that_did_nothing_is_begun_anew(
    access: Access, connection: Connection, api: Api, folder: Path,
    steps: str, statuses: dict[str, int], expected: bool,
) -> None:  # fmt: skip
    (folder / "workflows" / "try.yaml").write_text(
        f"version: 1\nworkflow: try\nintegrations: [shop]\ninput: {{}}\nsteps:\n{steps}"
    )
    access.project = Project.load(folder).checked()
    for path in ("/orders", "/orders/1"):
        api.on(path, Reply({"id": 1}, statuses.get(path, 200)))
    workflow = access.project.workflow("try")

    async def inside() -> Result:
        async with access:
            return await run_workflow(workflow, access.client(connection), access.store, {})

    result = asyncio.run(inside())
    assert result.status == "failed"
    assert repeatable(workflow, result) is expected
    assert "cause" not in result.as_data()
