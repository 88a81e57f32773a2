"""Tests of definitions run: what passes, and what is said of what does not."""

from __future__ import annotations

import asyncio
import textwrap
from pathlib import Path

import pytest

from runner.definitions.project import Project
from runner.testing.report import Report
from runner.testing.run import run_test

SYNC = """
version: 1
sync: orders
given: {connection: {config: {url: https://url.test}}, checkpoint: 2026-01-01T00:00:00.000Z, now: 2026-01-02T00:00:00Z}
http:
  - request:
      path: /orders
      query: {since: 2025-12-31T23:59:00.000Z, until: 2026-01-02T00:00:01.000Z}
    response: {json: {orders: [{id: "1", name: Ada, total: "5", at: 2026-01-01T10:00:00Z}]}}
expect:
  records:
    Order: [{id: "1", name: Ada, total: 5}]
  checkpoint: 2026-01-01T10:00:00.000Z
  requests: 1
"""
WORKFLOW = """
version: 1
workflow: place
integrations: [shop]
input: {name: {type: string}, at: {type: string, optional: true}}
on_failure: rollback
steps:
  - id: gate
    when: input.name == 'big'
    approve: {message: Place it?}
  - id: order
    use: create_order
    with: {name: "{{ input.name }}", note: "{{ now() }} {{ uuid() }}"}
    undo: {request: {method: DELETE, path: "/orders/{{ result.id }}"}}
  - {id: later, wait: {for: 3d}}
  - {id: seen, use: get_order, with: {id: "{{ steps.order.id }}"}}
output: {id: steps.order.id, state: steps.seen.state}
"""
PLACED = """
version: 1
workflow: place
given: {input: {name: small}}
http:
  - request:
      method: POST
      path: /orders
      json: {name: small, note: "2026-01-01T00:00:00.000Z 00000000-0000-4000-8000-000000000001"}
    response: {status: 201, json: {id: "7"}}
  - request: {path: /orders/7}
    response: {json: {id: "7", state: open}}
expect: {output: {id: "7", state: open}, requests: 2}
"""


@pytest.fixture
def project(folder: Path) -> Path:
    (folder / "workflows" / "place.yaml").write_text(WORKFLOW)
    return folder


def run(folder: Path, text: str, *, update: bool = False) -> Report:
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "tests" / "it.test.yaml").write_text(text)
    project = Project.load(folder, tests=True).checked()
    (test,) = project.tests
    return asyncio.run(run_test(project, test, update=update))


def lines(text: str) -> list[str]:
    return textwrap.dedent(text).strip().split("\n")


@pytest.mark.parametrize("text", [SYNC, PLACED])
def test_what_comes_as_expected_passes(project: Path, text: str) -> None:
    report = run(project, text)
    assert (report.status, report.diff, report.problems) == ("passed", "", [])


def test_what_differs_is_shown(project: Path) -> None:
    report = run(project, SYNC.replace('total: "5"', 'total: "6"'))
    assert report.failed
    assert report.diff.split("\n") == lines("""
        --- tests/it.test.yaml expects
        +++ found
        @@ -1,4 +1,4 @@
         records:
        -  Order: [{id: "1", name: Ada, total: 5}]
        +  Order: [{id: "1", name: Ada, total: 6}]
         checkpoint: 2026-01-01T10:00:00.000Z
         requests: 1
        """)


def test_a_request_that_is_not_recorded_is_shown_beside_the_nearest(project: Path) -> None:
    (project / "syncs" / "orders.yaml").write_text(
        (project / "syncs" / "orders.yaml").read_text().replace("lookback: 1m", "lookback: 2m")
    )
    report = run(project, SYNC)
    assert report.failed
    assert report.diff == ""
    asked = "GET https://url.test/orders?since={}&until=2026-01-02T00:00:01.000Z"
    assert report.problems == [
        f"not on the cassette: {asked.format('2025-12-31T23:58:00.000Z')}",
        "  nearest: tests/it.test.yaml:6",
        "    query since: recorded 2025-12-31T23:59:00.000Z, sent 2025-12-31T23:58:00.000Z",
        f"never asked for: {asked.format('2025-12-31T23:59:00.000Z')} (tests/it.test.yaml:6)",
    ]


def test_what_is_asked_for_more_often_than_recorded_is_told(project: Path) -> None:
    twice = WORKFLOW.replace("{id: later, wait: {for: 3d}}", '{use: get_order, with: {id: "7"}}')
    (project / "workflows" / "place.yaml").write_text(twice)
    assert run(project, PLACED).problems[:2] == [
        "not on the cassette: GET https://url.test/orders/7",
        "  it is recorded, but was asked for already (tests/it.test.yaml:11)",
    ]


