"""The pages of an operation: answers read whole, rows read as they arrive, the results of a job.

A page says what leads to the next one; that is JSON, to be kept with its records, so that a reading that was
cut short goes on there.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import cast

import msgspec

from runner.calls.decode import bad_answer
from runner.calls.job import counted
from runner.calls.page import Asker, Position, Scope, records_of
from runner.calls.page import Page as Page
from runner.calls.paginate import Pages
from runner.calls.parts import PartsReader
from runner.calls.raw import Records
from runner.calls.transport import Streamed
from runner.definitions.exchange import Answer
from runner.definitions.formats import ROWS as ROWS
from runner.definitions.formats import CsvRules, RowReader
from runner.definitions.model import Job, Operation
from runner.definitions.values import describe, is_nothing
from runner.errors import CallError

#: rows that are given together, where they are read as they arrive; several answers may hold as many each
_TOGETHER = 500


async def pages(
    asker: Asker, operation: Operation, scope: Scope, at: Position | None, attempts: int
) -> AsyncGenerator[Page, None]:
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
    async with aclosing(reading):
        async for page in reading:
            yield page


async def _whole_pages(
    asker: Asker, operation: Operation, base: Scope, at: Position | None
) -> AsyncGenerator[Page, None]:
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
) -> AsyncGenerator[Page, None]:
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
) -> AsyncGenerator[Page, None]:
    """A job's results; its id is given, to be kept, before anything is asked of it."""
    run = asker.job(job, operation.name)
    id = at.get("job")
    if id is None:
        id = await run.submitted(base)
        yield Page(records=[], next={"job": id})
    answer: Scope = {}
    total: int | None = None
    async with aclosing(run.waited(base, id)) as looks:
        async for look in looks:
            if look.answer is None:
                yield Page(records=[], next={"job": id}, look=look)
            else:
                answer, total = look.answer, look.records
    async with aclosing(_results(asker, operation, job, {**base, **answer}, at, attempts)) as results:
        async for page in results:
            following = None if page.next is None else {"job": id, **page.next}
            known = total if page.total is None else page.total
            yield msgspec.structs.replace(page, next=following, total=known)
    # Whoever asks for more has kept the last page.
    await run.cleaned(base, id)


async def _results(
    asker: Asker, operation: Operation, job: Job, scope: Scope, at: Position, attempts: int
) -> AsyncGenerator[Page, None]:
    """The results of a job that is done: parts side by side where the API tells of any, else page by page."""
    plain = msgspec.structs.replace(operation, job=None)
    parts = job.parts
    if parts is not None and "page" not in at and (parts.when is None or parts.when.holds(scope)):
        part = msgspec.structs.replace(plain, paginate=None)
        given = cast("Position", at.get("parts", {}))
        reader = PartsReader(
            asker, plain, parts, scope, lambda url: pages(asker, part, scope, {"url": url}, attempts), given
        )
        async with aclosing(reader.pages()) as found:
            async for page in found:
                yield _below(page, "parts")
        if not reader.empty:
            return
    async with aclosing(
        pages(asker, plain, scope, cast("Position | None", at.get("page")), attempts)
    ) as found:
        async for page in found:
            yield _below(page, "page")


def _below(page: Page, key: str) -> Page:
    """The page with its position below a key."""
    following = None if page.next is None else {key: dict(page.next)}
    return msgspec.structs.replace(page, next=following)


def _total(operation: Operation, answer: Answer, scope: Scope) -> int | None:
    rule = operation.paginate.total if operation.paginate is not None else None
    return counted(rule, {**scope, **answer.scope()})


def _checkpoint(operation: Operation, answer: Answer, scope: Scope, records: Records) -> str | int | None:
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
