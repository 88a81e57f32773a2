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

import msgspec

from runner.emulator import ids
from runner.emulator.database import Database, Value
from runner.emulator.errors import ApiError
from runner.emulator.recents import Recents
from runner.emulator.schema import Schema
from runner.emulator.soql.compile import Asked, Count, Groups, Plan, Records, plan

PAGE = 2_000
SMALLEST_PAGE = 200
#: cursors that are kept, and record numbers in all of them; the oldest go first
MAX_CURSORS = 100
MAX_KEPT = 10_000_000
#: ids of cursors begin with this
LOCATOR_PREFIX = "01g"
#: the id of a cursor; for a child query its place and the id of the record; where it goes on
_LOCATOR = re.compile(r"(\w{15,18})(?:\.(\d{1,2})\.(\w{18}))?-(\d{1,9})", re.ASCII)


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    records: Records
    #: the numbers of the records; a range, which takes no room, where they follow one another
    keys: Sequence[int]
    asked: Asked


class Queries:
    """``visible`` is the schema as the users of the API see it."""

    def __init__(self, database: Database, visible: Schema, recents: Recents) -> None:
        self.visible = visible
        self._database = database
        self._recents = recents
        self._cursors: OrderedDict[str, Cursor] = OrderedDict()
        # Locators of an earlier run must not name cursors of this one.
        self._made = secrets.randbelow(2**40)

    def first(self, asked: Asked) -> bytes:
        """The first page of a query's answer, as JSON. Raises ApiError."""
        return self.answer(plan(asked, self.visible), asked)

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

    def forget(self) -> None:
        """Lets every cursor expire."""
        self._cursors.clear()

    def _groups(self, planned: Groups) -> bytes:
        rows = self._database.blobs(planned.sql, planned.values)
        if len(rows) > PAGE:
            message = "Aggregate query does not support queryMore(), use LIMIT to restrict the results"
            raise ApiError("EXCEEDED_ID_LIMIT", f"{message} to a single batch")
        return _result(len(rows), b'"done":true', rows)

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
        keys = "[" + ",".join(map(str, cursor.keys[start:end])) + "]"
        values: dict[str, Value] = {**cursor.records.values, "keys": keys, "cursor": cursor_id}
        rows = self._database.blobs(cursor.records.page_sql, values)
        done = b'"done":true'
        if end < len(cursor.keys):
            done = _not_done(cursor, f"{cursor_id}-{end}")
        return _result(len(cursor.keys), done, rows)

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
        return _result(total, done, [str(row[0]).encode() for row in rows])


def _lost() -> ApiError:
    return ApiError("INVALID_QUERY_LOCATOR", "invalid query locator")


def _not_done(cursor: Cursor, locator: str) -> bytes:
    return f'"done":false,"nextRecordsUrl":"{cursor.asked.base_url}/query/{locator}"'.encode()


def _result(total: int, done: bytes, rows: list[bytes]) -> bytes:
    return b'{"totalSize":%d,%b,"records":[%b]}' % (total, done, b",".join(rows))


def _packed(found: array[int]) -> Sequence[int]:
    if found and found[-1] - found[0] + 1 == len(found) and all(map(int.__lt__, found, found[1:])):
        return range(found[0], found[-1] + 1)
    return found
