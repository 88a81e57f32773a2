"""SQL over what was synced: one view for each model, one column for each key of its records, read only."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from runner.errors import UsageError
from runner.store.database import load_queries
from runner.store.faults import of_sqlite

#: what every view has besides the keys of its records
_OWN: Final = ("integration", "connection", "id", "cursor", "_state", "deleted_at", "_variant")
#: functions that give rows, which may be read as well
_FUNCTIONS: Final = frozenset({"json_each", "json_tree"})
#: SQLite takes 2,000 columns at most
_MOST_COLUMNS = 1_500
#: steps of SQLite's machine between two looks at whether somebody has interrupted
_STEPS = 100_000
#: faults that are the query's own, not the state's
_QUERYS_OWN = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH)


class Table(NamedTuple):
    """The answer to a query."""

    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]


def ask(path: Path, query: str) -> Table:
    """Answers a query over the models, each a view under its name.

    A view has the columns integration, connection, id, cursor, _state (added, updated or deleted), deleted_at
    and _variant, then the keys of the model's records. Deleted records are among the rows, unless a query
    says `WHERE _state <> 'deleted'`. Nothing but the models can be read, and nothing written.

    Raises:
        UsageError: the query is not one statement that reads models.
        StoreError: the state cannot be read.
        KeyboardInterrupt: somebody interrupted it, however long it takes.
    """
    try:
        with closing(
            sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
        ) as connection:
            return _Views(connection).ask(query)
    except sqlite3.Error as exc:
        raise of_sqlite(path, exc) from exc


class _Views:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._sql = load_queries("views")
        connection.executescript(self._sql["begin"])
        self._models = [str(row[0]) for row in connection.execute(self._sql["models"])]
        self._made: set[str] = set()

    def ask(self, query: str) -> Table:
        folded = query.casefold()
        for model in self._models:
            if model.casefold() in folded:
                self._make(model)
        self._connection.execute(self._sql["settle"])
        self._connection.set_authorizer(self._allowed)
        self._connection.set_progress_handler(lambda: 0, _STEPS)
        try:
            cursor = self._connection.execute(query)
            rows = cursor.fetchall()
        except (sqlite3.Error, sqlite3.Warning) as exc:
            raise self._refused(exc) from exc
        if cursor.description is None:
            raise UsageError("the query is empty", hint=self._hint())
        return Table(tuple(column[0] for column in cursor.description), rows)

    def _make(self, model: str) -> None:
        columns = "".join(
            self._sql["column"].format(path=_text(f'$."{key}"'), name=_name(name))
            for key, name in _columns(self._keys(model))
        )
        self._connection.execute(
            self._sql["view"].format(name=_name(model), columns=columns, model=_text(model))
        )
        self._made.add(model.casefold())

    def _keys(self, model: str) -> Iterator[str]:
        """The keys of a sample of records; those of a stream's newest and oldest stand for the rest."""
        for (stream,) in self._connection.execute(self._sql["streams"], {"model": model}).fetchall():
            for query in ("newest", "oldest"):
                for (payload,) in self._connection.execute(self._sql[query], {"stream": stream}):
                    yield from json.loads(payload)

    def _allowed(
        self, action: int, first: str | None, second: str | None, schema: str | None, view: str | None
    ) -> int:
        if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION and second != "load_extension":
            return sqlite3.SQLITE_OK
        names = {name.casefold() for name in (first, view) if name}
        readable = action == sqlite3.SQLITE_READ and names & (self._made | _FUNCTIONS)
        return sqlite3.SQLITE_OK if readable else sqlite3.SQLITE_DENY

    def _refused(self, error: sqlite3.Error | sqlite3.Warning) -> BaseException:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code == sqlite3.SQLITE_INTERRUPT:
            return KeyboardInterrupt()
        if code == sqlite3.SQLITE_AUTH or "not authorized" in str(error):
            return UsageError("a query reads, and reads the models alone", hint=self._hint())
        if code in _QUERYS_OWN:
            return UsageError(f"the query cannot be answered: {error}", hint=self._hint())
        return error

    def _hint(self) -> str:
        return f"the models are: {', '.join(self._models)}" if self._models else "nothing was synced yet"


def _columns(keys: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each key and the name of its column, which no other has, be it in capitals or small letters."""
    taken = set(_OWN)
    for key in list(dict.fromkeys(keys))[:_MOST_COLUMNS]:
        if key.casefold() == "id" or not key or '"' in key or "\\" in key or "\0" in key:
            continue
        name = key
        while name.casefold() in taken:
            name += "_"
        taken.add(name.casefold())
        yield key, name


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
