"""The store: one place for all that is kept."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from runner.errors import UsageError
from runner.store.connections import Connections
from runner.store.database import Database
from runner.store.locks import Lock
from runner.store.opening import open_database
from runner.store.records import Records
from runner.store.runs import Deliveries, Runs
from runner.store.state import States


class Store:
    """Connections, records, checkpoints, runs and deliveries of one project."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.connections = Connections(database)
        self.records = Records(database)
        self.states = States(database)
        self.runs = Runs(database)
        self.deliveries = Deliveries(database)

    @property
    def folder(self) -> Path:
        return self.database.path.parent

    def atomic(self, *, durable: bool = False) -> AbstractContextManager[None]:
        """All of what happens inside, or none of it; see `Database.atomic`."""
        return self.database.atomic(durable=durable)

    def lock(self, name: str) -> Lock:
        """A lock that holds across threads and processes."""
        return Lock(self.folder / "locks", name)

    def close(self) -> None:
        self.database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(url: str, *, patience: float = 10.0) -> Store:
    """Opens the store at ``sqlite:///relative/path`` or ``sqlite:////absolute/path``; makes it if need be.

    Args:
        url: what comes after `sqlite:///` is a path as it is, without escapes.
        patience: seconds to wait for another process's transaction before `StoreLocked` is raised.

    Raises:
        UsageError: the URL is of another kind.
        StoreError: it cannot be opened, is damaged, locked, or was written by a later version.
    """
    scheme, separator, path = url.partition(":///")
    if scheme != "sqlite" or not separator or not path:
        shown = scheme if separator else "it"
        raise UsageError(
            f"TERAPI_STORE: `{shown}` is not a kind of store that this version has",
            hint="write sqlite:///path/to/terapi.db, or leave it out for .terapi/terapi.db",
        )
    return Store(open_database(Path(path), patience))
