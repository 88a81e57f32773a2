"""Pages of every kind: answers read whole, rows read as they arrive, the results of jobs."""

from __future__ import annotations

import asyncio
import base64
import gzip
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest

from runner.calls.access import Access
from runner.calls.client import Client
from runner.calls.pages import Page
from runner.errors import CallError, ExpressionError
from runner.store import Connection
from tests.api import Api, Reply, Seen
from tests.conftest import ENVIRON, PROVIDERS, Waits

ROWS = """
    list_rows:
      params: {types: {type: object, required: false}}
      request: {path: /rows, query: {at: "{{ page.cursor }}"}}
      format: csv
      csv: {nested: ".", types: "{{ types }}"}
      paginate: {cursor: "response.headers['x-next']", until: page.cursor == 'end', total: "response.headers['x-total'] | integer"}
    packed_rows:
      request: {path: /packed}
      format: [gzip, ndjson]
    counted_rows:
      request: {path: /counted, query: {offset: "{{ page.offset }}", limit: "{{ page.size }}"}}
      format: ndjson
      paginate: {offset: true, size: 2}
    lines:
      request: {path: /lines}
      format: xml
      records: response.body.lines.line
    report:
      request: {path: /report}
      records: response.body.report | decode(['base64', 'gzip', 'csv'], delimiter=';')
    export:
      params: {of: {type: string}}
      job:
        submit: {request: {method: POST, path: /jobs, json: {of: "{{ of }}"}}, id: response.body.id}
        poll:
          request: {path: "/jobs/{{ job.id }}"}
          done: response.body.state == 'done'
          failed: response.body.state == 'failed'
          message: response.body.why
          progress: response.body.count
          every: {initial: 1s, max: 3s}
          timeout: 1m
        results:
          request: {path: "/jobs/{{ job.id }}/{{ job.answer.file }}", query: {at: "{{ page.cursor }}"}}
          format: csv
          paginate: {cursor: "response.headers['x-next']"}
        cleanup: {request: {method: DELETE, path: "/jobs/{{ job.id }}"}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "providers.yaml").write_text(PROVIDERS.rstrip() + ROWS)
    return tmp_path


@pytest.fixture
def client(access: Access, connection: Connection) -> Client:
    return access.client(connection)


def run(access: Access, work: Callable[[], object]) -> object:
    async def inside() -> object:
        async with access:
            return await work()  # type: ignore[misc]

    return asyncio.run(inside())


def read(
    access: Access, client: Client, name: str, at: Mapping[str, object] | None = None, **given: object
) -> list[Page]:
    async def all_of(pages: AsyncIterator[Page]) -> list[Page]:
        return [page async for page in pages]

    found = run(access, lambda: all_of(client.pages(client.provider.operations[name], given, at)))
    assert isinstance(found, list)
    return found


def call(access: Access, client: Client, name: str, **given: object) -> object:
    return run(access, lambda: client.call(client.provider.operations[name], given))


def paged(*pages: tuple[str, str | None]) -> Callable[[Seen], Reply]:
    """CSV pages by their cursors, each with the cursor of the next."""

    def answer(seen: Seen) -> Reply:
        at = seen.query.get("at")
        here = next(i for i, (_, cursor) in enumerate(pages) if at is None or cursor == at) + (at is not None)
        following = pages[here][1]
        headers = {"X-Next": following, "X-Total": "3"} if following else {"X-Total": "3"}
        return Reply(pages[here][0].encode(), headers=headers)

    return answer


def test_rows_are_read_page_by_page(access: Access, client: Client, api: Api) -> None:
    api.on("/rows", paged(("id,a.b,n\n1,x,5\n2,,\n", "two"), ("id,a.b,n\n3,y,7\n", "end")))
    pages = read(access, client, "list_rows", types={"n": "integer"})
    assert [page.records for page in pages] == [
        [{"id": "1", "n": 5, "a": {"b": "x"}}, {"id": "2", "n": None, "a": None}], [],
        [{"id": "3", "n": 7, "a": {"b": "y"}}], [],
    ]  # fmt: skip
    assert [page.next for page in pages] == [{}, {"cursor": "two"}, {"cursor": "two"}, None]
    assert [page.total for page in pages if page.whole] == [3, 3]
    assert [page.records for page in read(access, client, "list_rows", {"cursor": "two"})] == [
        [{"id": "3", "n": "7", "a": {"b": "y"}}], [],
    ]  # fmt: skip


def test_rows_that_break_off_are_read_again_and_given_once(
    access: Access, client: Client, api: Api, waits: Waits
) -> None:
    many = "id\n" + "".join(f"{n}\n" for n in range(5_000))
    replies = [Reply(many.encode(), cut=len(many) - 100), Reply(many.encode())]
    api.on("/rows", replies)
    found = call(access, client, "list_rows")
    assert found == [{"id": str(n)} for n in range(5_000)]
    assert len(api.seen) == 2


def test_rows_that_break_off_each_time_fail(access: Access, client: Client, api: Api) -> None:
    api.on("/rows", Reply(b"id\n1\n", cut=3))
    with pytest.raises(CallError, match="was cut short") as caught:
        call(access, client, "list_rows")
    assert caught.value.kind == "truncated"
    assert len(api.seen) == client.provider.retry.attempts


def test_rows_that_are_no_rows_are_told(access: Access, client: Client, api: Api) -> None:
    api.on("/rows", Reply(b"id,name\n1\n"))
    with pytest.raises(CallError) as caught:
        call(access, client, "list_rows")
    assert caught.value.message == (
        f"{api.url}/rows answered with something else than was expected: "
        "row 1 of its CSV has 1 columns, expected 2"
    )


def test_a_refusal_of_rows_is_classified_as_any(access: Access, client: Client, api: Api) -> None:
    api.on("/rows", Reply({"code": "DUP", "message": "twice"}, 400))
    with pytest.raises(CallError, match="DUP: twice") as caught:
        call(access, client, "list_rows")
    assert (caught.value.kind, caught.value.hint) == ("duplicate", "Look for the other one.")


def test_packed_rows_and_counted_pages(access: Access, client: Client, api: Api) -> None:
    api.on("/packed", Reply(gzip.compress(b'{"id":1}\n{"id":2}\n')))
    assert call(access, client, "packed_rows") == [{"id": 1}, {"id": 2}]
    api.on(
        "/counted", lambda seen: Reply(b'{"id":1}\n{"id":2}' if seen.query["offset"] == "0" else b'{"id":3}')
    )
    assert call(access, client, "counted_rows") == [{"id": 1}, {"id": 2}, {"id": 3}]


def test_xml_is_read_whole(access: Access, client: Client, api: Api) -> None:
    api.on("/lines", Reply(b"<lines><line>1</line><line>2</line></lines>"))
    assert call(access, client, "lines") == ["1", "2"]
    api.on("/lines", Reply(b"<lines>"))
    with pytest.raises(CallError, match="it is no XML"):
        call(access, client, "lines")


def job(api: Api, *states: dict[str, object]) -> None:
    api.on("/jobs", Reply({"id": 7}))
    api.on("/jobs/7", [Reply(state) for state in states])
    api.on("/jobs/7/a.csv", paged(("id\n1\n", "two"), ("id\n2\n", None)))


DONE = {"state": "done", "file": "a.csv"}


def test_a_job_is_submitted_awaited_read_and_cleaned_up(
    access: Access, client: Client, api: Api, waits: Waits
) -> None:
    job(api, {"state": "new"}, {"state": "new", "count": 40}, DONE)
    pages = read(access, client, "export", of="orders")
    assert [row for page in pages for row in page.records] == [{"id": "1"}, {"id": "2"}]
    assert api.paths() == [
        "POST /jobs", "GET /jobs/7", "GET /jobs/7", "GET /jobs/7",
        "GET /jobs/7/a.csv", "GET /jobs/7/a.csv", "DELETE /jobs/7",
    ]  # fmt: skip
    assert waits.seconds == [1.0, 1.5]
    assert pages[0].next == {"job": 7}
    assert [page.look and page.look.records for page in pages[1:3]] == [None, 40]
    assert [page.next for page in pages[-3:]] == [
        {"job": 7, "page": {"cursor": "two"}}, {"job": 7, "page": {"cursor": "two"}}, None,
    ]  # fmt: skip


def test_a_job_that_was_submitted_is_not_submitted_again(access: Access, client: Client, api: Api) -> None:
    job(api, DONE)
    rows = [row for page in read(access, client, "export", {"job": 7}, of="orders") for row in page.records]
    assert rows == [{"id": "1"}, {"id": "2"}]
    later = read(access, client, "export", {"job": 7, "page": {"cursor": "two"}}, of="orders")
    assert [row for page in later for row in page.records] == [{"id": "2"}]
    assert "POST /jobs" not in api.paths()


@pytest.mark.parametrize(
    ("state", "kind", "sentence"),
    [
        (
            Reply({"state": "failed", "why": "too large"}),
            "job_failed",
            "the job 7 of `export` has failed: too large",
        ),
        (Reply({"state": "failed"}), "job_failed", "the job 7 of `export` has failed"),
        (Reply({"state": "new"}), "job_timeout", "the job 7 of `export` is not done after 60 s"),
        (Reply({"message": "gone"}, 404), "job_lost", "the job 7 of `export` is not known any more: "),
    ],
)
def test_a_job_that_comes_to_nothing_is_told(
    access: Access, connection: Connection, api: Api, state: Reply, kind: str, sentence: str, waits: Waits
) -> None:
    timed = Access(access.project, access.store, ENVIRON, waits, lambda: sum(waits.seconds))
    api.on("/jobs", Reply({"id": 7}))
    api.on("/jobs/7", state)
    with pytest.raises(CallError) as caught:
        read(timed, timed.client(connection), "export", of="orders")
    assert caught.value.kind == kind
    assert caught.value.message.startswith(sentence)


def test_a_job_without_an_id_is_told(access: Access, client: Client, api: Api) -> None:
    api.on("/jobs", Reply({}))
    with pytest.raises(CallError, match="its answer holds no id"):
        read(access, client, "export", of="orders")


def test_a_cleanup_that_fails_does_no_harm(access: Access, client: Client, api: Api) -> None:
    job(api, DONE)
    assert call(access, client, "export", of="orders") == [{"id": "1"}, {"id": "2"}]
    api.on("/jobs/7", lambda seen: Reply({}, 400) if seen.method == "DELETE" else Reply(DONE))
    assert call(access, client, "export", of="orders") == [{"id": "1"}, {"id": "2"}]


def test_rows_within_an_answer(access: Access, client: Client, api: Api) -> None:
    packed = base64.b64encode(gzip.compress(b"id;name\n1;Ada\n2;\n")).decode()
    api.on("/report", Reply({"report": packed}))
    (page,) = read(access, client, "report")
    assert page.records == [{"id": "1", "name": "Ada"}, {"id": "2", "name": None}]


def test_what_it_should_hold_and_does_not(access: Access, client: Client, api: Api) -> None:
    api.on("/report", Reply({"report": "not packed"}))
    with pytest.raises(ExpressionError, match="it is no base64") as caught:
        read(access, client, "report")
    assert caught.value.where is not None
