"""Reading ahead: the next page is on its way while this one is stored."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from runner.calls.pages import Page

#: turns of the loop after which a request is on the wire
_TURNS = 4


async def ahead(pages: AsyncGenerator[Page, None]) -> AsyncGenerator[Page, None]:
    """The same pages, each given when the next was asked for; one page is held at the most.

    The end is asked for only when the last page was taken: who reads to the end has kept it.
    """
    async with contextlib.aclosing(pages):
        page = await anext(pages, None)
        while page is not None:
            if page.next is None:
                yield page
                page = await anext(pages, None)
                continue
            following = asyncio.ensure_future(anext(pages, None))
            try:
                for _ in range(_TURNS):
                    await asyncio.sleep(0)
                yield page
                page = await following
            finally:
                following.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await following
