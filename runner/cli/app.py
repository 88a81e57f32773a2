"""What every command starts from: the folder it runs in and the definitions there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from runner.errors import UsageError

if TYPE_CHECKING:
    from runner.calls.access import Access
    from runner.definitions.project import Project
    from runner.store import Store

T = TypeVar("T")


class App:
    """The process's view of one project folder; each part is opened on first use."""

    def __init__(self, folder: Path | None) -> None:
        self.start = (folder or Path()).absolute()
        if not self.start.is_dir():
            raise UsageError(f"{self.start} is no folder", hint="name an existing one with -C DIR")

    @cached_property
    def root(self) -> Path:
        """The project folder.

        Raises:
            UsageError: there is none at or above the folder that the command runs in.
        """
        from runner.definitions.project import find_root

        return find_root(self.start)

    @cached_property
    def loaded(self) -> Project:
        """The definitions, whether or not they are valid."""
        from runner.definitions.project import Project

        return Project.load(self.root)

    @property
    def project(self) -> Project:
        """The definitions.

        Raises:
            DefinitionsInvalid: something is wrong in them.
        """
        return self.loaded.checked()

    @cached_property
    def store(self) -> Store:
        """The state: `TERAPI_STORE`, or `.terapi/terapi.db` in the project folder.

        Raises:
            StoreError: it cannot be opened.
        """
        from runner.store import open_store

        return open_store(
            os.environ.get("TERAPI_STORE") or f"sqlite:///{self.root / '.terapi' / 'terapi.db'}"
        )

    def run(self, work: Callable[[Access], Awaitable[T]]) -> T:
        """Runs what calls APIs, and closes what it opened."""
        from runner.calls.access import Access

        async def inside() -> T:
            async with Access(self.project, self.store) as access:
                return await work(access)

        return asyncio.run(inside())
