"""When a failed workflow may be begun anew: never where something may have been done already."""

from __future__ import annotations

import pytest

from runner.workflow.repeat import repeatable
from tests.api import Api, Reply
from tests.workflow.conftest import Flows

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
        (EACH, {"/orders": 503}, True),
        (EACH, {"/orders": 500}, False),
        (WRITE + READ, {"/orders/1": 503}, False),
        (WRITE + FAIL, {}, False),
        (SEND + FAIL, {}, False),
    ],
)
def test_only_a_run_that_did_nothing_is_begun_anew(
    flows: Flows, api: Api, steps: str, statuses: dict[str, int], expected: bool
) -> None:
    for path in ("/orders", "/orders/1"):
        api.on(path, Reply({"id": 1}, statuses.get(path, 200)))
    result = flows.run(f"steps:\n{steps}")
    assert result.status == "failed"
    assert repeatable(result) is expected
    assert not {"cause", "touched"} & set(result.as_data())
