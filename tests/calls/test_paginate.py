"""Every way in which APIs lead from page to page, each as an API of that kind answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.calls.access import Access
from runner.calls.client import Client
from runner.definitions.project import Project
from runner.errors import CallError
from runner.store import Connection
from tests.api import Api, Reply, Seen
from tests.conftest import PROVIDERS

ROWS = [{"id": n, "at": f"2026-01-{n:02}"} for n in range(1, 8)]
SHAPES = """
    whole_url:
      request: {path: /items}
      records: response.body.value
      paginate: {next_url: "response.body['@odata.nextLink']"}
    relative_url:
      request: {path: /v1/items, query: {limit: 3}}
      records: response.body.items
      paginate: {next_url: response.body.next}
    link_header:
      request: {path: /items}
      records: response.body
      paginate: {next_url: "link(response.headers.link, 'next')"}
    token_in_body:
      request: {path: /items, query: {page_token: "{{ page.cursor }}"}}
      records: response.body.items
      paginate: {cursor: response.body.next_page_token}
    token_in_header:
      request: {path: /items, headers: {X-Continue: "{{ page.cursor }}"}}
      records: response.body
      paginate: {cursor: "response.headers['x-continue']"}
    last_id:
      request: {path: /items, query: {starting_after: "{{ page.cursor }}"}}
      records: response.body.data
      paginate: {cursor: (records | last).id, until: not response.body.has_more}
    always_a_token:
      params: {cursor: {type: string, required: false}}
      request: {path: /items, query: {cursor: "{{ page.cursor | default(cursor) }}"}}
      records: response.body.tickets
      paginate: {cursor: response.body.after_cursor, until: response.body.end_of_stream}
    offset:
      request: {path: /items, query: {offset: "{{ page.offset }}", limit: "{{ page.size }}"}}
      records: response.body
      paginate: {offset: true, size: 3}
    offset_until_total:
      request: {path: /items, query: {offset: "{{ page.offset }}"}}
      records: response.body.items
      paginate: {offset: true, until: page.offset + (records | length) >= response.body.count, total: response.body.count}
    page_number:
      request: {path: /items, query: {page: "{{ page.number }}", per_page: "{{ page.size }}"}}
      records: response.body
      paginate: {page: true, size: 3}
    page_until_count:
      request: {path: /items, query: {page: "{{ page.number }}"}}
      records: response.body.items
      paginate: {page: true, until: page.number >= response.body.pages}
    page_until_empty:
      request: {path: /items, query: {page: "{{ page.number }}"}}
      records: response.body.items
      paginate: {page: true, until: not records}
    page_from_zero:
      request: {path: /items, query: {page: "{{ page.number - 1 }}"}}
      records: response.body.items
      paginate: {page: true}
    until_older:
      params: {since: {type: string}}
      request: {path: /items, query: {page: "{{ page.number }}"}}
      records: response.body.items
      paginate: {page: true, until: not records or (records | last).at < since}
    graphql:
      request:
        method: POST
        path: /graphql
        json: {query: "query($after: String) { items }", variables: {after: "{{ page.cursor }}"}}
      writes: false
      responses: [{when: response.body.errors, is: error, kind: refused}]
      records: response.body.data.items.nodes
      paginate: {cursor: response.body.data.items.pageInfo.endCursor, until: not response.body.data.items.pageInfo.hasNextPage}
    a_map_of_records:
      request: {path: /items}
      records: response.body.users | values
    several_lists:
      request: {path: /items}
      records: concat(response.body.members, response.body.guests)
    keyed:
      request: {path: /items}
      records: response.body.users | items
    rows_of_cells:
      request: {path: /items}
      records: response.body.values | maps
    columns_and_rows:
      request: {path: /items}
      records: response.body.rows | maps(response.body.columns | pluck('name'))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "providers.yaml").write_text(PROVIDERS.rstrip() + SHAPES)
    return tmp_path


@pytest.fixture
def client(access: Access, connection: Connection) -> Client:
    return access.client(connection)


def read(access: Access, client: Client, name: str, **given: object) -> list[object]:
    async def inside() -> object:
        async with access:
            return await client.call(client.provider.operations[name], given)

    found = asyncio.run(inside())
    assert isinstance(found, list)
    return found


def part(at: int) -> list[dict[str, object]]:
    return ROWS[at : at + 3]


