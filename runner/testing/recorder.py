"""A recorder: sends requests on, and keeps what was asked and answered."""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import json
from collections.abc import AsyncIterable, AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from email.utils import formatdate
from typing import Final

from runner.calls.transport import Streamed, Transport
from runner.definitions.exchange import Answer, Outgoing
from runner.definitions.model import RecordedAnswer
from runner.errors import CallError
from runner.testing.asked import Asked, parsed, sent
from runner.testing.cassette import FAULTS, Whole, no_answer

#: bytes of an answer that are kept
_MOST: Final = 50_000_000
#: what says how a body was sent, which is kept as it was read, and when
_RENEWED: Final = frozenset({"content-encoding", "content-length", "transfer-encoding", "date"})
#: types of bodies with a record a line
_LINES: Final = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
#: headers that are kept although no definition reads them
_KEPT: Final = frozenset({"location", "retry-after"})


class Recorder(Transport):
    """Sends one request at a time, so that the same run is recorded in the same order.

    Args:
        inner: what they are sent by.
        now: what each answer tells as the time, in seconds since 1970.
        headers: the names of the answers' headers that are kept, in small letters.
        limit: how many records of each list of an answer are let through; None for all.
    """

    def __init__(self, inner: Transport, now: float, headers: Collection[str], limit: int | None) -> None:
        super().__init__(allow_local=True)
        self._inner = inner
        self.time = now
        self._date = formatdate(now, usegmt=True)
        self._headers = _KEPT | set(headers)
        self._limit = limit
        self._alone = asyncio.Lock()
        #: what was asked, and what was answered
        self.exchanges: list[tuple[Asked, RecordedAnswer]] = []

    @asynccontextmanager
    async def stream(
        self, request: Outgoing, upload: AsyncIterable[bytes] | None = None
    ) -> AsyncIterator[Streamed]:
        """The answer as it will be played back: cut, and at the time of the recording."""
        async with self._alone:
            try:
                async with self._inner.stream(request, upload) as streamed:
                    pairs = [pair for pair in streamed.pairs if pair[0].lower() not in _RENEWED]
                    answer = await streamed.read(_MOST)
            except CallError as exc:
                if exc.kind not in FAULTS:
                    raise
                self.exchanges.append((sent(request), RecordedAnswer(fault=exc.kind)))
                raise no_answer(exc.kind, request) from exc
            kind = answer.headers.get("content-type", "")
            content = answer.content if self._limit is None else cut(answer.content, kind, self._limit)
            self.exchanges.append((sent(request), self._kept(answer, content, kind)))
        yield Streamed(request, answer.status, [*pairs, ("Date", self._date)], Whole(content))

    def _kept(self, answer: Answer, content: bytes, kind: str) -> RecordedAnswer:
        headers = {name: value for name, value in answer.headers.items() if name in self._headers}
        form, body = body_of(content)
        if form is not None and _is_told(form, kind):
            headers["content-type"] = kind
        return RecordedAnswer(status=answer.status, headers=headers, form=form, body=body)

    async def close(self) -> None:
        await self._inner.close()


def body_of(content: bytes) -> tuple[str | None, object]:
    """The form that a cassette keeps a body in, and the body."""
    if not content:
        return None, None
    try:
        said = content.decode()
    except UnicodeDecodeError:
        return "base64", base64.b64encode(content).decode()
    try:
        body = parsed(said)
    except ValueError:
        return "text", said
    return ("json", body) if isinstance(body, (dict, list)) else ("text", said)


def _is_told(form: str, kind: str) -> bool:
    """Whether the type of a body does not follow from its form."""
    usual = {"json": "application/json", "text": "text/plain", "base64": "application/octet-stream"}
    return kind.partition(";")[0].strip() not in ("", usual[form])


def cut(content: bytes, kind: str, limit: int) -> bytes:
    """A body with no list of records longer than ``limit``: of JSON, ndjson, and CSV behind its head."""
    plain = kind.partition(";")[0].strip()
    if plain == "text/csv":
        return _cut_rows(content, limit)
    if plain in _LINES:
        return b"".join(content.splitlines(keepends=True)[:limit])
    try:
        body = parsed(content.decode())
    except ValueError:
        return content
    return json.dumps(_cut_lists(body, limit)).encode()


def _cut_lists(value: object, limit: int) -> object:
    if isinstance(value, Mapping):
        return {key: _cut_lists(inner, limit) for key, inner in value.items()}
    if not isinstance(value, list):
        return value
    records = value[:limit] if all(isinstance(item, Mapping) for item in value) else value
    return [_cut_lists(item, limit) for item in records]


def _cut_rows(content: bytes, limit: int) -> bytes:
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(content.decode("utf-8", "replace"), newline=""):
            taken.append(line)
            yield line

    for _ in zip(range(limit + 1), csv.reader(lines()), strict=False):
        pass
    return "".join(taken).encode()
