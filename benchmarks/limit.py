"""The bare limit: pages of contacts parsed, mapped, hashed and stored in SQLite by a loop, and nothing else.

One core, no network, no definitions, no progress, no log: what a program in Python could reach at the most
with the store's own layout. It is held against what a sync reaches, in the same run.
"""

from __future__ import annotations

import gc
import sqlite3
import tempfile
import time
from collections.abc import Iterator

import orjson
import xxhash

from benchmarks.figures import Figure
from benchmarks.mapping import page_of_contacts, row_by_hand
from runner.cli.main import GARBAGE

PAGES = 100
_TABLE = """
PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
PRAGMA wal_autocheckpoint = 10000; PRAGMA cache_size = -65536;
CREATE TABLE records (stream INTEGER NOT NULL, id TEXT NOT NULL, hash BLOB NOT NULL, payload BLOB NOT NULL,
  state INTEGER NOT NULL, cursor INTEGER NOT NULL, first_seen_at REAL NOT NULL, changed_at REAL NOT NULL,
  PRIMARY KEY (stream, id)) WITHOUT ROWID;
CREATE INDEX records_by_cursor ON records (stream, cursor);
"""
_UPSERT = """
INSERT INTO records VALUES (1, ?, ?, ?, 0, ?, ?, ?) ON CONFLICT DO UPDATE SET hash = excluded.hash,
  payload = excluded.payload, state = 1, cursor = excluded.cursor, changed_at = excluded.changed_at
WHERE hash <> excluded.hash
"""


def figures() -> Iterator[Figure]:
    yield Figure("the bare limit", f"{bare_limit():,.0f} records/s")


def bare_limit() -> float:
    """Records a second, by the time that this process had a processor."""
    gc.set_threshold(*GARBAGE)
    page = orjson.dumps({"records": page_of_contacts()})
    seconds = 0.0
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(f"{folder}/limit.db", isolation_level=None)
        database.executescript(_TABLE)
        count = 0
        for number in range(PAGES):
            body = page.replace(b'"Id":"003Hs', b'"Id":"%05d' % number)
            began = time.process_time()
            count += _stored(database, body, count)
            seconds += time.process_time() - began
        database.close()
    return count / seconds


def _stored(database: sqlite3.Connection, body: bytes, cursor: int) -> int:
    rows = [row_by_hand(record) for record in orjson.loads(body)["records"]]
    digest = xxhash.xxh3_128_digest
    stored = [(id, digest(text), text, cursor + n, 1.0, 1.0) for n, (id, text) in enumerate(rows, 1)]
    database.execute("BEGIN IMMEDIATE")
    database.executemany(_UPSERT, stored)
    database.execute("COMMIT")
    return len(stored)
