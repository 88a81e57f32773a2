"""The way of a request: tried again, proved, limited, sent.

Each step is one method that calls the next, from the outside in:

    answered, streamed → _followed → _proven, check_url → _limited → Transport.stream
    retry, token         redirects   credentials, guard   at once    the wire
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple, TypeVar, cast
from urllib.parse import urlencode

import msgspec

from runner.auth.credentials import Credentials
from runner.auth.masking import Mask, hide
from runner.auth.schemes import authorisation
from runner.auth.tokens import Held, Tokens, target_of
from runner.calls.classify import Judge
from runner.calls.decode import decoded
from runner.calls.guard import check_url, led_to
from runner.calls.limits import Gate
from runner.calls.retry import Next, Tries
from runner.calls.retry_after import http_date
from runner.calls.transport import Streamed, Transport
from runner.definitions.conversions import text
from runner.definitions.exchange import Answer, Outgoing, Target, checked_headers
from runner.definitions.model import Provider
from runner.definitions.values import is_nothing
from runner.errors import CallError, ExpressionError
from runner.store import Connection

T = TypeVar("T")

_MAX_REDIRECTS = 5
#: bytes of a refusal that are looked at, to know what it means, before it is passed on
_LOOKED_AT = 64 * 1024


class Wire(NamedTuple):
    """What requests are sent by."""

    transport: Transport
    gate: Gate
    #: how a wait is waited, in seconds
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    #: seconds since 1970
    clock: Callable[[], float] = time.time


class Chain:
    """Sends the requests of one connection."""

    def __init__(self, provider: Provider, connection: Connection, tokens: Tokens, wire: Wire) -> None:
        self.provider = provider
        self.connection = connection
        self.target = target_of(provider, connection)
        self.scope = _scope(self.target, connection)
        self.requests = 0
        self._tokens = tokens
        self._held: Held | None = None
        #: those of a token that was replaced stay: an answer that was asked for before may still show them
        self._secrets: set[str] = set()
        #: takes the connection's secrets out of a text
        self.masked = Mask(())
        self.wire = wire
        self._date: str | None = None

    @property
    def known(self) -> dict[str, object]:
        """What the provider's own expressions know: the scope, and what a person entered.

        Raises:
            StoreError: the credentials do not open.
        """
        return {**self.scope, "credentials": self._opened().credentials.values}

    @property
    def server_time(self) -> float | None:
        """The server's clock in the newest answer, in seconds since 1970 (RFC 9110 §6.6.1)."""
        return self.wire.transport.time if self._date is None else http_date(self._date)

    def hide(self, error: CallError) -> CallError:
        """The error without the secrets of this connection."""
        hide(error, self.masked)
        return error

    async def answered(self, request: Outgoing, tries: Tries, read: Callable[[Answer], T], limit: int) -> T:
        """Sends until an answer is read without an error, or another try cannot mend it.

        Args:
            read: what is made of an answer; raises the CallError that it is.
            limit: bytes that an answer may have.
        """
        base = self.base_url()
        await self._fresh()
        request = self._moved(request, base)
        while True:
            try:
                async with self._followed(request) as answer:
                    return read(await answer.read(limit))
            except CallError as exc:
                self.hide(exc)
                exc.where = exc.where or request.where
                following = self._after(tries, exc)
                if following is None:
                    raise
            request = await self._prepared(following, request, base)

    @asynccontextmanager
    async def streamed(
        self,
        request: Outgoing,
        tries: Tries,
        upload: AsyncIterable[bytes] | None = None,
        *,
        follow: bool = True,
    ) -> AsyncIterator[Streamed]:
        """The answer of the first try that succeeds, or that no other try can mend, still to be read.

        Args:
            follow: whether redirects are followed; one that leads to another host never is, but given.
        """
        stays = self._stays if follow and upload is None else _never
        base = self.base_url()
        await self._fresh()
        request = self._moved(request, base)
        while True:
            async with AsyncExitStack() as opened:
                try:
                    answer = await opened.enter_async_context(self._followed(request, upload, stays))
                    error = await self._refusal(answer)
                except CallError as exc:
                    self.hide(exc)
                    following = self._after(tries, exc)
                    if following is None:
                        raise
                else:
                    following = self._after(tries, error) if error is not None else None
                    if following is not None and upload is not None:
                        # The body is gone: a new token is for the next call.
                        await self._prepared(following, request, base)
                        following = None
                    if following is None:
                        yield answer
                        return
            request = await self._prepared(following, request, base)

    async def _refusal(self, answer: Streamed) -> CallError | None:
        """The error that an answer is, told from its beginning, which stays to be read."""
        if answer.status < 400:
            return None
        head = await answer.beginning(_LOOKED_AT)
        whole = Answer(status=answer.status, headers=answer.headers, url=answer.url, content=head)
        error = Judge(self.provider, self.known, self.masked).failure(decoded(whole))
        return None if error is None else self.hide(error)

    def _after(self, tries: Tries, error: CallError) -> Next | None:
        by_token = self._held is not None and self._held.credentials.access_token is not None
        return tries.after(error, by_token=by_token)

    async def _prepared(self, following: Next, request: Outgoing, before: str) -> Outgoing:
        """What is sent next."""
        if following.renew and self._held is not None:
            self._take(await self._tokens.renew(self.provider, self._held))
        if following.wait:
            await self.wire.sleep(following.wait)
        return self._moved(request, before)

    def _moved(self, request: Outgoing, before: str) -> Outgoing:
        """The same, at the API's new address where a renewed token told of one.

        Args:
            before: the base URL for which the request was made.
        """
        now = self.base_url()
        if now == before or not before or not request.url.startswith(before):
            return request
        return msgspec.structs.replace(request, url=now + request.url.removeprefix(before))

    def base_url(self) -> str:
        """Where paths begin; empty while the connection does not know it yet."""
        found = self.provider.base_url.evaluate(self.known)
        return "" if is_nothing(found) else text(found).rstrip("/")

    @asynccontextmanager
    async def _followed(
        self,
        request: Outgoing,
        upload: AsyncIterable[bytes] | None = None,
        follows: Callable[[Outgoing], bool] = lambda following: True,
    ) -> AsyncIterator[Streamed]:
        """Sends with the connection's credentials, following redirects that stay with the provider.

        Args:
            follows: whether a redirect is followed rather than given; one that leads elsewhere is an error.
        """
        credentials = (await self._fresh()).credentials
        for _ in range(_MAX_REDIRECTS):
            check_url(request.url, self.target, request.where)
            async with self._limited(request, self._proven(request, credentials), upload) as answer:
                following = redirected(request, answer)
                if following is None or not follows(following):
                    yield answer
                    return
            request = following
        raise CallError(
            f"{request.url.partition('?')[0]} redirects in circles", kind="redirect", where=request.where
        )

    def _stays(self, request: Outgoing) -> bool:
        try:
            check_url(request.url, self.target)
        except CallError:
            return False
        return True

    def _proven(self, request: Outgoing, credentials: Credentials) -> Outgoing:
        """The request with what proves who is calling."""
        try:
            headers, query = authorisation(self.provider, self.target.config, credentials)
            headers = checked_headers(headers, self.provider.place)
        except ExpressionError as exc:
            hide(exc, self.masked)
            raise
        if query:
            joiner = "&" if "?" in request.url else "?"
            request = msgspec.structs.replace(request, url=f"{request.url}{joiner}{urlencode(query)}")
        return request.with_headers(headers)

    @asynccontextmanager
    async def _limited(
        self, request: Outgoing, proven: Outgoing, upload: AsyncIterable[bytes] | None
    ) -> AsyncIterator[Streamed]:
        async with self.wire.gate.at_once:
            refusal = self.wire.gate.refusal(self.provider)
            if refusal is not None:
                raise refusal
            self.requests += 1
            async with self.wire.transport.stream(proven, upload) as answer:
                self.wire.gate.note(answer)
                # The address as it was asked for, without what proves who is calling.
                answer.url = request.url
                self._date = answer.headers.get("date", self._date)
                yield answer

    def _opened(self) -> Held:
        if self._held is None:
            self._take(self._tokens.open(self.connection))
        return cast(Held, self._held)

    async def _fresh(self) -> Held:
        held = await self._tokens.fresh(self.provider, self._opened())
        self._take(held)
        return held

    def _take(self, held: Held) -> None:
        if held is self._held:
            return
        self._held = held
        self._secrets.update(held.credentials.secrets())
        self.masked = Mask(self._secrets)
        self.connection = held.connection
        self.target = target_of(self.provider, held.connection)
        self.scope = _scope(self.target, held.connection)