def test_where_nothing_is_recorded_that_is_told(project: Path) -> None:
    report = run(project, "version: 1\nsync: orders\nexpect: {}\n")
    assert report.problems[1:] == ["  nothing is recorded"]


def test_a_failure_must_be_expected(project: Path) -> None:
    failing = SYNC.replace('total: "5"', "total: five")
    report = run(project, failing)
    assert report.failed
    assert "+error:" in report.diff
    expected = failing[: failing.index("expect:")] + "expect: {records: {}, error: {kind: record}}\n"
    assert run(project, expected).status == "passed"
    other = expected.replace("kind: record", "kind: timeout")
    assert "-error: {kind: timeout}\n+error: {kind: record}" in run(project, other).diff


def test_an_expected_failure_that_does_not_come_fails(project: Path) -> None:
    report = run(project, SYNC + "  error: {kind: record}\n")
    assert report.diff.split("\n")[-1] == "-error: {kind: record}"


@pytest.mark.parametrize("fault", ["network", "disconnected", "timeout", "truncated"])
def test_faults_can_be_recorded(project: Path, fault: str) -> None:
    answer = PLACED[PLACED.index("  - request: {path: /orders/7}") : PLACED.index("expect:")]
    faulty = answer.replace('response: {json: {id: "7", state: open}}', f"response: {{fault: {fault}}}")
    assert run(
        project, PLACED.replace(answer, faulty + answer).replace("requests: 2", "requests: 3")
    ).status == ("passed")


def test_what_is_taken_back_is_told(project: Path) -> None:
    gone = "    response: {status: 404, json: {}}\n  - request: {method: DELETE, path: /orders/7}\n    response: {status: 204}\n"
    text = PLACED.replace('    response: {json: {id: "7", state: open}}\n', gone)
    text = (
        text[: text.index("expect:")]
        + "expect: {undone: [order], requests: 3, error: {kind: not_found, step: seen}}\n"
    )
    report = run(project, text)
    assert (report.diff, report.problems) == ("", [])


def test_a_mock_stands_for_what_no_test_can_do(project: Path) -> None:
    big = PLACED.replace("small", "big")
    report = run(project, big)
    assert "+  kind: waiting" in report.diff
    assert "+  hint: say in `given.mock` what the step gives" in report.diff.replace('"', "")
    assert (
        run(
            project, big.replace("input: {name: big}", "input: {name: big}, mock: {gate: {approved: true}}")
        ).status
        == "passed"
    )


def test_without_a_cassette_a_workflow_runs_dry(project: Path) -> None:
    report = run(
        project,
        """
version: 1
workflow: place
given: {input: {name: small}, mock: {seen: {state: open}}}
expect:
  requests:
    - method: POST
      url: https://url.test/orders
      json: {name: small, note: "2026-01-01T00:00:00.000Z 00000000-0000-4000-8000-000000000001"}
""",
    )
    assert (
        report.problems
        == [
            "not on the cassette: GET https://url.test/orders/(id of a dry run)",
            "  nothing is recorded",
        ]
        or report.status == "passed"
    )


MANY = """
version: 1
sync: kinds
integrations: [shop]
matrix: {kind: [Sale, Gift], variant: [eu]}
model: "{{ matrix.kind }}"
primary_key: id
incremental: {cursor: record.at}
fetch: {use: list_orders, with: {since: "{{ matrix.kind }}"}}
fields: {id: record.id}
"""
OF_ONE = """
version: 1
sync: kinds.Gift
given: {connection: {config: {url: https://url.test}}, checkpoint: 2026-01-01T00:00:00.000Z, now: 2026-01-02T00:00:00Z}
http:
  - request: {path: /orders, query: {since: Gift}}
    response: {json: {orders: [{id: "1", at: 2026-01-01T10:00:00Z}]}}
expect: {records: {"Gift::eu": [{id: "1"}]}, checkpoint: 2026-01-01T10:00:00.000Z}
"""
OF_ALL = """
version: 1
sync: kinds
given: {connection: {config: {url: https://url.test}}, now: 2026-01-02T00:00:00Z}
http:
  - {request: {path: /orders, query: {since: Sale}}, response: {status: 403, json: {}}}
  - request: {path: /orders, query: {since: Gift}}
    response: {json: {orders: [{id: "1", at: 2026-01-01T10:00:00Z}]}}
expect: {records: {"Gift::eu": [{id: "1"}]}, error: {kind: forbidden}}
"""


