"""What every command starts from: the folder it runs in and the definitions there."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

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

        return open_store(self._store_url)

    @property
    def store_if_there(self) -> Store | None:
        """The same, where there is one already: nothing is made."""
        from runner.store import is_there

        return self.store if is_there(self._store_url) else None

    @property
    def _store_url(self) -> str:
        return os.environ.get("TERAPI_STORE") or f"sqlite:///{self.root / '.terapi' / 'terapi.db'}"

    def run(self, work: Callable[[Access], Awaitable[T]]) -> T:
        """Runs what calls APIs, and closes what it opened.

        SIGTERM and SIGHUP end it as ctrl-C does: in order, so that a run under way is kept as cancelled.
        """
        import asyncio

        from runner.calls.access import Access

        ended: list[signal.Signals] = []

        async def inside() -> T:
            _end_in_order(ended)
            async with Access(self.project, self.store) as access:
                return await work(access)

        try:
            return asyncio.run(inside())
        except asyncio.CancelledError:
            if not ended:
                raise
            click.echo("stopped", err=True)
            raise click.exceptions.Exit(128 + ended[0]) from None


def _end_in_order(ended: list[signal.Signals]) -> None:
    """Lets the signals that end a process cancel the task that asks, and notes which one came."""
    import asyncio

    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def end(number: signal.Signals) -> None:
        ended.append(number)
        if task is not None:
            task.cancel()

    for number in (signal.SIGTERM, signal.SIGHUP):
        # One that is ignored, as under nohup, stays so.
        if signal.getsignal(number) is signal.SIG_DFL:
            loop.add_signal_handler(number, end, number)