def by_cursor(
    cursor: Callable[[Seen], str | None], answer: Callable[[int, str | None], Reply]
) -> Callable[[Seen], Reply]:
    """Three records a page; the cursor is where the next one begins, `at-3`."""

    def reply(seen: Seen) -> Reply:
        given = cursor(seen)
        at = int(given.removeprefix("at-")) if given else 0
        return answer(at, f"at-{at + 3}" if at + 3 < len(ROWS) else None)

    return reply


def whole_url(api: Api) -> Callable[[Seen], Reply]:
    def answer(at: int, following: str | None) -> Reply:
        link = {"@odata.nextLink": f"{api.url}/items?$skiptoken={following}"} if following else {}
        return Reply({"value": part(at), **link})

    return by_cursor(lambda seen: seen.query.get("$skiptoken"), answer)


def relative_url(seen: Seen) -> Reply:
    at = int(seen.query.get("offset", 0))
    following = f"?limit=3&offset={at + 3}" if at + 3 < len(ROWS) else ""
    return Reply({"items": part(at), "next": following})


def link_header(api: Api) -> Callable[[Seen], Reply]:
    def answer(at: int, following: str | None) -> Reply:
        last = f'<{api.url}/items?at=at-6>; rel="last"'
        link = f'<{api.url}/items?at={following}>; rel="next", {last}' if following else last
        return Reply(part(at), headers={"Link": link})

    return by_cursor(lambda seen: seen.query.get("at"), answer)


def graphql(seen: Seen) -> Reply:
    asked = json.loads(seen.body)
    after = asked["variables"].get("after")
    at = int(after.removeprefix("at-")) if after else 0
    info = {"endCursor": f"at-{at + 3}", "hasNextPage": at + 3 < len(ROWS)}
    return Reply({"data": {"items": {"nodes": part(at), "pageInfo": info}}})


def last_id(seen: Seen) -> Reply:
    at = int(seen.query.get("starting_after", 0))
    return Reply({"data": part(at), "has_more": at + 3 < len(ROWS)})


def numbered(first: int = 1, **more: object) -> Callable[[Seen], Reply]:
    return lambda seen: Reply({"items": part((int(seen.query["page"]) - first) * 3), **more})


def shapes(api: Api) -> Iterator[tuple[str, str, Callable[[Seen], Reply], int]]:
    """Operation, path, what answers there, and how many requests it takes."""
    yield "whole_url", "/items", whole_url(api), 3
    yield "relative_url", "/v1/items", relative_url, 3
    yield "link_header", "/items", link_header(api), 3
    yield (
        "token_in_body",
        "/items",
        by_cursor(
            lambda seen: seen.query.get("page_token"),
            lambda at, cursor: Reply({"items": part(at), "next_page_token": cursor}),
        ),
        3,
    )
    yield (
        "token_in_header",
        "/items",
        by_cursor(
            lambda seen: seen.headers.get("x-continue"),
            lambda at, cursor: Reply(part(at), headers={"X-Continue": cursor} if cursor else {}),
        ),
        3,
    )
    yield "last_id", "/items", last_id, 3
    yield (
        "always_a_token",
        "/items",
        by_cursor(
            lambda seen: seen.query.get("cursor"),
            lambda at, cursor: Reply(
                {"tickets": part(at), "after_cursor": f"at-{at + 3}", "end_of_stream": cursor is None}
            ),
        ),
        3,
    )
    yield "offset", "/items", lambda seen: Reply(part(int(seen.query["offset"]))), 3
    yield (
        "offset_until_total",
        "/items",
        lambda seen: Reply({"items": part(int(seen.query["offset"])), "count": 7}),
        3,
    )
    yield "page_number", "/items", lambda seen: Reply(part((int(seen.query["page"]) - 1) * 3)), 3
    yield "page_until_count", "/items", numbered(pages=3), 3
    yield "page_until_empty", "/items", numbered(), 4
    yield "page_from_zero", "/items", numbered(0), 4
    yield "graphql", "/graphql", graphql, 3


