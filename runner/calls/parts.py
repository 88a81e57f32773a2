"""The results of a job that the API gives in parts, each at an address of its own: read side by side.

What leads on is small, however many parts there are: the list with the oldest part that is not stored, and
which of the parts from there on are. A part that was under way is read again from its beginning.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import NamedTuple, cast

import msgspec

from runner.calls.guard import led_to
from runner.calls.page import Asker, Page, Position, Scope, records_of
from runner.calls.paginate import Pages
from runner.definitions.exchange import Answer
from runner.definitions.model import Operation, Parts
from runner.definitions.values import describe
from runner.errors import CallError

#: reads the one answer at an address, in pages
Read = Callable[[str], AsyncGenerator[Page, None]]


class _List(NamedTuple):
    """One answer of the list of parts."""

    #: what leads to it
    at: Position
    #: the number of its first part, and how many it has
    first: int
    parts: int


class _Stored:
    """Which parts are stored; they are numbered from the first of the list with which this run began."""

    def __init__(self, read: list[int]) -> None:
        self._read = set(read)
        self._lists: list[_List] = []
        self._count = 0
        #: whether all lists are known
        self.complete = False

    def listed(self, at: Position, count: int) -> list[int]:
        """Notes a list; gives the numbers of its parts, from its first."""
        self._lists.append(_List(at, self._count, count))
        self._count += count
        return list(range(self._count - count, self._count))

    def has(self, number: int) -> bool:
        return number in self._read

    def add(self, number: int) -> None:
        self._read.add(number)
        while len(self._lists) > 1 and self._is_stored(self._lists[0]):
            self._lists.pop(0)

    def _is_stored(self, one: _List) -> bool:
        return self._read.issuperset(range(one.first, one.first + one.parts))

    @property
    def empty(self) -> bool:
        return self._count == 0

    @property
    def position(self) -> Position | None:
        """What leads to what is not stored; None where nothing is left."""
        if self.complete and all(map(self._is_stored, self._lists)):
            return None
        oldest = self._lists[0]
        return {
            "at": dict(oldest.at),
            "read": sorted(n - oldest.first for n in self._read if n >= oldest.first),
        }


class _Part(NamedTuple):
    """One part under way."""

    number: int
    pages: AsyncGenerator[Page, None]


class _UnderWay:
    """The parts that are read just now: of each the next page is on its way.

    Args:
        unread: the parts, in order; asked for the next one when there is room.
        most: parts that are read at once.
    """

    def __init__(self, unread: AsyncGenerator[_Part, None], most: int) -> None:
        self._unread = unread
        self._most = most
        self._list: asyncio.Future[_Part | None] | None = None
        self._more = True
        self._coming: dict[asyncio.Future[Page], _Part] = {}

    async def next(self) -> tuple[int, Page] | None:
        """The page that comes next and the number of its part; None after the last page of the last part."""
        while self._more or self._coming:
            if self._more and self._list is None and len(self._coming) < self._most:
                self._list = asyncio.ensure_future(anext(self._unread, None))
            waited: set[asyncio.Future[Page] | asyncio.Future[_Part | None]] = {*self._coming}
            if self._list is not None:
                waited.add(self._list)
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if self._list is not None and self._list.done():
                self._begin(self._list.result())
            come = next((future for future in self._coming if future.done()), None)
            if come is not None:
                return await self._take(come)
        return None

    def _begin(self, part: _Part | None) -> None:
        self._list = None
        if part is None:
            self._more = False
        else:
            self._go_on(part)

    async def _take(self, come: asyncio.Future[Page]) -> tuple[int, Page]:
        part, page = self._coming.pop(come), come.result()
        if page.next is not None:
            self._go_on(part)
        else:
            await part.pages.aclose()
        return part.number, page

    def _go_on(self, part: _Part) -> None:
        self._coming[asyncio.ensure_future(anext(part.pages))] = part

    async def close(self) -> None:
        """Ends what is on its way."""
        known = [*self._coming, *([self._list] if self._list is not None else [])]
        ending = cast("list[asyncio.Future[object]]", known)
        for future in ending:
            future.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        for part in self._coming.values():
            await part.pages.aclose()
        await self._unread.aclose()


class PartsReader:
    """Reads the parts of one job's results.

    Args:
        operation: what reads one part.
        scope: what the requests know, the job included.
        read: reads the one answer at an address, in pages; the last has no `next`.
        at: where to go on, as the `next` of an earlier page had it.
    """

    def __init__(
        self, asker: Asker, operation: Operation, parts: Parts, scope: Scope, read: Read, at: Position
    ) -> None:
        self._asker = asker
        self._parts = parts
        self._scope = scope
        self._read = read
        self._at = cast("Mapping[str, object]", at.get("at", {}))
        self._stored = _Stored(cast("list[int]", at.get("read", [])))
        # A list is an answer like others of the operation; its records are the parts.
        self._list = msgspec.structs.replace(
            operation, request=parts.request, format=("json",), records=parts.each, paginate=parts.paginate
        )

    @property
    def empty(self) -> bool:
        """Whether the API has told no parts at all, so that the results are to be read otherwise."""
        return self._stored.empty

    async def pages(self) -> AsyncGenerator[Page, None]:
        """The pages of all parts as they come, those of one part in their order."""
        under_way = _UnderWay(self._unread(), self._parts.concurrency)
        try:
            while (come := await under_way.next()) is not None:
                number, page = come
                if page.next is None:
                    self._stored.add(number)
                following = self._stored.position
                yield msgspec.structs.replace(page, next=following)
                if following is None:
                    return
        finally:
            await under_way.close()
        if not self.empty:
            yield Page(records=[], next=None)

    async def _unread(self) -> AsyncGenerator[_Part, None]:
        """The parts that are not stored yet, list by list."""
        way = Pages(self._parts.paginate, self._at)
        while not way.done:
            here, scope = way.position, {**self._scope, **way.scope()}
            request = self._asker.outgoing(self._parts.request, scope, way.url)
            answer, empty = await self._asker.answered(self._list, request, scope)
            found = [] if empty else records_of(self._list, answer, scope)
            way.turn(answer, scope, found)
            addresses = [self._address(one, answer, scope) for one in found]
            self._stored.complete = way.done
            for number, address in zip(self._stored.listed(here, len(found)), addresses, strict=True):
                if not self._stored.has(number):
                    yield _Part(number, self._read(address))

    def _address(self, part: object, answer: Answer, scope: Scope) -> str:
        rule = self._parts.url
        found = rule.evaluate({**scope, **answer.scope(), "part": part})
        if not isinstance(found, str) or not found:
            message = f"`parts.url` of `{self._list.name}` gave {describe(found)}, expected an address"
            raise CallError(message, kind="bad_answer", where=rule.place)
        return led_to(answer.url, found, rule.place)
