"""The thread in which syncs and workflows run, so that requests are answered beside them.

It has a loop, an access and a connection to the state of its own: a page of a thousand records that is stored
keeps no request waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

from runner.calls.access import Access
from runner.server.worker import Worker

T = TypeVar("T")


class RunEngine:
    """Runs what is asked of it until it is closed; see `parts.Engine`.

    Args:
        access: used in its thread alone.
        work: whether it works through what is stored as well.
        log: takes a line for whoever runs the server.
    """

    def __init__(self, access: Access, *, work: bool, log: Callable[[str], None]) -> None:
        self._access = access
        self._log = log
        self._worker = Worker(access, log) if work else None
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        #: the task that waits for all others, and the worker's
        self._keeper: asyncio.Task[None] | None = None
        self._working: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="runs", daemon=True)

    @property
    def state(self) -> str:
        return "off" if self._worker is None else self._worker.state

    def start(self) -> None:
        self._thread.start()

    async def run(self, work: Callable[[Access], Awaitable[T]]) -> T:
        """Does a piece of work in the thread; raises what it raises."""

        async def there() -> T:
            return await work(self._access)

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(there(), self._loop))

    def wake(self) -> None:
        if self._worker is not None:
            self._there(self._worker.wake)

    def rest(self) -> None:
        """Takes up nothing more of what is stored, and lets go of the syncs."""
        if self._worker is not None:
            self._there(self._worker.stop)

    def close(self) -> None:
        """Ends it as soon as what is under way has come to its end."""
        self.rest()
        self._there(self._closing.set)

    def cut(self) -> None:
        """Ends what is under way where it is."""
        self.close()
        self._there(self._cut)

    def join(self, seconds: float) -> bool:
        """Waits for the end; whether it came in time."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _there(self, what: Callable[[], None]) -> None:
        """Has something done in the thread, unless that has ended."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(what)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._main())

    async def _main(self) -> None:
        self._keeper = asyncio.current_task()
        async with self._access:
            if self._worker is not None:
                self._working = asyncio.create_task(self._worker.work())
                self._working.add_done_callback(self._told)
            await self._closing.wait()
            while rest := asyncio.all_tasks() - {self._keeper}:
                await asyncio.wait(rest)

    def _told(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._log(f"error: nothing is worked through any more: {type(fault).__name__}: {fault}")

    def _cut(self) -> None:
        for task in asyncio.all_tasks(self._loop) - {self._keeper}:
            task.cancel()
