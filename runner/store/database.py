"""The state file: opened, migrated, and every fault of it translated once."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from runner.errors import StoreDamaged, StoreError, StoreFull, StoreLocked, StoreTooNew

_HERE = Path(__file__).parent
#: seconds to wait for another process's transaction
_PATIENCE = 10.0
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA wal_autocheckpoint = 10000",
    "PRAGMA cache_size = -65536",
    "PRAGMA temp_store = MEMORY",
)

Parameters = Mapping[str, object] | Sequence[object]


def load_queries(name: str) -> dict[str, str]:
    """The statements of `queries/NAME.sql`, by the name that heads each."""
    found: dict[str, str] = {}
    for block in (_HERE / "queries" / f"{name}.sql").read_text(encoding="utf-8").split("-- name: ")[1:]:
        title, _, statement = block.partition("\n")
        found[title.strip()] = statement.strip()
    return found


class Database:
    """One SQLite file, usable from any thread, one at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._depth = 0
        self._connection: sqlite3.Connection | None = None

    @classmethod
    def open(cls, path: Path) -> Database:
        """Opens, and makes where it is missing, a state file that only its owner may read.

        Raises:
            StoreError: it cannot be opened, is damaged, locked, or was written by a later version.
        """
        database = cls(path)
        with database.faults():
            _make(path)
            connection = sqlite3.connect(
                path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
            )
            connection.row_factory = sqlite3.Row
            database._connection = connection
            if path.stat().st_size == 0:
                connection.execute("PRAGMA page_size = 8192")
            for pragma in _PRAGMAS:
                connection.execute(pragma)
            _migrate(database)
        return database

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def raw(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError("the state is closed already")
        return self._connection

    @contextmanager
    def faults(self) -> Iterator[None]:
        """SQLite's faults as ours."""
        try:
            yield
        except sqlite3.Error as exc:
            raise _translated(self.path, exc) from exc
        except OSError as exc:
            raise StoreError(
                f"the state {self.path} cannot be opened: {exc.strerror}",
                hint="check the folder's rights, or name another place in TERAPI_STORE",
            ) from exc

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """All of what happens inside, or none of it; one inside another is a savepoint."""
        with self._lock, self.faults():
            name = f"level_{self._depth}"
            self.raw.execute("BEGIN IMMEDIATE" if self._depth == 0 else f"SAVEPOINT {name}")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                self._undo(name)
                raise
            self._depth -= 1
            self.raw.execute("COMMIT" if self._depth == 0 else f"RELEASE {name}")

    def _undo(self, name: str) -> None:
        if self._depth:
            self.raw.execute(f"ROLLBACK TO {name}")
            self.raw.execute(f"RELEASE {name}")
        elif self.raw.in_transaction:
            # A full disk has rolled back already.
            self.raw.execute("ROLLBACK")

    def run(self, statement: str, parameters: Parameters = ()) -> int:
        """Carries a statement out; gives the number of rows that it changed."""
        with self._lock, self.faults():
            return self.raw.execute(statement, parameters).rowcount

    def run_many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        with self._lock, self.faults():
            self.raw.executemany(statement, rows)

    def rows(self, statement: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        with self._lock, self.faults():
            return self.raw.execute(statement, parameters).fetchall()

    def row(self, statement: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        found = self.rows(statement, parameters)
        return found[0] if found else None


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        path.touch(mode=0o600)


def _migrate(database: Database) -> None:
    """Brings the schema to this version; each step and its record in one transaction."""
    steps = sorted((_HERE / "migrations").glob("*.sql"))
    version = database.raw.execute("PRAGMA user_version").fetchone()[0]
    if version > len(steps):
        raise StoreTooNew(
            f"the state {database.path} is of a later terapi (version {version}, ours {len(steps)})",
            hint="update terapi: pip install --upgrade terapi",
        )
    for number, step in enumerate(steps, 1):
        if number > version:
            _step(database, number, step.read_text(encoding="utf-8"))


def _step(database: Database, number: int, script: str) -> None:
    with database.atomic():
        if database.raw.execute("PRAGMA user_version").fetchone()[0] >= number:
            return  # another process was quicker
        for statement in script.split(";\n"):
            if statement.strip():
                database.raw.execute(statement)
        database.raw.execute(f"PRAGMA user_version = {number}")


def _translated(path: Path, exc: sqlite3.Error) -> StoreError:
    code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreLocked(
            f"the state {path} is held by another process",
            hint="wait for it to end, or end it; a backup or a file sync can hold it too",
        )
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return StoreFull(
            f"the state {path} cannot grow: {exc}",
            hint="free some space and run it again; what was stored before is safe",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreDamaged(
            f"the state {path} is damaged: {exc}",
            hint=f"restore it from a backup, or move it aside (mv {path} {path}.damaged) and connect again",
        )
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return StoreError(
            f"the state {path} cannot be written: {exc}",
            hint="check the folder's rights, or name another place in TERAPI_STORE",
        )
    return StoreError(f"the state {path} refused: {exc}")
