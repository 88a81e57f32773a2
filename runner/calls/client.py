"""What callers of APIs use: an operation, its pages, a plain request, a raw or streamed call.

Syncs, workflows, the proxy and `terapi call` alike go this one way: build the request, send it down the chain
(`chain`), classify and decode what comes, page.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Collection, Mapping
from contextlib import aclosing, asynccontextmanager

import msgspec

from runner.calls.arguments import checked
from runner.calls.chain import Chain
from runner.calls.classify import Judge
from runner.calls.decode import decoded
from runner.calls.job import JobRun, KeptJob
from runner.calls.pages import ROWS, Page, pages
from runner.calls.paginate import Pages
from runner.calls.raw import Path, unseen_records
from runner.calls.retry import IDEMPOTENT, Tries
from runner.calls.transport import Streamed
from runner.definitions.exchange import Answer, Outgoing, build, checked_headers, join_url
from runner.definitions.expressions.functions import uuid
from runner.definitions.model import Job, Operation, Provider, Request
from runner.errors import Place
from runner.store import Connection

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class Client:
    """Calls for one connection."""

    def __init__(self, chain: Chain) -> None:
        self.provider: Provider = chain.provider
        self._chain = chain

    @property
    def connection(self) -> Connection:
        """The connection as it was last read."""
        return self._chain.connection

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._chain.requests

    @property
    def server_time(self) -> float | None:
        """The server's clock in the newest answer, in seconds since 1970 (RFC 9110 §6.6.1)."""
        return self._chain.server_time

    def scope(self) -> Mapping[str, object]:
        """What every template of a call knows of its connection."""
        return self._chain.scope

    def masked(self, text: str) -> str:
        """A text without the secrets of the connection."""
        return self._chain.masked(text)

    async def call(
        self,
        operation: Operation,
        arguments: Mapping[str, object],
        key: str | None = None,
        job: KeptJob | None = None,
    ) -> object:
        """One operation: its `output`, else all its records, else the body.

        Args:
            key: what the API may know it by when it is asked again; by default one of its own.
            job: of an operation that is one, the job to go on with, and who keeps it once it is submitted.

        Raises:
            UsageError: an argument is missing, unknown or of another type.
            CallError: the call failed.
        """
        if operation.output is None and _gives_records(operation):
            return await self._all(operation, arguments, key, job or KeptJob())
        scope = {**self._known(operation, arguments, key), **Pages(None).scope()}
        answer, empty = await self.answered(operation, self.outgoing(operation.request, scope), scope)
        if empty:
            return None
        if operation.output is None:
            return answer.body
        return operation.output.evaluate({**scope, **answer.scope()})

    def _known(
        self, operation: Operation, arguments: Mapping[str, object], key: str | None
    ) -> dict[str, object]:
        """What an operation's templates know before it is asked."""
        known = {"idempotency_key": key or uuid()}
        return {**self._chain.known, **known, **checked(operation, arguments)}

    async def _all(
        self, operation: Operation, arguments: Mapping[str, object], key: str | None, job: KeptJob
    ) -> list[object]:
        found: list[object] = []
        whole = 0
        async for page in self.pages(in_order(operation), arguments, job.at, key):
            await job.submitted(page.next)
            if page.again:
                del found[whole:]
            found += page.records
            if page.whole:
                whole = len(found)
        return found

    async def pages(
        self,
        operation: Operation,
        arguments: Mapping[str, object],
        at: Mapping[str, object] | None = None,
        key: str | None = None,
        *,
        raw: bool = False,
    ) -> AsyncGenerator[Page, None]:
        """The pages of an operation.

        Args:
            at: where to go on, as an earlier page's `next` gave it.
            key: see `call`.
            raw: whether the records may come as `RawRecords`, for whoever looks at each but once.
        """
        base = self._known(operation, arguments, key)
        asker = _Raw(self._chain, operation) if raw else self
        async with aclosing(pages(asker, operation, base, at, self.provider.retry.attempts)) as found:
            async for page in found:
                yield page

    async def request(self, request: Request, scope: Mapping[str, object]) -> Answer:
        """A plain request of a workflow.

        Raises:
            CallError: it failed.
        """
        outgoing = self.outgoing(request, {**self._chain.known, **scope})
        judge = self._judge(self._chain.known, request.place)

        def read(answer: Answer) -> Answer:
            answer = decoded(answer)
            error = judge.failure(answer)
            if error is not None:
                raise error
            return answer

        tries = Tries(self.provider.retry, repeatable=request.keyed or outgoing.method in IDEMPOTENT)
        return await self._chain.answered(outgoing, tries, read, self.provider.limits.answer)

    async def raw(self, method: str, path: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        """A raw call: any method and path, whatever the answer; only the token is minded.

        Raises:
            CallError: no answer came, or one larger than `limits.answer`.
        """
        request = Outgoing(method=method, url=path, headers=headers, content=content)
        async with self.stream(request) as answer:
            return await answer.read(self.provider.limits.answer)

    @asynccontextmanager
    async def stream(
        self,
        request: Outgoing,
        *,
        attempts: int = 1,
        statuses: Collection[int] = (),
        upload: AsyncIterable[bytes] | None = None,
        follow: bool = True,
    ) -> AsyncIterator[Streamed]:
        """A raw call whose answer is read as it comes, whatever its status and size:

            async with client.stream(Outgoing(method="GET", url="/files/7")) as answer:
                begin(answer.status, answer.pairs)        # headers as they came, in order
                async for chunk in answer.sent():         # as it was sent; `unpacked()` undoes gzip
                    await write(chunk)

        A token that the API refuses is renewed before anything is given, the call then made once more. The
        answer of the last try is given whatever it is; leaving the block early ends the connection.

        Args:
            request: its `url` is an address of the provider, or a path below its base URL.
            attempts: how often it may be tried where no answer came or a passing error did (429, 503, …);
                what writes is tried again only where the API has certainly done nothing.
            statuses: further statuses after which it is tried again, whatever it does.
            upload: the body, where it is too large for `request.content`. It is sent once: a refused token is
                renewed for the next call only.
            follow: whether redirects are followed. One that leads to a host which is not the provider's never
                is: it is given as it came, for the caller to follow without the credentials.

        Raises:
            CallError: no answer came, or the body breaks off while it is read.
            NotConnected: the connection needs a person to connect it again.
        """
        url = request.url if _ABSOLUTE.match(request.url) else join_url(self._chain.base_url(), request.url)
        headers = checked_headers(request.headers, request.where)
        request = msgspec.structs.replace(request, url=url, headers=headers)
        tries = Tries(
            self.provider.retry,
            repeatable=request.method in IDEMPOTENT,
            attempts=attempts if upload is None else 1,
            statuses=statuses,
        )
        async with self._chain.streamed(request, tries, upload, follow=follow) as answer:
            yield answer

    def outgoing(self, request: Request, scope: Mapping[str, object], url: str | None = None) -> Outgoing:
        """The request as it goes out; ``url`` takes the place of its own."""
        outgoing = build(request, scope, self._chain.base_url() if request.url is None else "")
        return outgoing if url is None else msgspec.structs.replace(outgoing, url=url)

    def shown(self, request: Request, scope: Mapping[str, object]) -> Outgoing:
        """The request as a dry run shows it: without what proves who is calling."""
        outgoing = self.outgoing(request, {**self._chain.known, **scope})
        masked, content = self._chain.masked, outgoing.content
        return msgspec.structs.replace(
            outgoing,
            url=masked(outgoing.url),
            headers={name: masked(value) for name, value in outgoing.headers.items()},
            content=None if content is None else masked(content.decode("utf-8", "replace")).encode(),
        )

    async def answered(
        self, operation: Operation, request: Outgoing, scope: Mapping[str, object]
    ) -> tuple[Answer, bool]:
        """The answer, and whether it says that nothing was found."""
        unseen = self._unseen(operation)

        def read(answer: Answer) -> tuple[Answer, bool]:
            answer = decoded(answer, operation.format, unseen)
            return answer, self._judged(operation, answer, scope)

        return await self._chain.answered(
            request, self._tries(operation, request), read, self._limit(operation)
        )

    def _unseen(self, operation: Operation) -> Path | None:
        """Where in an answer records are that may come as `RawRecords`."""
        return None

    @asynccontextmanager
    async def opened(
        self, operation: Operation, request: Outgoing, scope: Mapping[str, object]
    ) -> AsyncIterator[Streamed | None]:
        """The answer of an operation, no failure, its body still to be read; None where nothing was found."""
        async with self._chain.streamed(request, self._tries(operation, request)) as answer:
            if answer.status < 300:
                yield answer
                return
            whole = decoded(await answer.read(self._limit(operation)))
            self._judged(operation, whole, scope)
            yield None

    def job(self, job: Job, name: str) -> JobRun:
        return JobRun(job, name, self.request, self._chain.wire)

    def _judged(self, operation: Operation, answer: Answer, scope: Mapping[str, object]) -> bool:
        """Whether an answer says that nothing was found; raises the failure that it is."""
        error, empty = self._judge(scope, operation.place).judged(operation, answer)
        if error is not None:
            raise self._chain.hide(error)
        return empty

    def _judge(self, scope: Mapping[str, object], where: Place) -> Judge:
        return Judge(self.provider, scope, self._chain.masked, where)

    def _limit(self, operation: Operation) -> int:
        return operation.answer or self.provider.limits.answer

    def _tries(self, operation: Operation, request: Outgoing) -> Tries:
        return Tries(self.provider.retry, repeatable=not operation.writes or operation.idempotent)


class _Raw(Client):
    """Calls that leave the records of one operation undecoded."""

    def __init__(self, chain: Chain, operation: Operation) -> None:
        super().__init__(chain)
        self._records = operation.records
        self._place = unseen_records(operation)

    def _unseen(self, operation: Operation) -> Path | None:
        return self._place if operation.records is self._records else None


def in_order(operation: Operation) -> Operation:
    """The operation with its pages one after the other, each whole before the next begins."""
    if operation.job is None or operation.job.parts is None:
        return operation
    return msgspec.structs.replace(operation, job=msgspec.structs.replace(operation.job, parts=None))


def _gives_records(operation: Operation) -> bool:
    return operation.records is not None or operation.job is not None or operation.format[-1] in ROWS
