"""The results of a job in parts: read side by side, resumed at any page, each record given once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest

from runner.calls.access import Access
from runner.calls.client import Client
from runner.calls.pages import Page
from runner.errors import CallError
from runner.store import Connection
from tests.api import Api, Reply, Seen
from tests.conftest import PROVIDERS

EXPORT = """
    export:
      job:
        submit: {request: {method: POST, path: /jobs}, id: response.body.id}
        poll: {request: {path: "/jobs/{{ job.id }}"}, done: response.body.done}
        results:
          request: {path: "/jobs/{{ job.id }}/rows", query: {at: "{{ page.cursor }}"}}
          format: csv
          paginate: {cursor: "response.headers['x-next']"}
          parts:
            when: not job.answer.small
            request: {path: "/jobs/{{ job.id }}/parts"}
            each: response.body.parts
            url: part.href
            paginate: {next_url: response.body.next}
            concurrency: 3
        cleanup: {request: {method: DELETE, path: "/jobs/{{ job.id }}"}}
"""
ROWS = 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "providers.yaml").write_text(PROVIDERS.rstrip() + EXPORT)
    return tmp_path


class Export:
    """A job whose results are parts, two a list."""

    def __init__(self, api: Api, parts: int) -> None:
        self.api = api
        self.parts = parts
        api.on("/jobs", Reply({"id": 7}))
        api.on("/jobs/7", Reply({"done": True}))
        api.on("/jobs/7/parts", self.listed)
        api.on("/jobs/7/rows", Reply(self.part(0), headers={"X-Next": ""}))
        for number in range(parts):
            api.on(f"/jobs/7/part-{number}", Reply(self.part(number)))

    def listed(self, seen: Seen) -> Reply:
        first = int(seen.query.get("from", "0"))
        numbers = range(first, min(first + 2, self.parts))
        more = f"/jobs/7/parts?from={first + 2}" if first + 2 < self.parts else None
        return Reply({"parts": [{"href": f"part-{number}"} for number in numbers], "next": more})

    def part(self, number: int) -> bytes:
        return b"id\n" + b"".join(f"{number}-{row}\n".encode() for row in range(ROWS))

    def ids(self) -> set[str]:
        return {f"{number}-{row}" for number in range(self.parts) for row in range(ROWS)}

    def asked(self) -> list[str]:
        """What was asked since the last look, in the order of its names."""
        paths = sorted(
            path.removeprefix("GET /jobs/7/") for path in self.api.paths() if path.startswith("GET /jobs/7/")
        )
        self.api.seen.clear()
        return paths


def pages_of(
    access: Access, connection: Connection, at: Mapping[str, object] | None = None, most: int = 1_000
) -> list[Page]:
    """The first pages; the rest is left, as a run that is killed leaves it."""

    async def first(pages: AsyncIterator[Page]) -> list[Page]:
        found: list[Page] = []
        async for page in pages:
            found.append(page)
            if len(found) == most:
                break
        return found

    async def inside() -> list[Page]:
        async with access:
            client = access.client(connection)
            pages = client.pages(client.provider.operations["export"], {}, at)
            try:
                return await first(pages)
            finally:
                await pages.aclose()
                assert asyncio.all_tasks() == {asyncio.current_task()}

    return asyncio.run(inside())


def ids(pages: list[Page]) -> list[str]:
    return [str(row["id"]) for page in pages for row in page.records]  # type: ignore[index]


def call(access: Access, connection: Connection) -> object:
    async def inside() -> object:
        async with access:
            client: Client = access.client(connection)
            return await client.call(client.provider.operations["export"], {})

    return asyncio.run(inside())


def test_every_part_is_read_once_and_the_job_is_cleaned_up(
    access: Access, connection: Connection, api: Api
) -> None:
    export = Export(api, 5)
    pages = pages_of(access, connection)
    assert sorted(ids(pages)) == sorted(export.ids())
    assert [page.next is None for page in pages] == [False] * (len(pages) - 1) + [True]
    assert api.paths()[-1] == "DELETE /jobs/7"
    assert export.asked() == ["part-0", "part-1", "part-2", "part-3", "part-4", "parts", "parts", "parts"]


def test_as_many_are_on_their_way_as_the_definition_says(
    access: Access, connection: Connection, api: Api
) -> None:
    export = Export(api, 6)
    meet = threading.Barrier(3, timeout=10)

    def together(number: int) -> Callable[[Seen], Reply]:
        def answer(seen: Seen) -> Reply:
            meet.wait()
            return Reply(export.part(number))

        return answer

    for number in range(6):
        api.on(f"/jobs/7/part-{number}", together(number))
    assert set(ids(pages_of(access, connection))) == export.ids()


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_cut_short_after_any_page_it_goes_on_with_what_is_not_stored(
    access: Access, connection: Connection, api: Api, parts: int
) -> None:
    export = Export(api, parts)
    whole = len(pages_of(access, connection))
    for most in range(1, whole):
        export.asked()
        stored = pages_of(access, connection, most=most)
        read = {row.split("-")[0] for page in stored for row in ids([page])}
        at = stored[-1].next
        assert at is not None
        assert len(str(at)) < 120
        export.asked()
        rest = pages_of(access, connection, at)
        assert set(ids(stored)) | set(ids(rest)) == export.ids()
        assert "POST /jobs" not in api.paths()
        again = [path for path in export.asked() if path.removeprefix("part-") in read]
        # Each part is two pages, its rows and its end: between them it counts as not stored.
        assert len(again) <= 3
        if most == whole - 1:
            assert len(again) <= 1


def test_where_all_is_stored_nothing_is_read_again(access: Access, connection: Connection, api: Api) -> None:
    export = Export(api, 2)
    (page,) = [
        page
        for page in pages_of(access, connection, {"job": 7, "parts": {"at": {}, "read": [0, 1]}})
        if page.next is None
    ]
    assert (page.records, export.asked()) == ([], ["parts"])


def test_a_last_list_may_be_empty(access: Access, connection: Connection, api: Api) -> None:
    export = Export(api, 2)
    first = {"parts": [{"href": "part-0"}, {"href": "part-1"}], "next": "/jobs/7/parts?from=2"}
    api.on("/jobs/7/parts", lambda seen: Reply({"parts": []} if seen.query else first))
    pages = pages_of(access, connection)
    assert sorted(ids(pages)) == sorted(export.ids())
    assert pages[-1].next is None


@pytest.mark.parametrize("reply", [{"parts": []}, {}, {"other": 1}])
def test_where_no_parts_are_told_the_results_are_read_page_by_page(
    access: Access, connection: Connection, api: Api, reply: object
) -> None:
    export = Export(api, 1)
    api.on("/jobs/7/parts", Reply(reply))
    pages = pages_of(access, connection)
    assert (ids(pages), pages[-1].next) == (["0-0", "0-1", "0-2"], None)
    assert export.asked() == ["parts", "rows"]


def test_where_parts_do_not_hold_they_are_not_asked_for(
    access: Access, connection: Connection, api: Api
) -> None:
    export = Export(api, 1)
    api.on("/jobs/7", Reply({"done": True, "small": True}))
    pages_of(access, connection)
    assert export.asked() == ["rows"]


def test_what_was_begun_page_by_page_goes_on_so(access: Access, connection: Connection, api: Api) -> None:
    export = Export(api, 3)
    pages_of(access, connection, {"job": 7, "page": {"cursor": "two"}})
    assert export.asked() == ["rows"]


def test_a_part_that_breaks_off_is_read_again(access: Access, connection: Connection, api: Api) -> None:
    export = Export(api, 3)
    api.on("/jobs/7/part-1", [Reply(export.part(1), cut=8), Reply(export.part(1))])
    assert set(ids(pages_of(access, connection))) == export.ids()
    assert export.asked().count("part-1") == 2


def test_who_calls_gets_all_records_in_order(access: Access, connection: Connection, api: Api) -> None:
    export = Export(api, 3)
    assert call(access, connection) == [{"id": "0-0"}, {"id": "0-1"}, {"id": "0-2"}]
    assert export.asked() == ["rows"]


@pytest.mark.parametrize(
    ("part", "kind", "sentence"),
    [
        ({"href": 7}, "bad_answer", "`parts.url` of `export` gave 7, expected an address"),
        ({}, "bad_answer", "`parts.url` of `export` gave an absent value, expected an address"),
        ({"href": "https://elsewhere.example/part"}, "forbidden_host", ""),
        ({"href": "gone"}, "not_found", ""),
    ],
)
def test_a_part_that_cannot_be_read_ends_the_reading(
    access: Access, connection: Connection, api: Api, part: object, kind: str, sentence: str
) -> None:
    Export(api, 1)
    api.on("/jobs/7/parts", Reply({"parts": [part]}))
    with pytest.raises(CallError) as caught:
        pages_of(access, connection)
    assert caught.value.kind == kind
    assert caught.value.message.startswith(sentence)
