"""The one way to make a call, used by syncs, workflows, the proxy and `terapi call` alike.

Each step of the chain is one method that calls the next, from the outside in:

    call, pages → _answered → _retrying → _authorised → _limited → Transport.send
    build         classify     retry       token, guard  at once     the wire
"""

from __future__ import annotations

import asyncio
import email.utils
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import cast

import msgspec

from runner.auth.credentials import Credentials
from runner.auth.schemes import authorisation
from runner.auth.tokens import Held, Tokens, target_of
from runner.calls.classify import decode, failure, judged
from runner.calls.guard import check_url
from runner.calls.paginate import Pages
from runner.calls.transport import Transport
from runner.definitions.conversions import text
from runner.definitions.exchange import Answer, Outgoing, Target, build, join_url
from runner.definitions.model import Operation, Provider, Request
from runner.definitions.values import describe, fits, is_absent, is_nothing
from runner.errors import CallError, UsageError
from runner.store import Connection

#: methods that may be sent twice without doing a thing twice (RFC 9110 §9.2.2)
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
#: kinds of failure after which the API has certainly done nothing
_NOT_DONE = frozenset({"rate_limited", "unavailable", "token_expired"})
_MAX_REDIRECTS = 5


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of records."""

    records: list[object]
    #: what leads to the next page; None after the last
    next: Mapping[str, object] | None
    answer: Answer


class Client:
    """Calls for one connection.

    Args:
        tokens: gives credentials that work now; None for a call without a connection.
        sleep: how a wait is waited; tests give their own.
    """

    def __init__(
        self,
        provider: Provider,
        connection: Connection,
        tokens: Tokens,
        transport: Transport,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.provider = provider
        self.connection = connection
        self.requests = 0
        #: the server's clock in the newest answer, in seconds since 1970 (RFC 9110 §6.6.1)
        self.server_time: float | None = None
        self._tokens = tokens
        self._held: Held | None = None
        self._transport = transport
        self._sleep = sleep
        self._gate = asyncio.Semaphore(provider.limits.concurrency or 1000)

    @property
    def target(self) -> Target:
        return target_of(self.provider, self.connection)

    def scope(self) -> dict[str, object]:
        """What every template of a call knows of its connection."""
        connection = {"id": self.connection.id, "integration": self.connection.integration}
        return {
            "config": self.target.config,
            "connection": {**connection, "metadata": dict(self.connection.metadata or {})},
        }

    async def call(self, operation: Operation, arguments: Mapping[str, object]) -> object:
        """One operation: its `output`, else all its records, else the body.

        Raises:
            UsageError: an argument is missing, unknown or of another type.
            CallError: the call failed.
        """
        if operation.records is not None and operation.output is None:
            found: list[object] = []
            async for page in self.pages(operation, arguments):
                found += page.records
            return found
        scope = {**self.scope(), **Pages(None).scope(), **checked(operation, arguments)}
        answer, empty = await self._answered(operation, self._request(operation.request, scope), scope)
        if empty:
            return None
        if operation.output is None:
            return answer.body
        return operation.output.evaluate({**scope, **answer.scope()})

    async def pages(
        self, operation: Operation, arguments: Mapping[str, object], at: Mapping[str, object] | None = None
    ) -> AsyncIterator[Page]:
        """The pages of an operation.

        Args:
            at: where to go on, as an earlier page's `next` gave it.
        """
        base = {**self.scope(), **checked(operation, arguments)}
        pages = Pages(operation.paginate, at)
        while not pages.done:
            scope = {**base, **pages.scope()}
            request = self._request(operation.request, scope, pages.url)
            answer, empty = await self._answered(operation, request, scope)
            records = [] if empty else _records(operation, answer, scope)
            pages.turn(answer, scope, records)
            yield Page(records=records, next=None if pages.done else pages.position, answer=answer)

    async def request(self, request: Request, scope: Mapping[str, object]) -> Answer:
        """A plain request of a workflow.

        Raises:
            CallError: it failed.
        """
        outgoing = self._request(request, {**self.scope(), **scope})
        answer = _decoded(await self._retrying(outgoing), "json")
        error = failure(self.provider, answer, self.scope(), request.place, self._secrets())
        if error is not None:
            raise error
        return answer

    async def raw(self, method: str, path: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        """A raw call: any method and path, whatever the answer; only the token is minded."""
        url = path if "://" in path else join_url(self._base_url(), path)
        return await self._authorised(Outgoing(method=method, url=url, headers=headers, content=content))

    def _request(self, request: Request, scope: Mapping[str, object], url: str | None = None) -> Outgoing:
        outgoing = build(request, scope, self._base_url() if request.url is None else "")
        return outgoing if url is None else msgspec.structs.replace(outgoing, url=url)

    def _base_url(self) -> str:
        found = self.provider.base_url.evaluate(self.scope())
        return "" if is_nothing(found) else text(found)

    async def _answered(
        self, operation: Operation, request: Outgoing, scope: Mapping[str, object]
    ) -> tuple[Answer, bool]:
        """The answer, and whether it says that nothing was found; a truncated one is asked for again."""

        def judge(answer: Answer) -> tuple[Answer, CallError | None, bool]:
            answer = _decoded(answer, operation.format)
            error, empty = judged(self.provider, operation, answer, scope, self._secrets())
            return answer, error, empty

        answer = await self._retrying(request, lambda found: judge(found)[1])
        answer, _, empty = judge(answer)
        return answer, empty

    async def _retrying(
        self, request: Outgoing, judge: Callable[[Answer], CallError | None] | None = None
    ) -> Answer:
        """Sends until it succeeds, or fails in a way that another try cannot mend."""
        rules = self.provider.retry
        renewed = False
        attempt = 1
        while True:
            try:
                answer = await self._authorised(request)
                error = self._judged(answer, judge)
                if error is None:
                    return answer
                raise error
            except CallError as exc:
                if exc.kind == "token_expired" and not renewed:
                    renewed = True
                    await self._renew()
                    continue
                if attempt >= rules.attempts or not self._again(request, exc):
                    raise
                await self._sleep(self._wait(exc, attempt))
                attempt += 1

    def _judged(self, answer: Answer, judge: Callable[[Answer], CallError | None] | None) -> CallError | None:
        if judge is not None:
            return judge(answer)
        return failure(self.provider, _decoded(answer, "text"), self.scope(), None, self._secrets())

    def _again(self, request: Outgoing, error: CallError) -> bool:
        if not error.transient:
            return False
        if request.method not in _IDEMPOTENT and error.kind not in _NOT_DONE:
            return False
        return error.retry_after is None or error.retry_after <= self.provider.retry.max

    def _wait(self, error: CallError, attempt: int) -> float:
        """Seconds until the next try: what the API asks for, else doubling, with jitter."""
        if error.retry_after is not None:
            return error.retry_after
        rules = self.provider.retry
        longest: float = min(rules.max, rules.initial * 2 ** (attempt - 1))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret

    async def _authorised(self, request: Outgoing) -> Answer:
        """Sends with the connection's credentials, following redirects that stay with the provider."""
        held = await self._credentials()
        for _ in range(_MAX_REDIRECTS):
            check_url(request.url, self.target, request.where)
            proven = self._proven(request, held.credentials)
            answer = await self._limited(proven)
            location = answer.headers.get("location")
            if (
                answer.status not in (301, 302, 303, 307, 308)
                or location is None
                or request.method not in ("GET", "HEAD")
            ):
                return answer
            request = msgspec.structs.replace(request, url=_redirected(answer.url, location))
        raise CallError(
            f"{request.url.split('?')[0]} redirects in circles", kind="redirect", where=request.where
        )

    def _proven(self, request: Outgoing, credentials: Credentials) -> Outgoing:
        headers, query = authorisation(self.provider, self.target.config, credentials)
        url = request.url
        if query:
            from urllib.parse import urlencode

            url = f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
        return msgspec.structs.replace(request, url=url).with_headers(headers)

    async def _limited(self, request: Outgoing) -> Answer:
        async with self._gate:
            self.requests += 1
            answer = await self._transport.send(request)
        date = answer.headers.get("date")
        if date is not None:
            self.server_time = _http_date(date) or self.server_time
        return answer

    async def _credentials(self) -> Held:
        held = await self._tokens.fresh(
            self.provider, self._held.connection if self._held else self.connection
        )
        self._take(held)
        return held

    async def _renew(self) -> None:
        if self._held is not None:
            self._take(await self._tokens.renew(self.provider, self._held))

    def _take(self, held: Held) -> None:
        self._held = held
        self.connection = held.connection

    def _secrets(self) -> list[str]:
        return self._held.credentials.secrets() if self._held is not None else []


