"""`/records`: what was synced, in the order of its last change; and what is emptied of it."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated

import msgspec
import orjson
from starlette.requests import Request
from starlette.responses import Response

from runner.definitions.conversions import instant
from runner.server.api.find import find_connection
from runner.server.http import json, parts_of
from runner.server.reading import flaws_of, no_query, read_body, read_place, read_query
from runner.store import BASE, Record, Stream

_STATES = ("added", "updated", "deleted")
_CURSOR = "terapi:"
#: digits of a cursor: more than any store counts to, fewer than it cannot hold
_DIGITS = 18
_Id = Annotated[str, msgspec.Meta(max_length=256)]
_Model = Annotated[str, msgspec.Meta(pattern="^[A-Z][a-zA-Z0-9_-]+$", max_length=255)]
_Variant = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=255)]


class RecordsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which records are wanted."""

    model: _Model
    variant: _Variant = BASE
    #: inclusive
    modified_after: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 100
    #: one or several of added, updated, deleted, with commas, in any case
    filter: str | None = None
    cursor: str | None = None
    ids: Annotated[list[_Id], msgspec.Meta(max_length=100)] | None = None


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The same, as the store is asked."""

    limit: int
    after: int
    since: float | None
    states: list[str] | None
    ids: list[str] | None


class Prune(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which records a reader no longer needs."""

    model: _Model
    #: that of the last of them
    until_cursor: str
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1_000
    variant: _Variant = BASE


async def records(request: Request) -> Response:
    """A page of records and the cursor that leads to the next."""
    parts, place, query = (
        parts_of(request),
        read_place(request),
        read_query(request, RecordsQuery, lists=("ids",)),
    )
    asked = _asked(query)
    find_connection(parts, place.integration, place.connection, 400, "unknown_connection")
    stream = parts.access.store.records.stream(
        place.integration, place.connection, query.model, query.variant
    )
    return await asyncio.to_thread(_page, stream, asked)


async def prune(request: Request) -> Response:
    """Empties the records up to a cursor, some at a time: their keys and what is known of them stay."""
    no_query(request)
    parts, place, asked = parts_of(request), read_place(request), await read_body(request, Prune)
    try:
        until = _after(asked.until_cursor)
    except ValueError as exc:
        raise flaws_of("body", {"until_cursor": "it is not one that this server gave"}) from exc
    find_connection(parts, place.integration, place.connection, 400, "unknown_connection")
    store = parts.access.store
    stream = store.records.stream(place.integration, place.connection, asked.model, asked.variant)
    done = await asyncio.to_thread(store.pruning(stream).until, until, time.time(), asked.limit)
    return json({"count": done.records, "has_more": done.more})


def _page(stream: Stream, asked: _Asked) -> Response:
    found = stream.read(
        after=asked.after, limit=asked.limit + 1, states=asked.states, ids=asked.ids, since=asked.since
    )
    return _answer(found[: asked.limit], more=len(found) > asked.limit)


def _answer(found: list[Record], *, more: bool) -> Response:
    content = {
        "records": [_shown(record) for record in found],
        "next_cursor": _cursor(found[-1]) if more else None,
    }
    return Response(orjson.dumps(content), media_type="application/json")


def _asked(query: RecordsQuery) -> _Asked:
    problems: dict[str, str] = {}
    after, since = 0, None
    try:
        after = _after(query.cursor) if query.cursor else 0
    except ValueError:
        problems["cursor"] = "it is not one that this server gave"
    try:
        since = instant(query.modified_after).timestamp() if query.modified_after else None
    except ValueError as exc:
        problems["modified_after"] = str(exc)
    states = None if query.filter is None else [one.strip().lower() for one in query.filter.split(",")]
    if states is not None and not set(states) <= set(_STATES):
        problems["filter"] = f"expected one or two of {', '.join(_STATES)}, with a comma between"
    if problems:
        raise flaws_of("query_params", problems)
    return _Asked(limit=query.limit, after=after, since=since, states=states, ids=query.ids)


def _shown(record: Record) -> dict[str, object]:
    """A record's payload and what is known of it; of a pruned one the id alone is left."""
    payload = orjson.loads(record.payload) if record.payload else {}
    return {
        "id": record.id,
        **payload,
        "_nango_metadata": {
            "first_seen_at": _time(record.first_seen_at),
            "last_modified_at": _time(record.changed_at),
            "last_action": record.state.upper(),
            "deleted_at": None if record.deleted_at is None else _time(record.deleted_at),
            "pruned_at": None if record.pruned_at is None else _time(record.pruned_at),
            "cursor": _cursor(record),
        },
    }


def _cursor(record: Record) -> str:
    return base64.urlsafe_b64encode(f"{_CURSOR}{record.cursor}".encode()).decode()


def _after(cursor: str) -> int:
    """The number in a cursor.

    Raises:
        ValueError: it is none of ours.
    """
    try:
        found = base64.urlsafe_b64decode(cursor).decode("ascii")
    except (binascii.Error, UnicodeDecodeError) as exc:
        raise ValueError(cursor) from exc
    number = found.removeprefix(_CURSOR)
    if number == found or not number.isdigit() or len(number) > _DIGITS:
        raise ValueError(cursor)
    return int(number)


@lru_cache(1_000)
def _time(seconds: float) -> str:
    """Those of a page that was stored together are one and the same."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
