"""Locks across threads and processes, which the kernel releases when their holder is killed."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from filelock import FileLock, Timeout

from runner.errors import StoreError


class Lock:
    """A lock by name; taken without waiting, so that the caller decides what to do meanwhile."""

    def __init__(self, folder: Path, name: str) -> None:
        readable = re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:60]
        self._folder = folder
        self._lock = FileLock(
            folder / f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:12]}", thread_local=False
        )

    def acquire(self) -> bool:
        """Takes the lock; False where somebody else holds it."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock.acquire(blocking=False)
        except Timeout:
            return False
        except OSError as exc:
            raise StoreError(f"{self._folder} cannot be written: {exc.strerror}") from exc
        return True

    def release(self) -> None:
        self._lock.release()
