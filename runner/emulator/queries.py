"""Queries answered page by page.

A cursor keeps the numbers of the records that the query found when it was asked, so that records that come
or go between two pages neither shift nor repeat the others. Pages are written by SQLite as JSON and joined
as bytes.
"""

from __future__ import annotations

import re
import secrets
import sqlite3
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import orjson

from runner.emulator import ids
from runner.emulator.database import Database, Value, quote
from runner.emulator.errors import ApiError
from runner.emulator.pages import Pages
from runner.emulator.recents import Recents
from runner.emulator.schema import ObjectType
from runner.emulator.soql.compile import Asked, Count, Groups, Plan, Records, plan, plan_of
from runner.emulator.soql.tree import Item, Path, Query

PAGE = 2_000
SMALLEST_PAGE = 200
#: cursors that are kept, and record numbers in all of them; the oldest go first
MAX_CURSORS = 100
MAX_KEPT = 10_000_000
#: ids of cursors begin with this
LOCATOR_PREFIX = "01g"
#: the id of a cursor; for a child query its place and the id of the record; where it goes on
_LOCATOR = re.compile(r"(\w{15,18})(?:\.(\d{1,2})\.(\w{18}))?-(\d{1,9})", re.ASCII)


#: an object, the fields that are shown of it, and what their URLs begin with
_Shape = tuple[str, tuple[str, ...] | None, str]
MAX_SHAPES = 256


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    records: Records
    #: the numbers of the records; a range, which takes no room, where they follow one another
    keys: Sequence[int]
    asked: Asked


