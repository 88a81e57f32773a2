"""The SQLite file (or the private, nameless one) in which an org lives.

Each object is a table of its own: ``n`` counts its records from 1, the other columns are the fields. A
datetime is the text that the API sends, a checkbox 0 or 1, an empty text null. One connection serves all
threads, behind one lock.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path

from runner.emulator.errors import OptionError
from runner.emulator.schema import NUMBERS, Field, Kind, ObjectType, Schema
from runner.emulator.soql import natives

Value = str | int | float | None
Row = tuple[Value, ...]
#: values of `?`, or by name
Bound = Sequence[Value] | Mapping[str, Value]

#: the name of the file below the folder that `--data` names
FILE = "org.sqlite"


class Database:
    """Raises OptionError where ``folder`` cannot be written. Without one, the data end with the process."""

    def __init__(self, schema: Schema, folder: Path | None = None) -> None:
        self.schema = schema
        #: the schema as the users of the APIs see it, without what is hidden from them
        self.visible = schema
        self.lock = threading.RLock()
        self._connection = _open(folder, schema)

    def close(self) -> None:
        with self.lock:
            self._connection.close()

    def rows(self, sql: str, values: Bound = ()) -> list[Row]:
        with self.lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Bound = ()) -> Row | None:
        with self.lock:
            row: Row | None = self._connection.execute(sql, values).fetchone()
            return row

    def blobs(self, sql: str, values: Bound = ()) -> list[bytes]:
        """The first column of each row, where it is bytes."""
        with self.lock:
            return [row[0] for row in self._connection.execute(sql, values).fetchall()]

    def numbers(self, sql: str, values: Bound = ()) -> array[int]:
        """The first column of each row, where it is a whole number."""
        with self.lock:
            return array("q", (row[0] for row in self._connection.execute(sql, values)))

    @property
    def changes(self) -> int:
        """How many rows have been written so far."""
        return self._connection.total_changes

    def run(self, sql: str, values: Bound = ()) -> int:
        """Carries out a statement; gives how many rows it changed."""
        with self.lock:
            return self._connection.execute(sql, values).rowcount

    def run_many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        with self.lock:
            self._connection.executemany(sql, rows)

    def insert(self, item: ObjectType, rows: Iterable[Sequence[Value]]) -> None:
        """Adds records, each its number and then its columns in the order of the object's."""
        self.run_many(_insertion(item.name, item.columns), rows)

    @contextlib.contextmanager
    def atomic(self) -> Iterator[None]:
        """All or nothing; inside another one, a part that can fail alone."""
        with self.lock:
            begin, end, undo = _PART if self._connection.in_transaction else _WHOLE
            self._connection.execute(begin)
            try:
                yield
            except BaseException:
                for statement in undo:
                    self._connection.execute(statement)
                raise
            self._connection.execute(end)

    def setting(self, name: str) -> str | None:
        row = self.row("SELECT value FROM _settings WHERE name = ?", (name,))
        return None if row is None else str(row[0])

    def set_setting(self, name: str, value: str) -> None:
        self.run("INSERT OR REPLACE INTO _settings VALUES (?, ?)", (name, value))

    def count(self, item: ObjectType) -> int:
        """How many records an object has had, the deleted ones too; the last one's number."""
        row = self.row(
            f"SELECT max(ifnull((SELECT max(n) FROM {quote(item.name)}), 0),"  # noqa: S608
            " ifnull((SELECT n FROM _erased WHERE object = ?), 0))",
            (item.name,),
        )
        return int(row[0] or 0) if row else 0

    def erased(self, name: str, number: int) -> None:
        """Sees to it that no other record of the object gets this number."""
        self.run(
            "INSERT INTO _erased VALUES (?, ?) ON CONFLICT (object) DO UPDATE SET n = max(n, excluded.n)",
            (name, number),
        )

    def index(self, item: ObjectType) -> None:
        """Makes the indexes; a table is filled faster without them."""
        for name in _indexed(item):
            unique = "UNIQUE" if name == "Id" else ""
            given = f" WHERE {quote(name)} IS NOT NULL" if item.by_name[name.lower()].nillable else ""
            # What was changed within a time is counted without a look at the records.
            columns = '"SystemModstamp", "IsDeleted"' if name == "SystemModstamp" else quote(name)
            self.run(
                f"CREATE {unique} INDEX IF NOT EXISTS {quote(f'{item.name}_{name}')}"
                f" ON {quote(item.name)} ({columns}){given}"
            )


#: how a transaction begins, ends, and is undone; and a part of one
_WHOLE = ("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))
_PART = ("SAVEPOINT part", "RELEASE part", ("ROLLBACK TO part", "RELEASE part"))


@lru_cache(maxsize=256)
def _insertion(table: str, columns: tuple[str, ...]) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {quote(table)} (n, {', '.join(map(quote, columns))}) VALUES (?, {marks})"  # noqa: S608


def quote(name: str) -> str:
    """A name of the schema as SQL has it; names from outside never come here."""
    return f'"{name}"'


def _open(folder: Path | None, schema: Schema) -> sqlite3.Connection:
    tables = _tables(schema)
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            folder / FILE if folder else "",
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        natives.register(connection)
        _configure(connection, durable=folder is not None)
        connection.executescript(tables)
        for item in schema:
            _widen(connection, item)
    except (OSError, sqlite3.Error) as exc:
        raise OptionError(f"The org's data cannot be kept in {folder}: {exc}") from exc
    return connection


def _configure(connection: sqlite3.Connection, *, durable: bool) -> None:
    connection.execute("PRAGMA page_size = 8192")
    connection.execute(f"PRAGMA journal_mode = {'WAL' if durable else 'MEMORY'}")
    connection.execute(f"PRAGMA synchronous = {'NORMAL' if durable else 'OFF'}")
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("PRAGMA busy_timeout = 2000")


def _tables(schema: Schema) -> str:
    kept = resources.files("runner.emulator").joinpath("tables.sql").read_text(encoding="utf-8")
    return kept + "".join(_table(item) for item in schema)


def _table(item: ObjectType) -> str:
    columns = ", ".join(map(_column, item.stored))
    return f"CREATE TABLE IF NOT EXISTS {quote(item.name)} (n INTEGER PRIMARY KEY, {columns});\n"


def _widen(connection: sqlite3.Connection, item: ObjectType) -> None:
    """Adds the columns that an org of an earlier version has not."""
    known = {row[1] for row in connection.execute(f"PRAGMA table_info({quote(item.name)})")}
    for field in item.stored:
        if field.name not in known:
            connection.execute(f"ALTER TABLE {quote(item.name)} ADD COLUMN {_column(field)}")


def _column(field: Field) -> str:
    empty = " DEFAULT 0" if field.kind is Kind.BOOLEAN else ""
    return f"{quote(field.name)} {_affinity(field.kind)}{empty}"


def _affinity(kind: Kind) -> str:
    if kind in (Kind.BOOLEAN, Kind.INT):
        return "INTEGER"
    if kind in NUMBERS:
        return "REAL"
    if kind in (Kind.ID, Kind.REFERENCE, Kind.DATE, Kind.DATETIME):
        return "TEXT"
    return "TEXT COLLATE NOCASE"


def _indexed(item: ObjectType) -> list[str]:
    """Ids, what records are joined by, what they are looked up by, and what a sync asks for."""
    joined = [
        field.name
        for field in item.fields
        if field.targets and not {"User", "RecordType"} & set(field.targets)
    ]
    looked_up = [field.name for field in item.fields if field.external_id]
    return ["Id", *joined, *looked_up, "SystemModstamp"]
