"""Locks across threads and processes, which the kernel releases when their holder is killed."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from runner.errors import StoreLocked
from runner.store.faults import Border


class Lock:
    """A lock by name.

    `acquire()` never waits, so that the caller decides what to do meanwhile; `with` waits for ``patience``
    seconds. Who competes for a lock asks the store for an object of its own.
    """

    def __init__(self, folder: Path, name: str, patience: float = 10.0) -> None:
        readable = re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:60]
        digest = hashlib.sha256(name.encode()).hexdigest()[:12]
        self._name = name
        self._patience = patience
        self._folder = folder
        self._border = Border(folder)
        self._path = folder / f"{readable}-{digest}"
        self._lock = FileLock(self._path, thread_local=False, mode=0o600)

    def acquire(self) -> bool:
        """Takes the lock; False where somebody holds it, be it through this very object."""
        return not self._lock.is_locked and self._taken(0.0)

    def release(self) -> None:
        self._lock.release()

    def remove(self) -> None:
        """Releases the lock and removes its file; for a name that is never used again."""
        with self._border:
            self._path.unlink(missing_ok=True)
        self.release()

    def __enter__(self) -> Lock:
        """Takes the lock.

        Raises:
            StoreLocked: somebody held it for longer than the patience.
        """
        if not self._taken(self._patience):
            raise StoreLocked(
                f"`{self._name}` is held by another process", hint="wait for it to end, or end it"
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _taken(self, patience: float) -> bool:
        with self._border:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                self._lock.acquire(timeout=patience)
            except Timeout:
                return False
        return True
