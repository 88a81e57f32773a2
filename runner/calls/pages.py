"""The pages of an operation: answers read whole, rows read as they arrive, the results of a job.

A page says what leads to the next one; that is JSON, to be kept with its records, so that a reading that was
cut short goes on there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol, cast

import msgspec

from runner.calls.decode import bad_answer
from runner.calls.formats import ROWS as ROWS
from runner.calls.formats import CsvRules, RowReader
from runner.calls.job import JobRun, counted
from runner.calls.paginate import Pages
from runner.calls.transport import Streamed
from runner.definitions.exchange import Answer, Outgoing
from runner.definitions.model import Job, Operation, Request
from runner.definitions.values import describe, is_nothing
from runner.errors import CallError

#: rows that are given together, where they are read as they arrive
_TOGETHER = 2_000

Scope = Mapping[str, object]
Position = Mapping[str, object]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Records that belong together: what one answer holds, or a part of it where rows arrive one by one."""

    records: list[object]
    #: what leads to the records behind these; None after the last
    next: Position | None
    #: whether an answer broke off and is read from its beginning: the parts of it that were given are void
    again: bool = False
    #: whether the answer ends with it
    whole: bool = True
    #: how many records all pages have, or a job is to give, where the API tells
    total: int | None = None
    #: what a later read goes on from, where the answer tells
    checkpoint: str | int | None = None


class Asker(Protocol):
    """What sends requests and classifies their answers."""

    def outgoing(self, request: Request, scope: Scope, url: str | None = None) -> Outgoing: ...

    async def answered(
        self, operation: Operation, request: Outgoing, scope: Scope
    ) -> tuple[Answer, bool]: ...

    def opened(
        self, operation: Operation, request: Outgoing, scope: Scope
    ) -> AbstractAsyncContextManager[Streamed | None]: ...

    def job(self, job: Job, name: str) -> JobRun: ...


async def pages(
    asker: Asker, operation: Operation, scope: Scope, at: Position | None, attempts: int
) -> AsyncIterator[Page]:
    """The pages of an operation.

    Args:
        at: where to go on, as an earlier page's `next` gave it.
        attempts: how often an answer is asked for whose rows break off.
    """
    if operation.job is not None:
        reading = _job_pages(asker, operation, operation.job, scope, at or {}, attempts)
    elif operation.format[-1] in ROWS:
        reading = _row_pages(asker, operation, scope, at, attempts)
    else:
        reading = _whole_pages(asker, operation, scope, at)
    async for page in reading:
        yield page


async def _whole_pages(
    asker: Asker, operation: Operation, base: Scope, at: Position | None
) -> AsyncIterator[Page]:
    way = Pages(operation.paginate, at)
    while not way.done:
        yield await _whole_page(asker, operation, {**base, **way.scope()}, way)


async def _whole_page(asker: Asker, operation: Operation, scope: Scope, way: Pages) -> Page:
    """The page that is next; nothing of its answer outlives it."""
    request = asker.outgoing(operation.request, scope, way.url)
    answer, empty = await asker.answered(operation, request, scope)
    records = [] if empty else records_of(operation, answer, scope)
    way.turn(answer, scope, records)
    return Page(
        records=records,
        next=None if way.done else way.position,
        total=_total(operation, answer, scope),
        checkpoint=_checkpoint(operation, answer, scope, records),
    )


async def _row_pages(
    asker: Asker, operation: Operation, base: Scope, at: Position | None, attempts: int
) -> AsyncIterator[Page]:
    way = Pages(operation.paginate, at)
    while not way.done:
        scope = {**base, **way.scope()}
        async for page in _rows(asker, operation, scope, way, attempts):
            yield page
            if page.whole and page.next is None:
                return