@pytest.mark.parametrize("text", [OF_ONE, OF_ALL])
def test_what_a_definition_stands_for_is_tested_by_its_name_or_whole(project: Path, text: str) -> None:
    (project / "syncs/kinds.yaml").write_text(MANY)
    report = run(project, text)
    assert (report.status, report.diff, report.problems) == ("passed", "", [])


def test_records_that_are_given_are_there(project: Path) -> None:
    given = SYNC.replace(
        "given: {", 'given: {records: {Order: [{id: "1", name: Ada, total: 5}, {id: "2"}]}, '
    )
    report = run(project, given)
    assert "+records: {}" in report.diff  # nothing has changed
    gone = given.replace("at: 2026-01-01T10:00:00Z", "at: 2026-01-01T10:00:00Z, gone: true")
    gone = gone.replace(
        '  records:\n    Order: [{id: "1", name: Ada, total: 5}]', '  deletes: {Order: ["1"]}'
    )
    assert run(project, gone).diff == ""


def test_an_update_writes_what_was_found_and_leaves_the_rest(project: Path) -> None:
    text = "# why\n" + SYNC.replace('total: "5"', 'total: "6"') + "# behind\ndescription: It stays.\n"
    assert run(project, text, update=True).status == "updated"
    written = (project / "tests" / "it.test.yaml").read_text()
    assert written == text.replace("total: 5", "total: 6")
    assert run(project, written).status == "passed"


def test_what_misses_an_answer_cannot_be_updated(project: Path) -> None:
    text = SYNC.replace("/orders", "/elsewhere")
    assert run(project, text, update=True).failed
    assert (project / "tests" / "it.test.yaml").read_text() == text


def test_what_keeps_one_from_running_keeps_no_other(project: Path) -> None:
    providers = project / "providers.yaml"
    providers.write_text(
        providers.read_text().replace(
            'base_url: "{{ config.url }}"', 'base_url: "{{ config.url ~ config.region }}"'
        )
    )
    report = run(project, PLACED.replace("given: {", "given: {connection: {config: {region: null}}, "))
    assert report.failed
    assert len(report.problems) == 1
    assert "null" in report.problems[0]


LINES = """
version: 1
sync: lines
integrations: [shop]
model: Line
primary_key: id
foreach: {records: Order}
incremental: {cursor: record.at, lookback: 1m}
fetch: {use: list_orders, with: {since: "{{ item.id }} {{ slice.from }}"}}
fields: {id: record.id, order: item.id}
deletes: {orphans: order}
"""
OF_PARENTS = """
version: 1
sync: lines
given:
  connection: {config: {url: https://url.test}}
  now: 2026-01-02T00:00:00Z
  records: {Order: [{id: a}, {id: new}], Line: [{id: "1", order: a}, {id: "9", order: gone}]}
  checkpoint: {a: 2026-01-01T00:00:00.000Z, gone: 2026-01-01T00:00:00.000Z}
http:
  - request: {path: /orders, query: {since: a 2025-12-31T23:59:00.000Z}}
    response: {json: {orders: [{id: "2", at: 2026-01-01T10:00:00Z}]}}
  - request: {path: /orders, query: {since: new 1970-01-01T00:00:00.000Z}}
    response: {json: {orders: []}}
expect:
  records:
    Line: [{id: "2", order: a}]
  deletes:
    Line: ["9"]
  checkpoint: {a: 2026-01-01T10:00:00.000Z, new: null}
"""


def test_a_sync_of_parents_has_a_checkpoint_for_each(project: Path) -> None:
    (project / "syncs" / "lines.yaml").write_text(LINES)
    report = run(project, OF_PARENTS)
    assert (report.status, report.diff, report.problems) == ("passed", "", [])
    report = run(project, OF_PARENTS.replace(", new: null", ""))
    assert "-checkpoint: {a: 2026-01-01T10:00:00.000Z}" in report.diff.split("\n")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (OF_PARENTS.replace("{a: 2026-01-01T00:00:00.000Z, gone: 2026-01-01T00:00:00.000Z}", "2026-01-01T00:00:00Z"), "`lines` has a checkpoint for each parent"),
        (SYNC.replace("checkpoint: 2026-01-01T00:00:00.000Z", "checkpoint: {a: 2026-01-01T00:00:00.000Z}"), "`orders` has one checkpoint, and no parents"),
    ],
)  # fmt: skip
def test_a_checkpoint_of_the_other_kind_is_refused(project: Path, text: str, says: str) -> None:
    (project / "syncs" / "lines.yaml").write_text(LINES)
    report = run(project, text)
    assert report.failed
    assert report.problems[0] == says
