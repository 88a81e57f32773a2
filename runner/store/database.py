"""One SQLite file: statements, and transactions that hold all or nothing."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from runner.errors import StoreError
from runner.store.faults import Border

_HERE = Path(__file__).parent

#: rows that one statement inserts: each statement costs a third of what a row does
_AT_ONCE = 50

Parameters = Mapping[str, object] | Sequence[object]


def load_queries(name: str) -> dict[str, str]:
    """The statements of `queries/NAME.sql`, by the name that heads each."""
    found: dict[str, str] = {}
    for block in (_HERE / "queries" / f"{name}.sql").read_text(encoding="utf-8").split("-- name: ")[1:]:
        title, _, statement = block.partition("\n")
        found[title.strip()] = statement.strip()
    return found


class Database:
    """One SQLite file, usable from any thread, by one at a time; `opening.open_database` makes it.

    Its methods raise `StoreError` and what lies beneath it, never an error of SQLite.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._sql = load_queries("database")
        self._connection: sqlite3.Connection | None = connection
        self._border = Border(path)
        self._lock = threading.RLock()
        self._depth = 0

    def close(self) -> None:
        with self._lock, self._border:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def atomic(self, *, durable: bool = False) -> Iterator[None]:
        """All of what happens inside, or none of it; one inside another is a savepoint.

        Nothing may be awaited inside: another task of the same thread would join the transaction.

        Args:
            durable: whether it must outlive a power cut from the moment that this returns. Without, the last
                transactions before one may be undone, whole and in order; a killed process loses nothing.
        """
        with self._lock, self._durability(durable and not self._depth):
            savepoint = f"level_{self._depth}" if self._depth else None
            self._execute(f"SAVEPOINT {savepoint}" if savepoint else "BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
                self._execute(f"RELEASE {savepoint}" if savepoint else "COMMIT")
            except BaseException:
                self._undo(savepoint)
                raise
            finally:
                self._depth -= 1

    @contextmanager
    def _durability(self, wanted: bool) -> Iterator[None]:
        if not wanted:
            yield
            return
        self._execute(self._sql["sync_each"])
        try:
            yield
        finally:
            self._execute(self._sql["sync_some"])

    def _undo(self, savepoint: str | None) -> None:
        if not self._raw.in_transaction:
            return  # SQLite has undone all of it already, as it does when a disk is full
        if savepoint:
            self._execute(f"ROLLBACK TO {savepoint}")
            self._execute(f"RELEASE {savepoint}")
        else:
            self._execute("ROLLBACK")

    def run(self, statement: str, parameters: Parameters = ()) -> int:
        """Carries a statement out; gives the number of rows that it changed."""
        with self._lock:
            return self._execute(statement, parameters).rowcount

    def run_many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Carries a statement out for each of ``rows``."""
        with self._lock, self._border:
            self._usable().executemany(statement, rows)

    def insert_many(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """Inserts ``rows`` by a statement that ends with the `VALUES (…)` of one, many of them at a time."""
        head, values = statement.rsplit("VALUES", 1)
        several = f"{head}VALUES{', '.join([values] * _AT_ONCE)}"
        with self._lock, self._border:
            connection = self._usable()
            whole = len(rows) - len(rows) % _AT_ONCE
            for start in range(0, whole, _AT_ONCE):
                connection.execute(several, tuple(chain.from_iterable(rows[start : start + _AT_ONCE])))
            connection.executemany(statement, rows[whole:])

    def rows(self, statement: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        with self._lock, self._border:
            return self._usable().execute(statement, parameters).fetchall()

    def row(self, statement: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        """The first row, if there is one."""
        found = self.rows(statement, parameters)
        return found[0] if found else None

    def changes(self) -> tuple[int, int]:
        """A mark that is another one as soon as anybody has written something, here or elsewhere."""
        with self._lock:
            return int(self.rows(self._sql["others"])[0][0]), self._raw.total_changes

    def _execute(self, statement: str, parameters: Parameters = ()) -> sqlite3.Cursor:
        with self._border:
            return self._usable().execute(statement, parameters)

    def _usable(self) -> sqlite3.Connection:
        """The connection, unless the transaction under way is lost: what follows must not be kept alone."""
        connection = self._raw
        if self._depth and not connection.in_transaction:
            raise StoreError(
                f"the state {self.path} has undone this transaction after a fault; nothing of it is kept",
                hint="run it again",
            )
        return connection

    @property
    def _raw(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError("the state is closed already")
        return self._connection
