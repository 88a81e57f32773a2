"""What each kind of step does."""

from __future__ import annotations

import json

import pytest

from tests.api import Api, Reply, Seen
from tests.workflow.conftest import Flows


def echo(seen: Seen) -> Reply:
    body = json.loads(seen.body) if seen.body else {}
    return Reply({"id": f"id-{body.get('name')}", **body})


@pytest.mark.parametrize(
    ("steps", "output", "expected"),
    [
        ("[{id: a, set: {x: 1, y: \"{{ input.n }}\"}}]", "steps.a", {"x": 1, "y": 2}),
        ("[{id: a, use: create_order, with: {name: tea}}]", "steps.a.id", "id-tea"),
        ("[{id: a, request: {method: POST, path: /orders, json: {name: tea}}}]", "steps.a.id", "id-tea"),
        ("[{id: a, request: {path: /orders}, output: response.status}]", "steps.a", 200),
        ("[{return: {n: \"{{ input.n }}\"}}, {fail: no}]", "none", {"n": 2}),
        ("[{id: a, steps: [{id: b, set: {x: 1}}, {id: c, set: {y: \"{{ steps.b.x + 1 }}\"}}]}]", "[steps.a, steps.c]", [{"b": {"x": 1}, "c": {"y": 2}}, {"y": 2}]),
        ("[{id: a, parallel: [{id: b, set: {x: 1}}, {id: c, set: {y: 2}}]}]", "[steps.a, steps.b]", [{"b": {"x": 1}, "c": {"y": 2}}, {"x": 1}]),
        ("[{id: a, switch: [{when: input.n > 5, steps: [{id: b, set: {x: many}}]}, {steps: [{id: b, set: {x: few}}]}]}]", "[steps.a, steps.b]", [{"b": {"x": "few"}}, {"x": "few"}]),
        ("[{id: a, switch: [{when: input.n > 5, steps: [{id: b, set: {x: many}}]}]}]", "steps.a is defined", False),
        ("[{id: a, foreach: 'range(3)', set: {x: \"{{ item * 2 }}\"}}]", "steps.a | pluck('x')", [0, 2, 4]),
        ("[{id: a, foreach: 'range(4)', concurrency: 3, use: create_order, with: {name: \"n{{ item }}\"}, output: result.id}]", "steps.a", ["id-n0", "id-n1", "id-n2", "id-n3"]),
        ("[{id: a, foreach: 'range(4)', when: item is odd, set: {x: \"{{ index }}\"}}]", "steps.a | pluck('x')", [1, 3]),
        ("[{id: a, foreach: 'range(2)', steps: [{id: b, set: {x: \"{{ item }}\"}}, {id: c, set: {y: \"{{ steps.b.x + 1 }}\"}}], output: result.c.y}]", "steps.a", [1, 2]),
        ("[{id: a, foreach: input.missing, set: {x: 1}}]", "steps.a", []),
        ("[{id: a, when: input.n > 5, set: {x: 1}}]", "steps.a is defined", False),
        ("[{id: a, repeat: 3, set: {x: \"{{ turn + (result.x if result else 0) }}\"}}]", "steps.a.x", 6),
        ("[{id: a, repeat: {every: 1h}, until: result.x == 4, set: {x: \"{{ turn }}\"}}]", "steps.a.x", 4),
        ("[{wait: {for: 2h}}, {id: a, set: {x: 1}}]", "steps.a.x", 1),
        ("[{wait: {until: \"timestamp('2020-01-01')\"}}, {id: a, set: {x: 1}}]", "steps.a.x", 1),
    ],
)  # fmt: skip
def test_a_step_gives(flows: Flows, api: Api, steps: str, output: str, expected: object) -> None:
    api.on("/orders", echo)
    result = flows.run(
        f'input: {{n: {{type: integer, default: 2}}, missing: {{type: array, optional: true}}}}\nsteps: {steps}\noutput: "{output}"\n'
    )
    assert result.error is None
    assert result.output == expected
    assert flows.kept(result.run).output == expected


SYNC = """
version: 1
sync: kinds
integrations: [shop]
matrix: {variant: [big, small]}
model: Order
primary_key: id
fetch: {use: list_orders, with: {since: "{{ variant }}"}}
fields: {id: record.id}
"""


def test_a_sync_with_a_matrix_gives_the_list_of_what_each_tells(flows: Flows, api: Api) -> None:
    (flows.folder / "syncs/kinds.yaml").write_text(SYNC)
    rows = {"big": [{"id": "1"}], "small": [{"id": "1"}, {"id": "2"}]}
    api.on("/orders", lambda seen: Reply({"orders": rows[seen.query["since"]]}))
    result = flows.run(
        """
        steps:
          - {id: all, sync: kinds}
          - {id: one, sync: {name: "kinds::small", full: true}}
          - {id: big, foreach: "['big', 'small', 'base']", records: {model: Order, variant: "{{ item }}"}}
        output:
          all: steps.all | pluck('added')
          names: steps.all | pluck('sync')
          one: steps.one | pluck('unchanged')
          sizes: "[steps.big[0] | length, steps.big[1] | length, steps.big[2] | length]"
        """
    )
    assert result.error is None
    assert result.output == {
        "all": [1, 2],
        "names": ["kinds::big", "kinds::small"],
        "one": [2],
        "sizes": [1, 2, 0],
    }


def test_one_of_many_that_fails_fails_the_step_when_all_have_run(flows: Flows, api: Api) -> None:
    (flows.folder / "syncs/kinds.yaml").write_text(SYNC)
    answers = {"big": Reply({}, 403), "small": Reply({"orders": [{"id": "1"}]})}
    api.on("/orders", lambda seen: answers[seen.query["since"]])
    result = flows.run("steps: [{id: all, sync: kinds}]")
    assert result.error is not None
    assert str(result.error["message"]).startswith("1 of 2 syncs failed: kinds::big: ")
    assert [key.variant for key in flows.store.records.streams()] == ["small"]
