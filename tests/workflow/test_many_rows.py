"""A `foreach` over rows of a file or of the store: some at a time, however many; and the rows that an API refuses."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import orjson
import pytest

from runner.workflow.life import Result
from tests.api import Api, Reply, Seen
from tests.workflow.conftest import Flows
from tests.workflow.test_crashes import Killed, die

OPERATION = """    save_all:
      params: {rows: {type: array}}
      request: {method: POST, path: /rows, json: "{{ rows }}"}
"""
LOAD = """
input: {file: {type: string, default: people.csv}}
steps:
  - id: load
    foreach: {FROM}
    concurrency: CONCURRENCY
    use: save_all
    with: {rows: "{{ item }}"}
    rejected: {of: result, when: not outcome.ok, why: outcome.error}
output: steps.load
"""
FILE = "file: '{{ input.file }}', batch: 10"
STORED = "records: {model: Person}, batch: 10"


@pytest.fixture(autouse=True)
def saving(flows: Flows, api: Api) -> None:
    path = flows.folder / "providers.yaml"
    path.write_text(path.read_text() + OPERATION)
    api.on("/rows", saved)


def saved(seen: Seen) -> Reply:
    """Takes each row but those whose number ends in 7."""
    rows = json.loads(seen.body)
    refused = [str(row["number"]).endswith("7") for row in rows]
    return Reply([{"ok": not no, "error": "sevens are not taken" if no else None} for no in refused])


def file_of(folder: Path, count: int) -> None:
    lines = [f"{number},person {number}" for number in range(count)]
    (folder / "people.csv").write_text("\n".join(["number,name", *lines]) + "\n")


def stored(flows: Flows, numbers: range, name: str = "person") -> None:
    stream = flows.store.records.stream("shop", "demo", "Person")
    rows = [(f"{n:04}", orjson.dumps({"id": f"{n:04}", "number": n, "name": f"{name} {n}"})) for n in numbers]
    stream.write(rows, 1.0)


def load(source: str, concurrency: int = 1) -> str:
    return LOAD.replace("FROM", source).replace("CONCURRENCY", str(concurrency))


def sent(api: Api) -> list[list[int]]:
    """The numbers of the rows of each request."""
    return [
        [int(row["number"]) for row in json.loads(seen.body)] for seen in api.seen if seen.path == "/rows"
    ]


def refused(flows: Flows, result: Result) -> list[tuple[object, object]]:
    return [
        (one["number"], one["why"]) for _, rows in flows.store.steps.of(result.run).rejected() for one in rows
    ]


@pytest.mark.parametrize("source", [FILE, STORED])
def test_rows_are_done_some_at_a_time_and_counted(flows: Flows, api: Api, source: str) -> None:
    file_of(flows.folder, 25)
    stored(flows, range(25))
    result = flows.run(load(source))
    assert result.output == {"rows": 25, "done": 23, "rejected": 2}
    assert sent(api) == [list(range(10)), list(range(10, 20)), list(range(20, 25))]
    assert result.rejected == 2
    assert refused(flows, result) == [(8, "sevens are not taken"), (18, "sevens are not taken")]


def test_a_row_is_an_item_without_batch(flows: Flows, api: Api) -> None:
    api.on("/orders", Reply({}))
    (flows.folder / "some.jsonl").write_text('{"number": 1}\n\n{"number": 2}\n')
    flows.run(
        "steps: [{foreach: {file: some.jsonl}, use: create_order, with: {name: \"{{ item.number ~ '-' ~ index }}\"}}]"
    )
    assert [json.loads(seen.body)["name"] for seen in api.seen] == ["1-0", "2-1"]


def test_no_rows_are_none(flows: Flows, api: Api) -> None:
    file_of(flows.folder, 0)
    assert flows.run(load(FILE)).output == {"rows": 0, "done": 0, "rejected": 0}
    assert flows.run(load("records: {model: Nothing}, batch: 3")).output == {
        "rows": 0,
        "done": 0,
        "rejected": 0,
    }
    assert sent(api) == []


def test_stored_rows_are_those_that_are_wanted(flows: Flows, api: Api) -> None:
    stored(flows, range(30))
    flows.store.records.stream("shop", "demo", "Person").delete(["0002", "0004"], 2.0)
    flows.run(load("records: {model: Person, where: record.number % 2 == 0}, batch: 6"))
    assert sent(api) == [[0, 6, 8, 10, 12, 14], [16, 18, 20, 22, 24, 26], [28]]
    api.seen.clear()
    flows.run(load("records: {model: Person, changes: [deleted]}, batch: 6"))
    assert sent(api) == [[2, 4]]


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize("source", [FILE, STORED])
def test_a_run_that_died_at_any_write_does_each_row_once(
    flows: Flows, api: Api, monkeypatch: pytest.MonkeyPatch, source: str, concurrency: int
) -> None:
    """Rows that come or change while it is dead are not done, or as they are now; none is done twice."""
    file_of(flows.folder, 45)
    for at in range(1, 40):
        stored(flows, range(0, 90, 2))
        api.seen.clear()
        died = False
        with monkeypatch.context() as patched:
            die(flows.store, at, after=bool(at % 2), monkeypatch=patched)
            try:
                result = flows.run(load(source, concurrency))
            except Killed:
                died = True
        if died:
            run = flows.store.runs.newest(limit=1)[0]
            flows.store.database.run(
                "UPDATE runs SET status = 'running', error = NULL WHERE id = ?", (run.id,)
            )
            stored(flows, range(1, 90, 2))
            stored(flows, range(10, 60, 2), "changed")
            result = flows.resume(run.id)
        sevens = 4 if source == FILE else 0
        assert result.output == {"rows": 45, "done": 45 - sevens, "rejected": sevens}
        done = Counter(number for batch in sent(api) for number in batch)
        wanted = set(range(45)) if source == FILE else set(range(0, 90, 2))
        assert wanted == set(done)
        twice = {number for number, times in done.items() if times > 1}
        assert len(twice) <= 10 * len(result.repeated)
        flows.store.records.stream("shop", "demo", "Person").empty()
    assert not died


UNDONE = """
on_failure: rollback
steps:
  - foreach: {file: people.csv, batch: 10}
    use: save_all
    with: {rows: "{{ item }}"}
    undo: {use: save_all, with: {rows: "{{ item[:1] }}"}}
  - fail: it is enough
