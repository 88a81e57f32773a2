"""Pages of queries that have been written, kept for who asks again.

A page is good for as long as nothing at all is written to the database. What is full keeps what it has: who
reads more than it holds from end to end, again and again, would find nothing if the new drove out the old.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from runner.emulator.database import Database, Value

#: bytes that are kept
MOST = 64 * 1024 * 1024


class Pages:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[bytes, bytes] = {}
        self._size = 0
        self._changes = -1

    def page(self, sql: str, values: Mapping[str, Value], keys: Sequence[int]) -> bytes:
        """The JSON of the records with these numbers, joined by commas; ``sql`` takes them as a JSON list,
        ``keys``.
        """
        self._forget_what_changed()
        listed = "[" + ",".join(map(str, keys)) + "]"
        name = hashlib.blake2b(f"{sql}\x00{values}\x00{listed}".encode("utf-8", "replace")).digest()
        known = self._kept.get(name)
        if known is not None:
            return known
        page = b",".join(self._database.blobs(sql, {**values, "keys": listed}))
        if self._size + len(page) <= MOST:
            self._kept[name] = page
            self._size += len(page)
        return page

    def _forget_what_changed(self) -> None:
        if self._database.changes != self._changes:
            self._changes = self._database.changes
            self._kept.clear()
            self._size = 0
