"""Transactions that commit late: what they write has the stamp of when they began, and is seen later.

In between the records are as they were before; a new one is not there.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from contextvars import ContextVar

import orjson

from runner.emulator.clock import Clock
from runner.emulator.database import Database, Row, quote
from runner.emulator.schema import ObjectType

#: a record's object and number
Place = tuple[str, int]


class Late:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        #: what each record that is written in the transaction was before; None outside of one
        self._before: ContextVar[dict[Place, Row | None] | None] = ContextVar("before", default=None)
        self._next = self._earliest()

    def note(self, item: ObjectType, number: int) -> None:
        """A record is about to be written."""
        before = self._before.get()
        if before is not None and (item.name, number) not in before:
            before[item.name, number] = self._read(item.name, number)

    @contextlib.contextmanager
    def transaction(self, seconds: float) -> Iterator[None]:
        """What is written in it is seen so many seconds after its end, by the org's clock."""
        before: dict[Place, Row | None] = {}
        token = self._before.set(before)
        try:
            yield
        finally:
            self._before.reset(token)
            self._put_away(before, self._clock.time() + seconds)

    def settle(self) -> None:
        """Commits what is due; costs next to nothing where there is nothing."""
        if self._clock.time() >= self._next:
            self._commit("WHERE due <= ?", (self._clock.time(),))

    def commit(self) -> int:
        """Commits everything; gives how many records are seen by it."""
        return self._commit("", ())

    def _commit(self, where: str, values: tuple[float, ...]) -> int:
        with self._database.atomic():
            sql = f"SELECT object, n, body FROM _late {where} ORDER BY rowid"  # noqa: S608
            rows = self._database.rows(sql, values)
            for name, number, body in rows:
                self._write(str(name), int(str(number)), orjson.loads(str(body)))
            self._database.run(f"DELETE FROM _late {where}", values)  # noqa: S608
        self._next = self._earliest()
        return len(rows)

    def _put_away(self, before: dict[Place, Row | None], due: float) -> None:
        with self._database.atomic():
            for (name, number), row in before.items():
                written = self._read(name, number)
                if written is None:
                    continue
                body = orjson.dumps(written).decode()
                self._database.run("INSERT INTO _late VALUES (?, ?, ?, ?)", (name, number, due, body))
                self._write(name, number, row)
        self._next = self._earliest()

    def _read(self, name: str, number: int) -> Row | None:
        columns = ", ".join(map(quote, self._database.schema.objects[name].columns))
        return self._database.row(f"SELECT {columns} FROM {quote(name)} WHERE n = ?", (number,))  # noqa: S608

    def _write(self, name: str, number: int, row: Row | None) -> None:
        """Sets a record to what it is to be; None takes it away, but not its number."""
        self._database.run(f"DELETE FROM {quote(name)} WHERE n = ?", (number,))  # noqa: S608
        if row is not None:
            self._database.insert(self._database.schema.objects[name], [(number, *row)])
        else:
            self._database.erased(name, number)

    def _earliest(self) -> float:
        row = self._database.row("SELECT min(due) FROM _late")
        return float(row[0]) if row and row[0] is not None else math.inf
