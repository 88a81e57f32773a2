"""Jobs: work that an API does in its own time, submitted once and asked for until it is done."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import NamedTuple, Protocol

from runner.definitions.conversions import integer, text
from runner.definitions.exchange import Answer
from runner.definitions.expressions import Expression
from runner.definitions.model import Job, Request
from runner.definitions.values import is_nothing
from runner.errors import CallError, ExpressionError

Scope = Mapping[str, object]
Send = Callable[[Request, Scope], Awaitable[Answer]]

#: how much longer each wait is than the one before
_LONGER = 1.5
#: kinds that say that the API knows nothing of the job any more
_LOST = frozenset({"not_found", "job_lost"})


class Times(Protocol):
    """How time passes, in seconds."""

    @property
    def sleep(self) -> Callable[[float], Awaitable[object]]: ...

    @property
    def clock(self) -> Callable[[], float]: ...


class Look(NamedTuple):
    """What one look at a job told."""

    #: what the results' request knows of the job; None while it is not done
    answer: Scope | None
    #: how many records are done so far, where the API tells
    records: int | None


class KeptJob:
    """The job of a call that is kept, so that it goes on after its process has died.

    Args:
        id: the job that was submitted; None before.
        keep: keeps the id of one that is on its way.
    """

    def __init__(self, id: object = None, keep: Callable[[object], Awaitable[None]] | None = None) -> None:
        self._id = id
        self._keep = keep

    @property
    def at(self) -> Mapping[str, object] | None:
        """Where the call goes on."""
        return None if self._id is None else {"job": self._id}

    async def submitted(self, following: Mapping[str, object] | None) -> None:
        """Keeps the job, the first time that what follows a page says which it is."""
        if self._id is None and self._keep is not None and following is not None and "job" in following:
            self._id = following["job"]
            await self._keep(self._id)


class JobRun:
    """One run of a job.

    Args:
        send: sends a request and gives its answer, or raises the CallError that it is.
        times: how waits are waited and how late it is; tests give their own.
    """

    def __init__(
        self,
        job: Job,
        name: str,
        send: Send,
        times: Times,
    ) -> None:
        self._job = job
        self._name = name
        self._send = send
        self._times = times

    async def submitted(self, scope: Scope) -> str | int:
        """Submits the job, with all that sets it going; gives its id.

        Raises:
            CallError: it was refused, or the answer holds no id.
        """
        answer = await self._send(self._job.submit, scope)
        id = self._job.id.evaluate({**scope, **answer.scope()})
        if not isinstance(id, (str, int)) or id == "":
            message = f"the job of `{self._name}` was submitted, but its answer holds no id"
            raise CallError(message, kind="bad_answer", where=self._job.id.place)
        for request in self._job.then:
            await self._send(request, {**scope, **_known(id, None)})
        return id

    async def waited(self, scope: Scope, id: object) -> AsyncGenerator[Look, None]:
        """Looks at the job until it is done; the last look has its answer.

        Raises:
            CallError: of kind `job_failed`, `job_lost` or `job_timeout`.
        """
        rules, wait = self._job, self._job.every_initial
        began = self._times.clock()
        while True:
            answer = await self._looked(scope, id)
            full = {**scope, **_known(id, None), **answer.scope()}
            if rules.failed is not None and rules.failed.holds(full):
                raise self._failed(id, full)
            if rules.done.holds(full):
                yield Look(_known(id, answer.body), counted(rules.progress, full))
                return
            if self._times.clock() - began + wait > rules.timeout:
                raise self._late(id)
            yield Look(None, counted(rules.progress, full))
            await self._times.sleep(wait)
            wait = min(rules.every_max, wait * _LONGER)

    async def _looked(self, scope: Scope, id: object) -> Answer:
        try:
            return await self._send(self._job.poll, {**scope, **_known(id, None)})
        except CallError as exc:
            if exc.kind not in _LOST:
                raise
            message = f"the job {id} of `{self._name}` is not known any more: {exc.message}"
            raise CallError(message, kind="job_lost", where=exc.where) from exc

    async def cleaned(self, scope: Scope, id: object) -> None:
        """Tells the API that the job is not needed any more; it does no harm where that fails."""
        if self._job.cleanup is not None:
            with contextlib.suppress(CallError):
                await self._send(self._job.cleanup, {**scope, **_known(id, None)})

    def _failed(self, id: object, scope: Scope) -> CallError:
        said = self._job.message.evaluate(scope) if self._job.message is not None else None
        why = "" if is_nothing(said) else f": {text(said)}"
        return CallError(
            f"the job {id} of `{self._name}` has failed{why}",
            kind="job_failed",
            where=self._job.done.place,
            hint="run it again, which submits it anew; if it fails each time, ask for less at a time",
        )

    def _late(self, id: object) -> CallError:
        return CallError(
            f"the job {id} of `{self._name}` is not done after {self._job.timeout:g} s",
            kind="job_timeout",
            where=self._job.done.place,
            hint="it goes on at the API: run this again later, or raise `poll.timeout`",
        )


def _known(id: object, answer: object) -> dict[str, object]:
    return {"job": {"id": id, "answer": answer}}


def counted(rule: Expression | None, scope: Scope) -> int | None:
    """A number that is only shown: where it cannot be computed there is none, and nothing fails."""
    try:
        return integer(rule.evaluate(scope)) if rule is not None else None
    except (ExpressionError, ValueError):
        return None
