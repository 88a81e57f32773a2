"""The journal of a run: what each step gave, under the step's path, kept before the next step begins.

A path says where a step stands: `people[3]/contact` is the step `contact` of the 4th item of `people`,
`poll(2)` a second turn, `both^2` a second try of a step that holds others, `account:undo` what takes it back.
It stays the same however often the run is walked through, in whatever order steps side by side end.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Mapping
from typing import Protocol, TypeVar, cast

import msgspec
import orjson

from runner.definitions.model import Call, Step
from runner.errors import RunFailed, StoreError
from runner.store import Line, StepRow
from runner.workflow.failures import Broken

T = TypeVar("T")

#: bytes of JSON that a step's result may have
MAX_OUTPUT = 32 * 1024 * 1024
_LAST = re.compile(r"[/:][^/:]*$")
_WHICH = re.compile(r"\[\d+\]|\(\d+\)|\^\d+")


class Entry(msgspec.Struct, kw_only=True):
    """What the journal knows of one step; times are in seconds since 1970."""

    path: str
    kind: str
    line: int
    #: new, running, waiting, done, caught, failed or skipped
    status: str = "new"
    #: its turn among the steps that ended, from 1
    number: int = 0
    tries: int = 0
    started_at: float = 0.0
    finished_at: float | None = None
    #: what went in, for people
    shown: str | None = None
    output: bytes | None = None
    error: Mapping[str, object] | None = None
    #: what a run that goes on must know
    note: dict[str, object] = {}
    #: whether it may have been done before, by a process that died
    repeated: bool = False
    #: whether it changes something elsewhere, so that its end must outlive a power cut
    writes: bool = False
    #: what somebody answered to it
    answer: Mapping[str, object] | None = None

    @property
    def body(self) -> str | None:
        """How what it does has ended, `done` or `failed`, whatever became of that afterwards."""
        return cast("str | None", self.note.get("body"))

    def value(self) -> object:
        """What it gave."""
        return None if self.output is None else json_of(self.output)


class Summary(msgspec.Struct, kw_only=True):
    """One step of the definition, whatever number of items, turns and tries it had."""

    id: str | None
    step: str
    line: int
    status: str
    items: int | None = None
    requests: list[object] = []
    steps: list[Summary] = []

    def as_data(self) -> dict[str, object]:
        found: dict[str, object] = {
            "id": self.id, "step": self.step, "line": self.line, "status": self.status,
        }  # fmt: skip
        if self.items is not None:
            found["items"] = self.items
        if self.requests:
            found["requests"] = self.requests
        if self.steps:
            found["steps"] = [step.as_data() for step in self.steps]
        return found


class Kept(Protocol):
    """Where a journal is kept."""

    def find(self, path: str) -> StepRow | None: ...

    def write(self, rows: list[StepRow], lines: list[Line], *, durable: bool) -> None: ...


class Journal:
    """The journal of one run.

    Args:
        kept: where it is kept; None for a run that ends with its process.
        ended: how many steps have ended before.
    """

    def __init__(self, kept: Kept | None = None, ended: int = 0) -> None:
        self._kept = kept
        self._ended = ended
        self._rows: list[StepRow] = []
        #: lines of the run's log that are not kept yet
        self.lines: list[Line] = []
        self._durable = False
        #: the newest write
        self._written: asyncio.Task[None] | None = None
        #: whether that has not begun
        self._soon = False
        self.tops: list[Summary] = []
        self._summaries: dict[str, Summary] = {}

    def entry(self, path: str, step: Step) -> Entry:
        """What is known of a step, or a new entry."""
        row = None if self._kept is None else self._kept.find(path)
        entry = Entry(path=path, kind=label(step), line=step.place.line) if row is None else _entry(row)
        self._summarize(entry, step)
        return entry

    def cut(self) -> list[Summary]:
        """The steps of a run that is interrupted."""
        for summary in self._summaries.values():
            if summary.status == "running":
                summary.status = "cancelled"
        return self.tops

    def next_number(self) -> int:
        self._ended += 1
        return self._ended

    def summary(self, path: str) -> Summary:
        return self._summaries[_plain(path)]

    def _summarize(self, entry: Entry, step: Step) -> None:
        plain = _plain(entry.path)
        if plain not in self._summaries:
            found = Summary(id=step.id, step=label(step), line=entry.line, status="running")
            self._summaries[plain] = found
            above = self._above(plain)
            (self.tops if above is None else above.steps).append(found)

    def _above(self, plain: str) -> Summary | None:
        while found := _LAST.search(plain):
            plain = plain[: found.start()]
            if plain in self._summaries:
                return self._summaries[plain]
        return None

    def put(self, entry: Entry, *, durable: bool = False, at_once: bool = False) -> None:
        """Keeps an entry as soon as the event loop turns, in one go with whatever is put until then.

        Args:
            durable: whether it must outlive a power cut from there on.
            at_once: whether it must outlive the process from here on.

        Raises:
            Broken: it cannot be kept at once.
        """
        summary = self.summary(entry.path)
        if summary.status != "dry-run":
            summary.status = {"new": "running", "done": "success"}.get(entry.status, entry.status)
        if self._kept is None:
            return
        row = _row(entry)
        if at_once and not _failed(self._written):
            self._write([row], [])
        self._rows.append(row)
        self._durable = self._durable or durable
        self._due()

    async def settle(self) -> None:
        """Ends when all that was put is kept; nothing may be begun before.

        Raises:
            Broken: it cannot be kept.
        """
        if self._written is not None:
            await asyncio.shield(self._written)

    async def settled(self, walk: Awaitable[T]) -> T:
        """What a walk gives, with all that it put kept, however it ended."""
        try:
            return await walk
        finally:
            await self.settle()

    def log(self, line: Line) -> None:
        """Adds to the run's log, with what is kept next."""
        self.lines.append(line)
        if self._kept is not None:
            self._due()

    def _due(self) -> None:
        # Behind what could not be kept, nothing is.
        if not self._soon and not _failed(self._written):
            self._soon = True
            self._written = asyncio.create_task(self._flush())
            self._written.add_done_callback(_failed)

    async def _flush(self) -> None:
        rows, lines, durable = self._rows, self.lines, self._durable
        self._rows, self.lines, self._durable, self._soon = [], [], False, False
        self._write(rows, lines, durable=durable)

    def _write(self, rows: list[StepRow], lines: list[Line], *, durable: bool = False) -> None:
        if self._kept is None:
            return
        try:
            self._kept.write(rows, lines, durable=durable)
        except StoreError as exc:
            # A line alone may be lost.
            if rows:
                raise Broken(exc) from exc


