"""The store: one place for all that is kept."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from runner.errors import UsageError
from runner.store.connections import Connections
from runner.store.database import Database
from runner.store.deliveries import Deliveries
from runner.store.housekeeping import Housekeeping, Keep
from runner.store.locks import Lock
from runner.store.opening import open_database, open_snapshot
from runner.store.outlines import Outlines
from runner.store.parents import Parents
from runner.store.pruning import Pruning
from runner.store.records import Records, Stream
from runner.store.runs import Runs
from runner.store.state import States
from runner.store.steps import Steps
from runner.store.sync_requests import SyncRequests
from runner.store.triggers import Triggers
from runner.store.variants import Variants
from runner.store.views import Table, ask


class Store:
    """Connections, records, checkpoints, runs and deliveries of one project."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.connections = Connections(database)
        self.records = Records(database)
        self.states = States(database)
        self.outlines = Outlines(database)
        self.variants = Variants(database, self.states)
        self.parents = Parents(database)
        self.runs = Runs(database, self.lock)
        self.steps = Steps(database)
        self.deliveries = Deliveries(database)
        self.sync_requests = SyncRequests(database)
        self.triggers = Triggers(database)

    @property
    def folder(self) -> Path:
        return self.database.path.parent

    def atomic(self, *, durable: bool = False) -> AbstractContextManager[None]:
        """All of what happens inside, or none of it; see `Database.atomic`."""
        return self.database.atomic(durable=durable)

    def lock(self, name: str, *, patience: float = 10.0) -> Lock:
        """A lock that holds across threads and processes; `with` waits ``patience`` seconds for it."""
        return Lock(self.folder / "locks", name, patience)

    def housekeeping(self, keep: Keep) -> Housekeeping:
        """What forgets deliveries and runs that are older than ``keep``."""
        return Housekeeping(self.database, keep)

    def pruning(self, stream: Stream) -> Pruning:
        """What empties the records of a stream."""
        return Pruning(self.database, stream)

    def is_worked(self) -> bool:
        """Whether a server or a worker takes up what is stored, be it this very process."""
        lock = self.lock("worker")
        if not lock.acquire():
            return True
        lock.release()
        return False

    def snapshot(self) -> Store:
        """The store as it is now, to read alone, until it is closed; use it with `with`."""
        return Store(open_snapshot(self.database.path))

    def sql(self, query: str) -> Table:
        """Answers a query over the models; see `views.ask`."""
        return ask(self.database.path, query)

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
    return Store(open_database(_path(url), patience))


def is_there(url: str) -> bool:
    """Whether there is a store at a URL already; see `open_store`."""
    return _path(url).is_file()


def _path(url: str) -> Path:
    scheme, separator, rest = url.partition("://")
    if not separator:
        wrong = f"`{url}` is no URL of a store"
    elif scheme != "sqlite":
        # The rest of it may hold a password.
        wrong = f"`{scheme}` is not a kind of store that this version has"
    elif rest in ("", "/", "/:memory:") or not rest.startswith("/"):
        wrong = f"`{url}` names no file"
    else:
        return Path(rest[1:])
    raise UsageError(
        f"TERAPI_STORE: {wrong}",
        hint="write sqlite:///path/to/terapi.db, or leave it out for .terapi/terapi.db",
    )