class Queries:
    def __init__(self, database: Database, recents: Recents) -> None:
        self._database = database
        self._recents = recents
        self._pages = Pages(database)
        self._plans: OrderedDict[_Shape, tuple[ObjectType, Records]] = OrderedDict()
        self._cursors: OrderedDict[str, Cursor] = OrderedDict()
        # Locators of an earlier run must not name cursors of this one.
        self._made = secrets.randbelow(2**40)

    def first(self, asked: Asked) -> bytes:
        """The first page of a query's answer, as JSON. Raises ApiError."""
        return self.answer(plan(asked, self._database.visible), asked)

    def answer(self, planned: Plan, asked: Asked) -> bytes:
        """The same for a query that has been planned."""
        try:
            match planned:
                case Count():
                    total = self._database.numbers(planned.sql, planned.values)[0]
                    return b'{"totalSize":%d,"done":true,"records":[]}' % total
                case Groups():
                    return self._groups(planned)
                case Records():
                    return self._records(planned, asked)
        except sqlite3.Error as exc:
            raise ApiError("QUERY_TOO_COMPLICATED", f"The query is too complicated: {exc}") from exc

    def more(self, locator: str) -> bytes:
        """The page that a locator such as `01g…-2000` names. Raises ApiError INVALID_QUERY_LOCATOR."""
        found = _LOCATOR.fullmatch(locator)
        cursor_id = ids.normalise(found[1]) if found else None
        cursor = self._cursors.get(cursor_id) if cursor_id else None
        if found is None or cursor_id is None or cursor is None:
            raise _lost()
        self._cursors.move_to_end(cursor_id)
        start = int(found[4])
        if found[2]:
            return self._child_page(cursor, cursor_id, (int(found[2]), found[3]), start)
        if not 0 < start < len(cursor.keys):
            raise _lost()
        return self._page(cursor, cursor_id, start)

    def records(
        self, item: ObjectType, record_ids: Sequence[str], names: Sequence[str] | None, base_url: str
    ) -> list[bytes | None]:
        """The JSON of records by their ids, None for one that is not there; all fields where no names are
        given. Raises ApiError INVALID_FIELD.
        """
        planned = self._shape(item, tuple(names) if names is not None else None, base_url)
        sql = (
            f"SELECT Id, n FROM {quote(item.name)}"  # noqa: S608
            " WHERE Id IN (SELECT value FROM json_each(?)) AND IsDeleted = 0"
        )
        rows = self._database.rows(sql, (orjson.dumps(list(record_ids)).decode(),))
        numbers = {str(row[0]): int(row[1] or 0) for row in rows}
        keys = [numbers[record_id] for record_id in record_ids if record_id in numbers]
        values: dict[str, Value] = {**planned.shown, "keys": orjson.dumps(keys).decode()}
        written = iter(self._database.blobs(planned.page_sql, values))
        return [next(written) if record_id in numbers else None for record_id in record_ids]

    def _shape(self, item: ObjectType, names: tuple[str, ...] | None, base_url: str) -> Records:
        """How these fields of an object are written; those asked for last are remembered."""
        key = (item.name, names, base_url)
        known = self._plans.get(key)
        if known is None or known[0] is not item:
            known = self._plans[key] = item, self._planned(item, names, base_url)
            while len(self._plans) > MAX_SHAPES:
                self._plans.popitem(last=False)
        self._plans.move_to_end(key)
        return known[1]

    def _planned(self, item: ObjectType, names: tuple[str, ...] | None, base_url: str) -> Records:
        wanted = names if names is not None else tuple(field.name for field in item.fields)
        paths = [Path(position=0, names=tuple(name.split("."))) for name in wanted]
        query = Query(
            position=0,
            items=tuple(Item(position=0, what=path) for path in paths),
            source=Path(position=0, names=(item.name,)),
        )
        asked = Asked(text="", now=datetime.now(UTC), base_url=base_url)
        try:
            planned = plan_of(query, asked, self._database.visible)
        except ApiError as exc:
            raise ApiError(exc.code, exc.message.rpartition("\n")[2]) from exc
        if not isinstance(planned, Records):
            raise TypeError(planned)
        return planned

    def forget(self) -> None:
        """Lets every cursor expire."""
        self._cursors.clear()

    def _groups(self, planned: Groups) -> bytes:
        rows = self._database.blobs(planned.sql, planned.values)
        if len(rows) > PAGE:
            message = "Aggregate query does not support queryMore(), use LIMIT to restrict the results"
            raise ApiError("EXCEEDED_ID_LIMIT", f"{message} to a single batch")
        return _result(len(rows), b'"done":true', b",".join(rows))

    def _records(self, planned: Records, asked: Asked) -> bytes:
        found = self._database.numbers(planned.keys_sql, planned.values)
        cursor = Cursor(records=planned, keys=_packed(found), asked=asked)
        self._made += 1
        cursor_id = ids.make(LOCATOR_PREFIX, self._made)
        page = self._page(cursor, cursor_id, 0)
        if len(found) > asked.page_size or (planned.children and cursor_id.encode() in page):
            self._keep(cursor_id, cursor)
        self._recents.mark(planned.item, found[: asked.page_size], asked.user_id, planned.purposes)
        return page

    def _keep(self, cursor_id: str, cursor: Cursor) -> None:
        self._cursors[cursor_id] = cursor
        while len(self._cursors) > MAX_CURSORS or (len(self._cursors) > 1 and self._kept() > MAX_KEPT):
            self._cursors.popitem(last=False)

    def _kept(self) -> int:
        return sum(len(cursor.keys) for cursor in self._cursors.values() if isinstance(cursor.keys, array))

    def _page(self, cursor: Cursor, cursor_id: str, start: int) -> bytes:
        end = start + cursor.asked.page_size
        records, values = cursor.records, cursor.records.shown
        if records.children:
            values = {**values, "cursor": cursor_id}
        page = self._pages.page(records.page_sql, values, cursor.keys[start:end])
        done = b'"done":true'
        if end < len(cursor.keys):
            done = _not_done(cursor, f"{cursor_id}-{end}")
        return _result(len(cursor.keys), done, page)

    def _child_page(self, cursor: Cursor, cursor_id: str, of: tuple[int, str], start: int) -> bytes:
        """A page of a child query, of the record whose id stands in ``of`` behind the query's place."""
        place, parent = of
        if place >= len(cursor.records.children) or start == 0:
            raise _lost()
        child, size = cursor.records.children[place], cursor.asked.page_size
        left = size if child.limit is None else child.limit - start
        values: dict[str, Value] = {
            **cursor.records.values,
            "cursor": cursor_id,
            "parent": parent,
            "start": child.offset + start,
            "length": max(0, min(size, left)),
        }
        rows = self._database.rows(child.sql, values)
        if not rows:
            raise _lost()
        total = int(rows[0][1] or 0) - child.offset
        total = total if child.limit is None else min(total, child.limit)
        done = b'"done":true'
        if start + size < total:
            done = _not_done(cursor, f"{cursor_id}.{place}.{parent}-{start + size}")
        return _result(total, done, ",".join(str(row[0]) for row in rows).encode())


def _lost() -> ApiError:
    return ApiError("INVALID_QUERY_LOCATOR", "invalid query locator")


def _not_done(cursor: Cursor, locator: str) -> bytes:
    return f'"done":false,"nextRecordsUrl":"{cursor.asked.base_url}/query/{locator}"'.encode()


def _result(total: int, done: bytes, records: bytes) -> bytes:
    return b'{"totalSize":%d,%b,"records":[%b]}' % (total, done, records)


def _packed(found: array[int]) -> Sequence[int]:
    if found and found[-1] - found[0] + 1 == len(found) and all(map(int.__lt__, found, found[1:])):
        return range(found[0], found[-1] + 1)
    return found