NAMES = [
    "whole_url", "relative_url", "link_header", "token_in_body", "token_in_header", "last_id", "always_a_token", "offset",
    "offset_until_total", "page_number", "page_until_count", "page_until_empty", "page_from_zero", "graphql",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_pages_lead_to_each_other(access: Access, client: Client, api: Api, name: str) -> None:
    path, answer, requests = next(
        (path, answer, count) for one, path, answer, count in shapes(api) if one == name
    )
    api.on(path, answer)
    assert read(access, client, name) == ROWS
    assert len(api.seen) == requests


@pytest.mark.parametrize("name", NAMES)
def test_a_reading_goes_on_at_any_page(access: Access, client: Client, api: Api, name: str) -> None:
    """What leads to a page is JSON; a new client that is given it reads the rest, and nothing else."""
    path, answer, _ = next((path, answer, count) for one, path, answer, count in shapes(api) if one == name)
    api.on(path, answer)

    async def inside() -> None:
        async with access:
            operation = client.provider.operations[name]
            pages = [page async for page in client.pages(operation, {})]
            for number, page in enumerate(pages[:-1], 1):
                position = json.loads(json.dumps(page.next))
                rest = [one.records async for one in client.pages(operation, {}, position)]
                assert rest == [one.records for one in pages[number:]]

    asyncio.run(inside())


def test_pages_are_read_until_they_are_old_enough(access: Access, client: Client, api: Api) -> None:
    rows = ROWS[::-1]
    api.on("/items", lambda seen: Reply({"items": rows[(int(seen.query["page"]) - 1) * 3 :][:3]}))
    found = read(access, client, "until_older", since="2026-01-04")
    assert found == rows[:6]
    assert len(api.seen) == 2


@pytest.mark.parametrize(
    ("name", "body", "found"),
    [
        ("a_map_of_records", {"users": {"a": {"id": "a"}, "b": {"id": "b"}}}, [{"id": "a"}, {"id": "b"}]),
        ("keyed", {"users": {"a": {"n": 1}, "b": {"n": 2}}}, [["a", {"n": 1}], ["b", {"n": 2}]]),
        ("several_lists", {"members": [1, 2], "guests": [3]}, [1, 2, 3]),
        ("several_lists", {"members": [1, 2]}, [1, 2]),
        ("rows_of_cells", {"values": [["id", "name"], ["1", "Ada"], ["2"]]}, [{"id": "1", "name": "Ada"}, {"id": "2"}]),
        ("rows_of_cells", {}, []),
        ("columns_and_rows", {"columns": [{"name": "id"}, {"name": "n"}], "rows": [[1, 2]]}, [{"id": 1, "n": 2}]),
    ],
)  # fmt: skip
def test_records_stand_anywhere(
    access: Access, client: Client, api: Api, name: str, body: object, found: list[object]
) -> None:
    api.on("/items", Reply(body))
    assert read(access, client, name) == found


def test_an_error_with_the_status_of_a_success_is_told(access: Access, client: Client, api: Api) -> None:
    api.on("/graphql", Reply({"errors": [{"message": "no such field"}]}))
    with pytest.raises(CallError) as caught:
        read(access, client, "graphql")
    assert caught.value.kind == "refused"


@pytest.mark.parametrize(
    ("name", "path", "reply", "said"),
    [
        ("whole_url", "/items", {"value": [1], "@odata.nextLink": "/items"}, "/items gave the same page twice"),
        ("token_in_body", "/items", {"items": [1], "next_page_token": "x"}, "/items gave the same page twice"),
    ],
)  # fmt: skip
def test_a_page_that_leads_to_itself_is_no_loop(
    access: Access, client: Client, api: Api, name: str, path: str, reply: object, said: str
) -> None:
    api.on(path, Reply(reply))
    with pytest.raises(CallError) as caught:
        read(access, client, name)
    assert (caught.value.kind, caught.value.message) == ("repeated_page", f"{api.url}{said}")


def test_a_page_at_another_host_is_refused(access: Access, client: Client, api: Api) -> None:
    api.on("/items", Reply({"value": [1], "@odata.nextLink": "https://elsewhere.test/items"}))
    with pytest.raises(CallError, match=r"elsewhere\.test") as caught:
        read(access, client, "whole_url")
    assert str(caught.value.where).startswith("providers.yaml:")


WRONG = {
    "paginate: {next_url: 'link(response.headers.link, next)'}": "`next` is not known here; there are config, connection, credentials, page, records, response",
    "paginate: {cursor: (recrods | last).id}": "`recrods` is not known here",
    "paginate: {cursor: response.body.c, page: true}": "this takes exactly one of `next_url`, `cursor`, `offset`, `page`; found `cursor` and `page`",
}  # fmt: skip


@pytest.mark.parametrize("written", WRONG)
def test_what_cannot_lead_anywhere_is_told_at_load_time(tmp_path: Path, written: str) -> None:
    operation = f"    wrong:\n      request: {{path: /x}}\n      {written}\n"
    (tmp_path / "providers.yaml").write_text(PROVIDERS.rstrip() + "\n" + operation)
    assert [problem.message for problem in Project.load(tmp_path).problems] == [WRONG[written]]