def checked(operation: Operation, arguments: Mapping[str, object]) -> dict[str, object]:
    """The arguments with defaults, held against the operation's parameters.

    Raises:
        UsageError: one is missing, unknown or of another type.
    """
    unknown = sorted(set(arguments) - set(operation.params))
    if unknown:
        takes = ", ".join(operation.params) or "nothing"
        raise UsageError(f"`{operation.name}` takes no `{unknown[0]}`", hint=f"it takes: {takes}")
    result: dict[str, object] = {}
    for param in operation.params.values():
        value = arguments.get(param.name)
        if param.name in arguments and not is_absent(value):
            if value is not None and not fits(value, param.type):
                raise UsageError(
                    f"`{param.name}` of `{operation.name}` must be {param.type}, found {describe(value)}"
                )
            result[param.name] = value
        elif param.has_default:
            result[param.name] = param.default
        elif param.required:
            raise UsageError(f"`{operation.name}` needs `{param.name}`", hint=param.description or None)
    return result


def _decoded(answer: Answer, form: str) -> Answer:
    if form not in ("json", "text"):
        form = "text"
    return msgspec.structs.replace(answer, body=decode(answer, form))


def _records(operation: Operation, answer: Answer, scope: Mapping[str, object]) -> list[object]:
    if operation.records is None:
        return [answer.body]
    found = operation.records.evaluate({**scope, **answer.scope()})
    if is_nothing(found):
        return []
    if not isinstance(found, (list, tuple)):
        message = f"`records` of `{operation.name}` gave {describe(found)}, expected a list"
        raise CallError(message, kind="bad_answer", where=operation.records.place)
    return cast(list[object], found)


def _redirected(url: str, location: str) -> str:
    from urllib.parse import urljoin

    return urljoin(url, location)


def _http_date(value: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError):
        return None
