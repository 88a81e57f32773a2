"""A worker as a process of its own: it works until it is told to end, and ends cleanly."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from runner.calls.access import Access
from runner.server.worker import Worker

#: seconds that what is under way gets at the end
GRACE = 30.0


def work(access: Access, log: Callable[[str], None]) -> bool:
    """Works until SIGINT or SIGTERM; True where it was SIGINT.

    Nothing is taken up after it: syncs stop where they are, workflows rest before their next step, both to be
    gone on with by the next worker. A second one ends the steps under way at once.

    Args:
        log: takes a line for whoever runs it.
    """
    return asyncio.run(_Working(access, log).work())


class _Working:
    def __init__(self, access: Access, log: Callable[[str], None]) -> None:
        self._access = access
        self._log = log
        self._worker = Worker(access, log, began=lambda: log("works; ctrl-C ends it"))
        self._came: list[signal.Signals] = []

    async def work(self) -> bool:
        for signum in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signum, self._end, signum)
        if self._access.store.is_worked():
            self._log("another process works here; this one takes over when it ends")
        async with self._access:
            working = asyncio.create_task(self._worker.work())
            await asyncio.wait([working])
        if not working.cancelled() and (fault := working.exception()) is not None:
            raise fault
        return self._came[:1] == [signal.SIGINT]

    def _end(self, signum: signal.Signals) -> None:
        self._came.append(signum)
        if len(self._came) > 1:
            self._cut()
            return
        self._log("ends; once more ends it at once")
        self._worker.stop()
        asyncio.get_running_loop().call_later(GRACE, self._cut)

    def _cut(self) -> None:
        self._worker.cut()
