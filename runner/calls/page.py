"""One page of an operation, and what it takes to read it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol, cast

import msgspec

from runner.calls.job import JobRun, Look
from runner.calls.raw import RawRecords, Records
from runner.calls.transport import Streamed
from runner.definitions.exchange import Answer, Outgoing
from runner.definitions.model import Job, Operation, Request
from runner.definitions.values import describe, is_nothing
from runner.errors import CallError

Scope = Mapping[str, object]
Position = Mapping[str, object]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Records that belong together: what one answer holds, or a part of it where rows arrive one by one."""

    records: Records
    #: what leads to the records behind these; None after the last
    next: Position | None
    #: whether an answer broke off and is read from its beginning: the parts of it that were given are void
    again: bool = False
    #: whether the answer ends with it
    whole: bool = True
    #: what a look at a job told that is waited for
    look: Look | None = None
    #: how many records all pages have, where the API tells
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


def records_of(operation: Operation, answer: Answer, scope: Scope) -> Records:
    """The records in an answer.

    Raises:
        CallError: kind `bad_answer`: they are no list.
    """
    if operation.records is None:
        return [answer.body]
    found = operation.records.evaluate({**scope, **answer.scope()})
    if is_nothing(found):
        return []
    if not isinstance(found, (list, tuple, RawRecords)):
        message = f"`records` of `{operation.name}` gave {describe(found)}, expected a list"
        raise CallError(message, kind="bad_answer", where=operation.records.place)
    return cast(Records, found)
