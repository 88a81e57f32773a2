"""A cassette: what answers in the place of an API, and asks for nothing over a network."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from email.utils import formatdate
from typing import Final, NamedTuple, cast

from runner.calls.transport import Streamed, Transport
from runner.definitions.exchange import Outgoing
from runner.definitions.model import Exchange, RecordedAnswer
from runner.errors import CallError
from runner.testing.asked import Asked, differences, likeness, recorded, sent

_TYPES: Final = {
    "json": "application/json", "text": "text/plain; charset=utf-8", "base64": "application/octet-stream",
}  # fmt: skip
#: what stands for an answer that did not come, and how that is told
FAULTS: Final = {
    "network": "the API cannot be reached",
    "disconnected": "the API ended the connection before it answered",
    "timeout": "the API did not answer in time",
    "truncated": "the answer of the API was cut short",
}
#: the kind of the error of a request that is not on the cassette
NOT_RECORDED: Final = "not_recorded"


class Miss(NamedTuple):
    """A request that is not on the cassette."""

    asked: Asked
    #: the one that is most like it, and what is another in it; None where the cassette is empty
    nearest: Exchange | None
    differs: list[str]


class Whole:
    """A body that is there at once."""

    def __init__(self, content: bytes) -> None:
        self._left = content

    async def readany(self) -> bytes:
        content, self._left = self._left, b""
        return content


class Cassette(Transport):
    """Answers each request with the first recorded one that is the same and was not asked for yet.

    Args:
        base_url: where the paths of the cassette begin.
        now: the time of every answer, in seconds since 1970.
    """

    def __init__(self, exchanges: Sequence[Exchange], base_url: str, now: float) -> None:
        super().__init__(allow_local=True)
        self._exchanges = [(exchange, recorded(exchange.request, base_url)) for exchange in exchanges]
        self._used: set[int] = set()
        self.time = now
        self._date = formatdate(now, usegmt=True)
        #: how many requests there were
        self.requests = 0
        self.missed: list[Miss] = []

    @property
    def unused(self) -> list[Exchange]:
        """What nobody asked for."""
        return [pair[0] for number, pair in enumerate(self._exchanges) if number not in self._used]

    @asynccontextmanager
    async def stream(
        self, request: Outgoing, upload: AsyncIterable[bytes] | None = None
    ) -> AsyncIterator[Streamed]:
        """The recorded answer.

        Raises:
            CallError: there is none, of the kind `not_recorded`; or the fault that is recorded in its place.
        """
        self.requests += 1
        answer = self._answer(request)
        if answer.fault is not None:
            raise no_answer(answer.fault, request)
        names = {name.lower() for name in answer.headers}
        pairs = list(answer.headers.items())
        if "content-type" not in names and answer.form is not None:
            pairs.append(("Content-Type", _TYPES[answer.form]))
        if "date" not in names:
            pairs.append(("Date", self._date))
        yield Streamed(request, answer.status, pairs, Whole(_content(answer)))

    def _answer(self, request: Outgoing) -> RecordedAnswer:
        asked = sent(request)
        for number, (exchange, wanted) in enumerate(self._exchanges):
            if number not in self._used and not differences(wanted, asked):
                self._used.add(number)
                return exchange.response
        self.missed.append(self._miss(asked))
        raise CallError(
            f"{asked} is not on the cassette", kind=NOT_RECORDED, where=request.where,
            hint="record the test anew: terapi record FILE",
        )  # fmt: skip

    def _miss(self, asked: Asked) -> Miss:
        if not self._exchanges:
            return Miss(asked, None, [])
        nearest, wanted = max(self._exchanges, key=lambda pair: likeness(pair[1], asked))
        return Miss(asked, nearest, differences(wanted, asked))


def no_answer(fault: str, request: Outgoing) -> CallError:
    """Why no answer comes."""
    return CallError(FAULTS[fault], kind=fault, transient=True, where=request.where)


def _content(answer: RecordedAnswer) -> bytes:
    if answer.form is None:
        return b""
    if answer.form == "json":
        return json.dumps(answer.body).encode()
    body = cast(str, answer.body)
    return base64.b64decode(body) if answer.form == "base64" else body.encode()
