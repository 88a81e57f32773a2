"""Several things done at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

T = TypeVar("T")


async def side_by_side(items: Iterator[T], at_once: int, do: Callable[[T], Awaitable[None]]) -> None:
    """Does something with each item, with some of them at once; each is taken when its turn comes.

    Raises:
        Exception: the first that failed; those beside it are ended.
    """

    async def work() -> None:
        for item in items:
            await do(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
