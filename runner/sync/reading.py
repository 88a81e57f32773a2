"""One slice read: its pages, and their records made into rows to store."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import NamedTuple, cast

import orjson

from runner.calls.client import Client
from runner.calls.pages import Page
from runner.definitions.model import Call, Sync
from runner.errors import ExpressionError, RecordError, TerapiError, joined
from runner.sync.ahead import ahead
from runner.sync.enrich import Enriched, Enricher
from runner.sync.mapping import Mapper
from runner.sync.plan import Cursor, advanced, check_cursor

#: Records that are mapped and stored together. More at once would gain nothing, and cost: what they take is
#: then given back to the system and fetched again for each page, which is slower than the mapping itself.
_TOGETHER = 250
#: characters of a record that are shown
_SHOWN = 200


class Bad(NamedTuple):
    """A record that does not fit its definition."""

    #: its place on the page, from 1
    number: int
    #: its primary key, where it has one
    id: str | None
    error: TerapiError
    #: whether it is stored all the same, with its values as they came
    kept: bool
    #: the beginning of it
    shown: str

    def as_data(self, page: int) -> dict[str, object]:
        """What is kept of it in a run's log."""
        where = str(self.error.where) if self.error.where is not None else None
        place = {"page": page, "number": self.number, "id": self.id}
        told = {"message": self.error.message, "where": where}
        return {**place, **told, "kept": self.kept, "record": self.shown}


class Rows(NamedTuple):
    """Some records of a page, ready to be stored."""

    #: primary key and payload of those to store
    kept: list[tuple[str, bytes]]
    #: primary keys of those that are deleted, or that `where` leaves out
    gone: list[str]
    #: those that do not fit, where the sync goes on after them
    bad: list[Bad]
    #: the highest cursor up to here
    reached: Cursor | None = None


class Place(NamedTuple):
    """Where some records stand."""

    #: the number of their page
    page: int
    #: how many come before them on it
    start: int