def _scope(target: Target, connection: Connection) -> Mapping[str, object]:
    """What every template of a call knows of its connection."""
    known = {"id": connection.id, "integration": connection.integration}
    return {
        "config": target.config,
        "connection": {**known, "metadata": dict(connection.metadata or {})},
    }


def _never(_following: Outgoing) -> bool:
    return False


def redirected(request: Outgoing, answer: Streamed) -> Outgoing | None:
    """The request to which a redirect leads (RFC 9110 §15.4); None where it is for the caller to see.

    What reads is asked for again at the new place, 303 is fetched there, and 307 and 308 repeat the request
    as it was. 301 and 302 are not followed for what writes: whether they want it written anew is not certain.
    """
    location = answer.headers.get("location")
    if location is None or answer.status not in (301, 302, 303, 307, 308):
        return None
    url = led_to(request.url, location, request.where)
    if answer.status == 303 and request.method != "HEAD":
        kept = {name: value for name, value in request.headers.items() if not _of_content(name)}
        return msgspec.structs.replace(request, method="GET", url=url, headers=kept, content=None)
    if request.method in ("GET", "HEAD") or answer.status in (307, 308):
        return msgspec.structs.replace(request, url=url)
    return None


def _of_content(header: str) -> bool:
    return header.lower().startswith("content-")
