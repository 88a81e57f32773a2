"""Syncs whose window is cut into slices: read side by side, each going on by itself."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from runner.calls.access import Access
from runner.definitions.project import Project
from runner.errors import CallError, RecordError
from runner.store import Connection
from runner.sync.run import Options, Result, run_sync
from tests.api import Api, Reply, Seen
from tests.conftest import ENVIRON, ORDERS, PROVIDERS, Waits
from tests.sync.test_run import KEY, order, source, stored, sync

COUNT = """
    count_orders:
      params: {since: {type: string}, until: {type: string}}
      request: {path: /count, query: {since: "{{ since }}", until: "{{ until }}"}}
    export_orders:
      params: {since: {type: string}, until: {type: string}}
      job:
        submit: {request: {method: POST, path: /jobs, json: {since: "{{ since }}", until: "{{ until }}"}}, id: response.body.id}
        poll: {request: {path: "/jobs/{{ job.id }}"}, done: response.body.done}
        results: {request: {path: "/jobs/{{ job.id }}/rows"}, format: csv}
"""
SIZE = "size: {use: count_orders, with: {since: '{{ slice.from }}', until: '{{ slice.to }}'}, total: result.total}"
BY = "slices: {by: 1d, concurrency: 3}"
MOST = f"slices: {{most: 3, concurrency: 3, {SIZE}}}"
FETCH = 'fetch: {use: list_orders, with: {since: "{{ slice.from }}", until: "{{ slice.to }}"}}'
JOB = """fetch:
  - when: (slice.total | default(0)) > 10
    use: export_orders
    with: {since: "{{ slice.from }}", until: "{{ slice.to }}"}
  - use: list_orders
    with: {since: "{{ slice.from }}", until: "{{ slice.to }}"}"""


def cut_by(folder: Path, slices: str, fetch: str = FETCH) -> None:
    cursor = "incremental: {cursor: record.at, lookback: 1m"
    written = ORDERS.replace(cursor + "}", f'{cursor}, start: "2026-01-01T00:00:00Z", {slices}}}').replace(
        FETCH, fetch
    )
    assert slices in written
    assert fetch in written
    (folder / "syncs" / "orders.yaml").write_text(written)
    (folder / "providers.yaml").write_text(PROVIDERS.rstrip() + COUNT)


@pytest.fixture
def by_day(folder: Path) -> None:
    cut_by(folder, BY)


@pytest.fixture
def by_size(folder: Path) -> None:
    cut_by(folder, MOST)


@pytest.fixture
def by_job(folder: Path) -> None:
    cut_by(folder, MOST, JOB)


ROWS = [order(f"{day}-{n}", f"2026-01-{day:02}T0{n}:00:00Z") for day in (2, 3, 5) for n in range(5)]


def counts(api: Api, rows: list[dict[str, object]]) -> None:
    def count(seen: Seen) -> Reply:
        since, until = seen.query["since"], seen.query["until"]
        return Reply({"total": sum(since <= str(row["at"]) < until for row in rows)})

    api.on("/count", count)


def asked(api: Api) -> list[tuple[str, str]]:
    return [
        (seen.query["since"][:10], seen.query.get("start", "0"))
        for seen in api.seen
        if seen.path == "/orders"
    ]


@pytest.mark.usefixtures("by_size")
def test_a_first_run_is_cut_by_size_and_stores_everything_once(
    access: Access, connection: Connection, api: Api
) -> None:
    source(api, ROWS)
    counts(api, ROWS)
    result = sync(access, connection)
    assert (result.read, result.added, result.checkpoint) == (15, 15, "2026-01-05T04:00:00.000Z")
    assert len(stored(access)) == 15
    assert len({since for since, _ in asked(api)}) >= 3


@pytest.mark.usefixtures("by_size")
def test_a_small_next_run_is_neither_counted_nor_cut(
    access: Access, connection: Connection, api: Api
) -> None:
    source(api, ROWS)
    counts(api, ROWS)
    sync(access, connection)
    api.seen.clear()
    result = sync(access, connection)
    assert api.paths() == ["GET /ping", "GET /orders"]
    assert (result.read, result.unchanged) == (1, 1)


@pytest.mark.usefixtures("by_day")
def test_slices_are_read_side_by_side(access: Access, connection: Connection, api: Api) -> None:
    source(api, ROWS)
    answer, together = api.handlers["/orders"], threading.Barrier(3)

    def waits_for_the_others(seen: Seen) -> Reply:
        if (
            seen.query["since"][:10] in ("2026-01-01", "2026-01-02", "2026-01-03")
            and "start" not in seen.query
        ):
            together.wait(20)
        return answer(seen)

    api.on("/orders", waits_for_the_others)
    assert sync(access, connection).added == 15


@pytest.mark.usefixtures("by_day")
def test_a_cut_run_goes_on_in_each_slice_where_it_was(
    access: Access, connection: Connection, api: Api
) -> None:
    source(api, ROWS)
    answer = api.handlers["/orders"]
    api.on(
        "/orders",
        lambda seen: (
            Reply({}, 400)
            if (seen.query["since"][:10], seen.query.get("start")) == ("2026-01-03", "2")
            else answer(seen)
        ),
    )
    with pytest.raises(CallError):
        sync(access, connection)
    kept = set(stored(access))
    assert {"3-0", "3-1"} <= kept < {str(row["id"]) for row in ROWS}
    state = access.store.states.get(KEY)
    assert state.checkpoint is None
    api.seen.clear()
    api.on("/orders", answer)
    result = sync(access, connection)
    assert len(stored(access)) == 15
    assert result.added == 15 - len(kept)
    assert ("2026-01-03", "0") not in asked(api)
    assert ("2026-01-03", "2") in asked(api)


@pytest.mark.usefixtures("by_day")
def test_only_the_slice_is_read_anew_whose_pages_are_forgotten(
    access: Access, connection: Connection, api: Api
) -> None:
    source(api, ROWS)
    answer, refused = api.handlers["/orders"], [0]

    def forgets(seen: Seen) -> Reply:
        if (seen.query["since"][:10], seen.query.get("start")) == ("2026-01-03", "2") and not refused[0]:
            refused[0] = 1
            return Reply({"code": "GONE"}, 400)
        return answer(seen)

    api.on("/orders", forgets)
    result = sync(access, connection)
    assert (len(stored(access)), result.added) == (15, 15)
    starts = [since for since, start in asked(api) if start == "0"]
    assert starts.count("2026-01-03") == 2
    assert starts.count("2026-01-02") == 1


@pytest.mark.usefixtures("by_day")
def test_pages_that_are_always_forgotten_end_the_run(
    access: Access, connection: Connection, api: Api
) -> None:
    source(api, ROWS)
    answer = api.handlers["/orders"]
    api.on("/orders", lambda seen: Reply({"code": "GONE"}, 400) if "start" in seen.query else answer(seen))
    with pytest.raises(CallError) as caught:
        sync(access, connection)
    assert caught.value.kind == "cursor_expired"


@pytest.mark.usefixtures("by_size")
def test_a_size_that_is_no_number_is_told(access: Access, connection: Connection, api: Api) -> None:
    source(api, ROWS)
    api.on("/count", Reply({"total": "many"}))
    with pytest.raises(RecordError) as caught:
        sync(access, connection)
    assert caught.value.message == "`slices.size` gave no number: the text 'many' is no number"


def job(api: Api, rows: list[dict[str, object]]) -> None:
    api.on("/jobs", Reply({"id": 5}))
    api.on("/jobs/5", Reply({"done": True}))
    table = "id,at,name,total,gone\n" + "".join(
        f"{row['id']},{row['at']},{row['name']},{row['total']},\n" for row in rows
    )
    api.on("/jobs/5/rows", Reply(table.encode()))


@pytest.mark.usefixtures("by_job")
def test_a_job_reads_its_window_whole_and_stores_the_same(
    access: Access, connection: Connection, api: Api
) -> None:
    source(api, ROWS)
    counts(api, ROWS)
    job(api, ROWS)
    result = sync(access, connection)
    assert [path for path in api.paths() if path != "GET /ping"] == [
        "GET /count", "POST /jobs", "GET /jobs/5", "GET /jobs/5/rows",
    ]  # fmt: skip
    assert result.added == 15
    by_job = stored(access)
    counts(api, ROWS[:1])
    assert sync(access, connection, full=True).unchanged == 15
    assert stored(access) == by_job


@pytest.mark.usefixtures("by_job")
def test_a_job_that_was_submitted_is_awaited_by_the_next_run(
    access: Access, connection: Connection, api: Api
) -> None:
    source(api, ROWS)
    counts(api, ROWS)
    job(api, ROWS)
    api.on("/jobs/5", Reply({}, 400))
    with pytest.raises(CallError):
        sync(access, connection)
    job(api, ROWS)
    api.seen.clear()
    assert sync(access, connection).added == 15
    assert "POST /jobs" not in api.paths()


@pytest.mark.usefixtures("by_job")
def test_a_job_that_was_lost_is_submitted_again(access: Access, connection: Connection, api: Api) -> None:
    counts(api, ROWS)
    job(api, ROWS)
    api.on("/jobs/5", [Reply({"message": "gone"}, 404), Reply({"done": True})])
    assert sync(access, connection).added == 15
    assert api.paths().count("POST /jobs") == 2


@pytest.mark.usefixtures("by_size")
def test_a_long_pause_is_cut_after_all(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    """The first page tells that there is more than a slice may have."""
    source(api, ROWS[:1])
    counts(api, ROWS[:1])
    written = (folder / "providers.yaml").read_text()
    assert "next_url: response.body.next" in written
    sync(access, connection)
    source(api, ROWS)
    counts(api, ROWS)
    answer = api.handlers["/orders"]

    def with_total(seen: Seen) -> Reply:
        reply = answer(seen)
        total = sum(seen.query["since"] <= str(row["at"]) < seen.query["until"] for row in ROWS)
        return reply._replace(body={**reply.body, "total": total})  # type: ignore[dict-item]

    api.on("/orders", with_total)
    told: list[int | None] = []

    async def inside() -> Result:
        async with access:
            options = Options(progress=lambda progress: told.append(progress.total))
            return await run_sync(
                access.project.sync("orders"), access.client(connection), access.store, options
            )

    result = asyncio.run(inside())
    assert (result.read, result.added) == (15, 14)
    assert "GET /count" in api.paths()
    assert told[-1] == 15


def test_look_ups_are_made_once_before_any_slice_is_read(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    cut_by(folder, BY, FETCH.replace("{use", "{when: all.total is present, use"))
    look_up = "\nlookups: {all: {use: count_orders, with: {since: '2000', until: '9'}}}\n"
    written = (folder / "syncs" / "orders.yaml").read_text()
    (folder / "syncs" / "orders.yaml").write_text(written.rstrip() + look_up)
    source(api, ROWS)
    counts(api, ROWS)
    access = Access(Project.load(folder).checked(), access.store, ENVIRON, Waits())
    assert sync(access, connection).added == 15
    assert api.paths().count("GET /count") == 1