class Reading:
    """Reads one slice by the call that was chosen for it."""

    def __init__(self, sync: Sync, client: Client, call: Call, scope: Mapping[str, object]) -> None:
        self._sync = sync
        self._client = client
        self._call = call
        self._scope = scope
        self._mapper = Mapper(sync, scope)
        deletes, rules = sync.deletes, sync.incremental
        flag = deletes.when if deletes is not None else None
        self._deleted = self._mapper.reader(flag) if flag is not None else _never
        self._wanted = self._mapper.reader(sync.where) if sync.where is not None else None
        cursor = rules.cursor if rules is not None else None
        self._cursor = self._mapper.reader(cursor) if cursor is not None else None
        self._by_token = rules is not None and rules.type == "token"
        #: a run that goes on after bad records looks at each cursor by itself
        self._check = self._check_cursor if cursor is not None and sync.on_bad_record != "fail" else None
        self._enricher = Enricher(sync.enrich, self._ask, scope, self._spared()) if sync.enrich else None

    @property
    def is_job(self) -> bool:
        return self._call.operation.job is not None

    def pages(self, at: Mapping[str, object] | None, *, early: bool = False) -> AsyncGenerator[Page, None]:
        """The pages from ``at`` on, or from the first; their records enriched, where the sync says so.

        Args:
            early: whether a page is asked for while the one before it is enriched.
        """
        raw = self._enricher is None
        found = self._client.pages(self._call.operation, arguments(self._call, self._scope), at, raw=raw)
        if self._enricher is None:
            return found
        return _enriched(self._enricher, ahead(found) if early else found)

    async def _ask(self, call: Call, scope: Mapping[str, object]) -> object:
        return await self._client.call(call.operation, arguments(call, scope))

    def _spared(self) -> Callable[[object], bool]:
        """Tells the records that are surely not stored; whoever is not sure of one says no."""
        sync = self._sync
        joined = {one.name for one in sync.enrich}
        merged = any(one.merge for one in sync.enrich)
        wanted = None if sync.where is None or merged or joined & sync.where.names else self._wanted

        def spared(record: object) -> bool:
            with suppress(ExpressionError):
                return bool(self._deleted(record)) or bool(wanted is not None and not wanted(record))
            return False

        return spared

    def left_out(self) -> Mapping[str, str]:
        """The enrichments that were passed over so far, each with the reason."""
        return self._enricher.left_out() if self._enricher is not None else {}

    def rows(self, records: Sequence[object], page: int, reached: Cursor | None = None) -> Iterator[Rows]:
        """The records made into rows, some at a time.

        Args:
            page: the number of their page, for messages.
            reached: the highest cursor before them.

        Raises:
            RecordError: a record does not fit, and the sync does not go on after such.
        """
        for start in range(0, len(records), _TOGETHER):
            some = records[start : start + _TOGETHER]
            reached = self._reached(reached, some, Place(page, start))
            rows = self._rows(some, start)
            if rows.bad and self._sync.on_bad_record == "fail":
                raise _refusal(rows.bad[0], page)
            yield rows._replace(reached=reached)

    def _rows(self, records: Sequence[object], start: int) -> Rows:
        rows = Rows([], [], [])
        gone = self._deleted if self._wanted is None else self._gone
        row, check = self._mapper.row, self._check
        for record in records if self._enricher is None else self._known(records, start, rows):
            try:
                if gone(record):
                    rows.gone.append(self._mapper.key(record))
                    continue
                if check is not None:
                    check(record)
                rows.kept.append(row(record))
            except (RecordError, ExpressionError) as exc:
                self._take_bad(record, _next(start, rows), exc, rows)
        return rows

    def _known(self, records: Sequence[object], start: int, rows: Rows) -> Iterator[object]:
        """Each enriched record, once expressions know what is joined to it; what has no such is a bad one."""
        for one in cast(Sequence[Enriched], records):
            self._mapper.know(one.joined)
            if one.error is None:
                yield one.record
            else:
                self._take_bad(one.record, _next(start, rows), one.error, rows)

    def _take_bad(self, record: object, number: int, error: TerapiError, rows: Rows) -> None:
        bad, loose = self._bad(record, number, error), self._mapper.loose(record)
        if loose is None or self._sync.on_bad_record != "keep" or self._surely_gone(record):
            rows.bad.append(bad)
        else:
            rows.kept.append(loose)
            rows.bad.append(bad._replace(kept=True))

    def _bad(self, record: object, number: int, error: TerapiError) -> Bad:
        loose = self._mapper.loose(record)
        shown = orjson.dumps(record, default=str)[:_SHOWN].decode("utf-8", "replace")
        return Bad(number, loose[0] if loose is not None else None, error, False, shown)

    def _gone(self, record: object) -> bool:
        return bool(self._deleted(record)) or (self._wanted is not None and not self._wanted(record))

    def _surely_gone(self, record: object) -> bool:
        with suppress(ExpressionError):
            return self._gone(record)
        return False

    def _check_cursor(self, record: object) -> None:
        check_cursor(self._sync, cast(Callable[[object], object], self._cursor)(record))

    def token(self, before: Cursor | None, page: Page) -> Cursor | None:
        """What was reached before, or the token that the page gives."""
        return page.checkpoint if self._by_token and page.checkpoint is not None else before

    def _reached(self, before: Cursor | None, records: Sequence[object], at: Place) -> Cursor | None:
        """The highest of what was reached before and the cursors of some records.

        Raises:
            RecordError: a record has no usable cursor, and the sync does not go on after such.
        """
        if self._cursor is None:
            return before
        if self._enricher is not None:
            records = _sources(records)
        if self._check is not None:
            records = [record for record in records if self._has_cursor(record)]
        try:
            return advanced(self._sync, before, [self._cursor(record) for record in records])
        except RecordError:
            for place, record in enumerate(records, at.start + 1):
                try:
                    self._check_cursor(record)
                except RecordError as exc:
                    raise _refusal(self._bad(record, place, exc), at.page) from exc
            raise

    def _has_cursor(self, record: object) -> bool:
        try:
            self._check_cursor(record)
        except (RecordError, ExpressionError):
            return False
        return True


def _never(_record: object) -> bool:
    return False


def _next(start: int, rows: Rows) -> int:
    """The place on the page of the record that follows those."""
    return start + 1 + len(rows.kept) + len(rows.gone) + sum(not bad.kept for bad in rows.bad)


def _sources(records: Sequence[object]) -> list[object]:
    return [one.source for one in cast(Sequence[Enriched], records)]


async def _enriched(enricher: Enricher, found: AsyncGenerator[Page, None]) -> AsyncGenerator[Page, None]:
    async with aclosing(found) as pages:
        async for page in pages:
            yield await enricher.page(page)


def _refusal(bad: Bad, page: int) -> RecordError:
    """Why the page cannot be stored."""
    error = bad.error
    mend = f"the record: {bad.shown}"
    return RecordError(
        f"{where_of(bad, page)}: {error.message}",
        where=error.where,
        hint=joined(joined(error.hint, mend), "go on without such records by `on_bad_record: skip`"),
    )


def where_of(bad: Bad, page: int) -> str:
    """Which record it is: `record 3 of page 1 (id 17)`."""
    return f"record {bad.number} of page {page}" + (f" (`{bad.id}`)" if bad.id is not None else "")


def arguments(call: Call, scope: Mapping[str, object]) -> Mapping[str, object]:
    return cast(Mapping[str, object], call.arguments.evaluate(scope))
