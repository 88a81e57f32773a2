"""Waiting, and being told to begin nothing more."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """The time; tests give their own."""

    def now(self) -> float:
        """Seconds since 1970."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class WallClock:
    """This machine's."""

    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Halt:
    """Tells steps, and all below them, that nothing further is to be begun; those under way end first.

    Args:
        above: a halt that holds here as well.
    """

    def __init__(self, above: Halt | None = None) -> None:
        self._above = above
        self._called = False
        self._sleeping: set[asyncio.Task[None]] = set()
        self._below: set[Halt] = set()
        if above is not None:
            above._below.add(self)

    def __bool__(self) -> bool:
        return self._called or bool(self._above)

    def call(self) -> None:
        self._called = True
        self._wake()

    def _wake(self) -> None:
        for task in self._sleeping:
            task.cancel()
        for halt in self._below:
            halt._wake()

    def leave(self) -> None:
        """Frees the halt above from it; nothing is below it any more."""
        if self._above is not None:
            self._above._below.discard(self)

    async def sleep(self, clock: Clock, seconds: float) -> None:
        """Waits so long, or until it is called."""
        if self:
            return
        sleep = asyncio.ensure_future(clock.sleep(seconds))
        self._sleeping.add(sleep)
        try:
            await asyncio.wait([sleep])
        finally:
            self._sleeping.discard(sleep)
            sleep.cancel()