"""


def test_batches_are_undone_the_newest_first(flows: Flows, api: Api) -> None:
    file_of(flows.folder, 25)
    result = flows.run(UNDONE)
    assert result.undone == ["#1[2]", "#1[1]", "#1[0]"]
    assert [batch[0] for batch in sent(api)] == [0, 10, 20, 20, 10, 0]


def test_a_dry_run_shows_the_first_batch(flows: Flows, api: Api) -> None:
    file_of(flows.folder, 25)
    (load_step,) = flows.run(load(FILE), dry=True).steps
    (request,) = load_step["requests"]  # type: ignore[misc]
    assert len(json.loads(request["body"])) == 10
    assert sent(api) == []


def test_rows_are_read_as_they_are_needed(flows: Flows, api: Api) -> None:
    """A file that is broken behind its middle is done up to there."""
    lines = [f"{number},person" for number in range(30_000)]
    (flows.folder / "people.csv").write_text("\n".join(["number,name", *lines, "one too,many,cells"]) + "\n")
    result = flows.run(load(FILE.replace("10", "5000"), concurrency=2))
    assert (result.error or {})["message"] == (
        "people.csv is not what its format says: row 30001 of its CSV has 3 columns, expected 2"
    )
    done = [batch[0] for batch in sorted(sent(api))]
    assert done == [5000 * number for number in range(len(done))]
    assert len(done) >= 3


SENTENCES = [
    ("file: nobody.csv", {}, "nobody.csv cannot be read: No such file or directory", "name a file that this process may read"),
    ("file: providers.yaml", {}, "providers.yaml has a name that does not tell its format", "say it: `format: csv`"),
    ("file: providers.yaml, format: ndjson", {}, "providers.yaml is not what its format says: line 2 is no JSON: unexpected character, expected a JSON value: line 1 column 1 (char 0)", "mend the file"),
    ("file: /etc/passwd", {"by": "api"}, "/etc/passwd may not be read", "put it into the project's folder, and name it from there"),
    ("file: ../people.csv", {"by": "api"}, "../people.csv may not be read", "put it into the project's folder, and name it from there"),
    ("file: .terapi/terapi.db", {"by": "webhook"}, ".terapi/terapi.db may not be read", "put it into the project's folder, and name it from there"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "by", "message", "hint"), SENTENCES, ids=[row[2] for row in SENTENCES])
def test_what_cannot_be_read_is_told(
    flows: Flows, source: str, by: dict[str, str], message: str, hint: str
) -> None:
    result = flows.run(load(source), started_by=by or None)
    error = result.error or {}
    assert (error["kind"], error["message"], error["hint"]) == ("bad_file", message, hint)
    assert error["where"] == "workflows/try.yaml:8:14"


def test_a_link_out_of_the_folder_is_no_way_out(
    flows: Flows, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "people.csv"
    outside.write_text("number\n1\n")
    (flows.folder / "link.csv").symlink_to(outside)
    assert (flows.run(load("file: link.csv"), started_by={"by": "api"}).error or {})["kind"] == "bad_file"
    assert flows.run(load(f"file: {outside}, batch: 1")).output == {"rows": 1, "done": 1, "rejected": 0}


def test_another_file_of_the_name_is_told_when_the_run_goes_on(
    flows: Flows, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_of(flows.folder, 25)
    with monkeypatch.context() as patched:
        die(flows.store, 4, after=True, monkeypatch=patched)
        with pytest.raises(Killed):
            flows.run(load(FILE))
    run = flows.store.runs.newest(limit=1)[0]
    flows.store.database.run("UPDATE runs SET status = 'running', error = NULL WHERE id = ?", (run.id,))
    file_of(flows.folder, 26)
    error = flows.resume(run.id).error or {}
    assert (error["message"], error["hint"]) == (
        "people.csv is another than when the run began",
        "run it anew with this one",
    )


OUTCOMES = [
    ("of: result.ok, why: outcome", "`rejected.of` gave a map, expected a list"),
    ('of: "[1, 2, 3]", why: outcome', "`rejected.of` gave more than the 2 rows of the item"),
]


@pytest.mark.parametrize(("rule", "message"), OUTCOMES)
def test_outcomes_that_do_not_fit_are_told(flows: Flows, api: Api, rule: str, message: str) -> None:
    api.on("/rows", Reply({"ok": {"a": 1}}))
    file_of(flows.folder, 2)
    text = load(FILE).replace("of: result, when: not outcome.ok, why: outcome.error", rule)
    assert (flows.run(text).error or {})["message"] == message


def test_rows_may_come_from_the_outcomes(flows: Flows, api: Api) -> None:
    api.on("/rows", Reply([{"number": 1, "name": "x", "error": "no"}]))
    file_of(flows.folder, 2)
    rule = "of: result, why: outcome.error, row: outcome | without('error')"
    result = flows.run(load(FILE).replace("of: result, when: not outcome.ok, why: outcome.error", rule))
    ((path, rows),) = flows.store.steps.of(result.run).rejected()
    assert (path, rows) == ("load[0]", [{"number": None, "row": {"number": 1, "name": "x"}, "why": "no"}])
