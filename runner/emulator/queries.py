"""Queries answered page by page.

A cursor keeps the numbers of the records that the query found when it was asked, so that records that come
or go between two pages neither shift nor repeat the others. Pages are written by SQLite as JSON and joined
as bytes.
"""

from __future__ import annotations

import secrets
import sqlite3
from array import array
from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from runner.emulator import ids
from runner.emulator.database import Database
from runner.emulator.errors import ApiError
from runner.emulator.soql.compile import Asked, Count, Groups, Records, plan

PAGE = 2_000
SMALLEST_PAGE = 200
#: cursors that are kept, and record numbers in all of them; the oldest go first
MAX_CURSORS = 100
MAX_KEPT = 10_000_000
#: ids of cursors begin with this
LOCATOR_PREFIX = "01g"


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    records: Records
    #: the numbers of the records; a range, which takes no room, where they follow one another
    keys: Sequence[int]
    page_size: int
    base_url: str


class Queries:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._cursors: OrderedDict[str, Cursor] = OrderedDict()
        # Locators of an earlier run must not name cursors of this one.
        self._made = secrets.randbelow(2**40)

    def first(self, asked: Asked, page_size: int = PAGE) -> bytes:
        """The first page of a query's answer, as JSON. Raises ApiError."""
        planned = plan(asked, self._database.schema)
        try:
            match planned:
                case Count():
                    total = self._database.numbers(planned.sql, planned.values)[0]
                    return b'{"totalSize":%d,"done":true,"records":[]}' % total
                case Groups():
                    return self._groups(planned)
                case Records():
                    return self._records(planned, asked, page_size)
        except sqlite3.Error as exc:
            raise ApiError("QUERY_TOO_COMPLICATED", f"The query is too complicated: {exc}") from exc

    def more(self, locator: str) -> bytes:
        """The page that a locator such as `01g…-2000` names. Raises ApiError INVALID_QUERY_LOCATOR."""
        given, _, place = locator.partition("-")
        cursor_id = ids.normalise(given) or ""
        cursor = self._cursors.get(cursor_id)
        if cursor is None or not place.isdecimal() or not 0 < int(place) < len(cursor.keys):
            raise ApiError("INVALID_QUERY_LOCATOR", "invalid query locator")
        self._cursors.move_to_end(cursor_id)
        return self._page(cursor, cursor_id, int(place))

    def forget(self) -> None:
        """Lets every cursor expire."""
        self._cursors.clear()

    def _groups(self, planned: Groups) -> bytes:
        rows = self._database.blobs(planned.sql, planned.values)
        if len(rows) > PAGE:
            message = "Aggregate query does not support queryMore(), use LIMIT to restrict the results"
            raise ApiError("EXCEEDED_ID_LIMIT", f"{message} to a single batch")
        return _result(len(rows), b'"done":true', rows)

    def _records(self, planned: Records, asked: Asked, page_size: int) -> bytes:
        found = self._database.numbers(planned.keys_sql, planned.values)
        cursor = Cursor(records=planned, keys=_packed(found), page_size=page_size, base_url=asked.base_url)
        cursor_id = self._keep(cursor) if len(found) > page_size else ""
        return self._page(cursor, cursor_id, 0)

    def _keep(self, cursor: Cursor) -> str:
        self._made += 1
        cursor_id = ids.make(LOCATOR_PREFIX, self._made)
        self._cursors[cursor_id] = cursor
        while len(self._cursors) > MAX_CURSORS or (len(self._cursors) > 1 and self._kept() > MAX_KEPT):
            self._cursors.popitem(last=False)
        return cursor_id

    def _kept(self) -> int:
        return sum(len(cursor.keys) for cursor in self._cursors.values() if isinstance(cursor.keys, array))

    def _page(self, cursor: Cursor, cursor_id: str, start: int) -> bytes:
        end = start + cursor.page_size
        keys = "[" + ",".join(map(str, cursor.keys[start:end])) + "]"
        rows = self._database.blobs(cursor.records.page_sql, {**cursor.records.values, "keys": keys})
        done = b'"done":true'
        if end < len(cursor.keys):
            done = b'"done":false,"nextRecordsUrl":"%b/query/%b-%d"' % (
                cursor.base_url.encode(),
                cursor_id.encode(),
                end,
            )
        return _result(len(cursor.keys), done, rows)


def _result(total: int, done: bytes, rows: list[bytes]) -> bytes:
    return b'{"totalSize":%d,%b,"records":[%b]}' % (total, done, b",".join(rows))


def _packed(found: array[int]) -> Sequence[int]:
    if found and found[-1] - found[0] + 1 == len(found) and all(map(int.__lt__, found, found[1:])):
        return range(found[0], found[-1] + 1)
    return found