async def _rows(
    asker: Asker, operation: Operation, scope: Scope, way: Pages, attempts: int
) -> AsyncIterator[Page]:
    """The rows of one answer, in parts; asked for again from its beginning where it breaks off."""
    here, again = way.position, False
    request = asker.outgoing(operation.request, scope, way.url)
    while True:
        attempts, count = attempts - 1, 0
        try:
            async with asker.opened(operation, request, scope) as answer:
                async for part in _parts(answer, operation, scope):
                    yield Page(records=part, next=here, again=again, whole=False)
                    again, count = False, count + len(part)
        except CallError as exc:
            if not exc.transient or attempts < 1:
                raise
            again = True
        else:
            break
    if answer is None:
        yield Page(records=[], next=None, again=again)
        return
    head = Answer(status=answer.status, headers=answer.headers, url=answer.url)
    way.turn(head, scope, [], count)
    yield Page(
        records=[],
        next=None if way.done else way.position,
        again=again,
        total=_total(operation, head, scope),
        checkpoint=_checkpoint(operation, head, scope, []),
    )


async def _parts(answer: Streamed | None, operation: Operation, scope: Scope) -> AsyncIterator[list[object]]:
    if answer is None:
        return
    reader = RowReader(operation.format, _csv_rules(operation, scope))
    rows: list[object] = []
    try:
        async for piece in answer.unpacked():
            rows += reader.feed(piece)
            while len(rows) >= _TOGETHER:
                yield rows[:_TOGETHER]
                rows = rows[_TOGETHER:]
        rows += reader.end()
    except ValueError as exc:
        raise bad_answer(answer.address, exc) from exc
    if rows:
        yield rows


def _csv_rules(operation: Operation, scope: Scope) -> CsvRules:
    rules = operation.csv
    types = rules.types.evaluate(scope)
    return CsvRules(
        delimiter=rules.delimiter,
        nested=rules.nested,
        empty=rules.empty,
        types=cast(Mapping[str, str], types) if isinstance(types, Mapping) else {},
    )


async def _job_pages(
    asker: Asker, operation: Operation, job: Job, base: Scope, at: Position, attempts: int
) -> AsyncIterator[Page]:
    """A job's results; its id is given, to be kept, before anything is asked of it."""
    run = asker.job(job, operation.name)
    id = at.get("job")
    if id is None:
        id = await run.submitted(base)
        yield Page(records=[], next={"job": id})
    async for done in run.waited(base, id):
        if done.answer is None:
            yield Page(records=[], next={"job": id}, total=done.records)
        else:
            scope = {**base, **done.answer}
            results = msgspec.structs.replace(operation, job=None)
            async for page in pages(asker, results, scope, cast("Position | None", at.get("page")), attempts):
                yield _of_job(page, id)
    # Whoever asks for more has kept the last page.
    await run.cleaned(base, id)


def _of_job(page: Page, id: object) -> Page:
    """The page with a position that names the job as well."""
    following = None if page.next is None else {"job": id, "page": dict(page.next)}
    return msgspec.structs.replace(page, next=following)


def records_of(operation: Operation, answer: Answer, scope: Scope) -> list[object]:
    """The records in an answer.

    Raises:
        CallError: kind `bad_answer`: they are no list.
    """
    if operation.records is None:
        return [answer.body]
    found = operation.records.evaluate({**scope, **answer.scope()})
    if is_nothing(found):
        return []
    if not isinstance(found, (list, tuple)):
        message = f"`records` of `{operation.name}` gave {describe(found)}, expected a list"
        raise CallError(message, kind="bad_answer", where=operation.records.place)
    return cast(list[object], found)


def _total(operation: Operation, answer: Answer, scope: Scope) -> int | None:
    rule = operation.paginate.total if operation.paginate is not None else None
    return counted(rule, {**scope, **answer.scope()})


def _checkpoint(
    operation: Operation, answer: Answer, scope: Scope, records: list[object]
) -> str | int | None:
    """What a later read goes on from.

    Raises:
        CallError: kind `bad_answer`: it is neither a text nor a whole number.
    """
    rule = operation.checkpoint
    found = None if rule is None else rule.evaluate({**scope, **answer.scope(), "records": records})
    if rule is None or is_nothing(found) or found == "":
        return None
    if isinstance(found, bool) or not isinstance(found, (str, int)):
        message = f"`checkpoint` of `{operation.name}` gave {describe(found)}, expected a text or a number"
        raise CallError(message, kind="bad_answer", where=rule.place)
    return found