def _failed(written: asyncio.Task[None] | None) -> bool:
    """Whether a write has failed; with what, `settle` tells."""
    if written is None or not written.done():
        return False
    return written.cancelled() or written.exception() is not None


def packed(output: object, step: str) -> bytes:
    """A result as JSON.

    Raises:
        RunFailed: it is none, or too large to be kept.
    """
    try:
        found = _json(output)
    except TypeError as exc:
        hint = "choose with `output` what later steps need"
        raise RunFailed(f"`{step}` gave something that is no JSON: {exc}", hint=hint) from exc
    if len(found) > MAX_OUTPUT:
        size, most = len(found) / 1024 / 1024, MAX_OUTPUT // 1024 // 1024
        raise RunFailed(
            f"`{step}` gave {size:.0f} MB, more than the {most} MB that are kept of one step",
            hint="choose with `output` what later steps need, or read it in parts",
            kind="too_large",
        )
    return found


def _json(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        # A number of more than 64 bits, or a key that is no text.
        return json.dumps(value, ensure_ascii=False).encode()


def json_of(output: bytes) -> object:
    try:
        return orjson.loads(output)
    except orjson.JSONDecodeError:
        return json.loads(output)


def label(step: Step) -> str:
    """What a step does, in a word or two: `use create_record`."""
    return f"use {step.do.operation.name}" if isinstance(step.do, Call) else step.kind


def _plain(path: str) -> str:
    """The path without items, turns and tries: one for each step of the definition."""
    return _WHICH.sub("", path)


def _entry(row: StepRow) -> Entry:
    values = msgspec.structs.asdict(row)
    return Entry(**{**values, "note": dict(row.note)})


def _row(entry: Entry) -> StepRow:
    return StepRow(**msgspec.structs.asdict(entry))
