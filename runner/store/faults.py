"""The border to SQLite: its faults, and the file system's, as ours; told once, with a way out."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path
from types import TracebackType

from runner.errors import StoreDamaged, StoreError, StoreFull, StoreLocked

_RIGHTS = "check the rights of the file and its folder, or name another place in TERAPI_STORE"
_SPACE = "free some space and run it again; what was stored before is safe"


class Border:
    """Turns the faults of whatever happens inside into a `StoreError` that names the file.

    Only calls into SQLite and the file system belong inside, never a caller's own code.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, sqlite3.Error):
            raise of_sqlite(self._path, error) from error
        if isinstance(error, OSError):
            raise of_system(self._path, error) from error


def of_sqlite(path: Path, error: sqlite3.Error) -> StoreError:
    """What a fault of SQLite means for the state at ``path`` (https://www.sqlite.org/rescode.html)."""
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreLocked(
                f"the state {path} is held by another process",
                hint="wait for it to end, or end it; a backup or a file sync can hold it too",
            )
        case sqlite3.SQLITE_FULL:
            return StoreFull(f"the state {path} cannot grow: {error}", hint=_SPACE)
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return damaged(path, str(error))
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return StoreError(f"the state {path} cannot be written: {error}", hint=_RIGHTS)
        case sqlite3.SQLITE_IOERR:
            return StoreError(
                f"the state {path} cannot be read or written: {error}",
                hint="check the disk and its free space; what was stored before is safe",
            )
        case _:
            return StoreError(f"the state {path} refused: {error}")


def of_system(path: Path, error: OSError) -> StoreError:
    """What a fault of the file system means for the state at ``path``."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFull(f"the state {path} cannot grow: {error.strerror}", hint=_SPACE)
    return StoreError(f"the state {path} cannot be opened: {error.strerror}", hint=_RIGHTS)


def damaged(path: Path, why: str) -> StoreDamaged:
    return StoreDamaged(
        f"the state {path} is damaged: {why}",
        hint=f"restore it from a backup, or move it aside (mv {path} {path}.damaged) and connect again",
    )
