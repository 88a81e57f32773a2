"""A step that is a job: submitted once, whatever becomes of the process that waits for it."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.api import Api, Reply, Seen
from tests.workflow.conftest import Flows
from tests.workflow.test_crashes import Killed, die

OPERATION = """    import_rows:
      params: {rows: {type: array}}
      job:
        submit:
          request: {method: POST, path: /jobs}
          id: response.body.id
          then:
            - {method: PUT, path: "/jobs/{{ job.id }}/rows", body: "{{ rows | encode('csv') }}"}
            - {method: PATCH, path: "/jobs/{{ job.id }}", json: {state: closed}}
        poll:
          request: {path: "/jobs/{{ job.id }}"}
          done: response.body.state == 'done'
          failed: response.body.state == 'failed'
        results: {request: {path: "/jobs/{{ job.id }}/refused"}, format: csv}
"""
FLOW = """
steps:
  - id: load
    use: import_rows
    with: {rows: [{id: 1}, {id: 2}]}
    RETRY
output: steps.load
"""


class Jobs:
    """An API that does jobs."""

    def __init__(self, api: Api, states: list[str]) -> None:
        self.api = api
        self.states = states
        self.submitted = 0
        api.on("/jobs", self.submit)
        for id in ("1", "2", "3"):
            api.on(f"/jobs/{id}", self.tell)
            api.on(f"/jobs/{id}/rows", Reply(status=201))
            refused = Reply(b"id,why\n2,no\n", headers={"Content-Type": "text/csv"})
            api.on(f"/jobs/{id}/refused", refused)

    def submit(self, seen: Seen) -> Reply:
        self.submitted += 1
        return Reply({"id": str(self.submitted)})

    def tell(self, seen: Seen) -> Reply:
        if seen.method == "PATCH":
            return Reply({})
        return Reply({"state": self.states.pop(0) if len(self.states) > 1 else self.states[0]})


@pytest.fixture(autouse=True)
def importing(flows: Flows) -> None:
    path = flows.folder / "providers.yaml"
    path.write_text(path.read_text() + OPERATION)


def flow(retry: str = "") -> str:
    return FLOW.replace("RETRY", retry)


def test_a_job_is_submitted_filled_closed_and_waited_for(flows: Flows, api: Api) -> None:
    Jobs(api, ["open", "running", "done"])
    assert flows.run(flow()).output == [{"id": "2", "why": "no"}]
    assert api.paths() == [
        "POST /jobs", "PUT /jobs/1/rows", "PATCH /jobs/1",
        "GET /jobs/1", "GET /jobs/1", "GET /jobs/1", "GET /jobs/1/refused",
    ]  # fmt: skip
    assert api.seen[1].body == b"id\r\n1\r\n2\r\n"
    assert json.loads(api.seen[2].body) == {"state": "closed"}


def test_a_job_whose_process_died_is_asked_for_and_not_submitted_again(
    flows: Flows, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Counter[tuple[int, int]]()
    died, at = True, 0
    while died:
        at, died, jobs = at + 1, False, Jobs(api, ["running", "running", "done"])
        with monkeypatch.context() as patched:
            die(flows.store, at, after=True, monkeypatch=patched)
            try:
                result = flows.run(flow())
            except Killed:
                died = True
        if died:
            run = flows.store.runs.newest(limit=1)[0]
            flows.store.database.run(
                "UPDATE runs SET status = 'running', error = NULL WHERE id = ?", (run.id,)
            )
            result = flows.resume(run.id)
        assert (result.status, result.output) == ("success", [{"id": "2", "why": "no"}])
        assert jobs.submitted == 1
        assert result.repeated == ([] if at != 1 else result.repeated)
        seen[(jobs.submitted, len(result.repeated))] += 1
    assert at > 3


def test_another_try_of_a_job_that_failed_is_another_job(flows: Flows, api: Api) -> None:
    jobs = Jobs(api, ["failed", "running", "done"])
    result = flows.run(flow("retry: {attempts: 2, when: error.kind == 'job_failed'}"))
    assert (result.status, jobs.submitted) == ("success", 2)
