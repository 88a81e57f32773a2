"""Opening the state file: made for its owner alone, recognised, brought to this version's schema."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

from runner.errors import StoreDamaged, StoreTooNew
from runner.store.database import Database, load_queries
from runner.store.faults import Border, damaged
from runner.store.locks import Lock

_MIGRATIONS = Path(__file__).parent / "migrations"
#: marks a database as ours: `TRPI` in ASCII, written into the file's header by the first migration
_OURS = 0x54525049


def open_database(path: Path, patience: float) -> Database:
    """Opens the state at ``path``, and makes it where there is none.

    Args:
        patience: seconds to wait for another process's transaction.

    Raises:
        StoreDamaged: it is no sound database, or not one of ours.
        StoreTooNew: a later terapi wrote it.
        StoreLocked: another process held it for longer than ``patience``.
        StoreError: it cannot be read or written.
    """
    path = path.absolute()
    with Border(path):
        _make(path)
        connection = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
        try:
            _Opening(path, connection, patience).run()
        except BaseException:
            connection.close()
            raise
        connection.row_factory = sqlite3.Row
        return Database(path, connection)


def open_snapshot(path: Path) -> Database:
    """The state as it is now, to read alone: what others write meanwhile does not show.

    Raises:
        StoreError: it cannot be read.
    """
    path = path.absolute()
    with Border(path):
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        sql = load_queries("database")
        connection.execute(sql["still"])
        connection.execute(sql["tables"])  # a transaction sees what is there when it first reads
        return Database(path, connection)


def _make(path: Path) -> None:
    """An empty file that only its owner may read, in such a folder; one that is there loses wider rights."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    wal = path.with_name(f"{path.name}-wal")
    if path.exists() and not path.stat().st_size and wal.exists() and wal.stat().st_size:
        raise damaged(path, f"it is empty, but {wal.name} beside it is not")
    path.touch(mode=0o600)
    for file in (path, wal, path.with_name(f"{path.name}-shm")):
        if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077 and file.stat().st_uid == os.getuid():
            file.chmod(0o600)


class _Opening:
    def __init__(self, path: Path, connection: sqlite3.Connection, patience: float) -> None:
        self._path = path
        self._connection = connection
        self._patience = patience
        self._sql = load_queries("database")
        self._steps = sorted(_MIGRATIONS.glob("*.sql"))

    def run(self) -> None:
        if not self._is_current():
            # Two processes that find a new folder at once: one lays the ground, the other waits.
            with Lock(self._path.parent / "locks", f"open {self._path.name}", self._patience):
                self._bring_up_to_date()
        self._connection.executescript(self._sql["tune"])

    def _is_current(self) -> bool:
        self._recognise()
        return self._value("journal") == "wal" and self._value("version") == len(self._steps)

    def _recognise(self) -> None:
        if self._value("kind") != _OURS and self._value("tables"):
            raise StoreDamaged(
                f"{self._path} is a database, but no state of terapi",
                hint="name another file in TERAPI_STORE, or move this one aside",
            )
        version = self._value("version")
        if isinstance(version, int) and version > len(self._steps):
            raise StoreTooNew(
                f"the state {self._path} is of a later terapi (version {version}, ours {len(self._steps)})",
                hint="update terapi: pip install --upgrade terapi",
            )

    def _bring_up_to_date(self) -> None:
        self._recognise()
        self._connection.executescript(self._sql["found"])
        version = self._value("version")
        for number, step in enumerate(self._steps, 1):
            if isinstance(version, int) and number > version:
                self._take(number, step.read_text(encoding="utf-8"))

    def _take(self, number: int, script: str) -> None:
        """A migration and the record of it, in one transaction."""
        try:
            self._connection.executescript(
                f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT"
            )
        except sqlite3.Error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _value(self, query: str) -> object:
        found: object = self._connection.execute(self._sql[query]).fetchone()[0]
        return found
