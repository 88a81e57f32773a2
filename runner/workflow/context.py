"""What a step has around it: its place in the run, what its expressions know, and what it may use."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

import msgspec

from runner.calls.retry import NOT_DONE
from runner.definitions.conversions import text
from runner.definitions.expressions import Remembered
from runner.definitions.expressions.functions import now, uuid
from runner.definitions.model import Step, Workflow
from runner.definitions.values import is_nothing
from runner.errors import CallError, TerapiError
from runner.store import Line
from runner.workflow.failures import Parked, StepFailed, Stopped, told
from runner.workflow.halt import Clock, Halt
from runner.workflow.journal import Entry, Journal

if TYPE_CHECKING:
    from runner.calls.access import Access
    from runner.calls.client import Client
    from runner.store import RunSteps

T = TypeVar("T")

#: characters of what went into a step that are kept for people
_SHOWN = 4_000


class Undo(msgspec.Struct, frozen=True, kw_only=True):
    """What takes a finished step back."""

    #: the finished step's turn among those that ended
    number: int
    #: its `undo`; None for a workflow that was called, which is undone by its own steps'
    step: Step | None
    context: Context
    #: what the finished step gave
    result: object


class Perform(Protocol):
    """Does a step, gives what it gave; see `engine`."""

    def __call__(self, step: Step, context: Context, /) -> Awaitable[object]: ...


class NotUndone(msgspec.Struct, frozen=True, kw_only=True):
    """A finished step that could not be taken back."""

    step: str
    #: what it gave: its ids
    result: object
    error: str


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """What a rollback did."""

    #: the steps that were taken back, in that order
    undone: list[str] = []
    not_undone: list[NotUndone] = []


class Children(Protocol):
    """The workflows that a run calls; see `children`."""

    async def call(self, context: Context, name: str, given: Mapping[str, object]) -> object:
        """Runs another workflow as a step, in the step's context; gives its output."""
        ...

    async def undo(self, context: Context, error: StepFailed) -> Undone:
        """Undoes what the workflow that a step called has done."""
        ...


class Running(msgspec.Struct, kw_only=True):
    """What all steps of a run share."""

    id: str
    workflow: Workflow
    access: Access
    input: Mapping[str, object]
    journal: Journal
    #: the journal's rows, answers and events; None for a run that ends with its process
    steps: RunSteps | None
    clock: Clock
    halt: Halt
    perform: Perform
    children: Children
    #: whether an earlier process has done a part of it
    resumed: bool = False
    #: whether nothing that writes is done
    dry: bool = False
    #: step → what it gives instead of being done
    mock: Mapping[str, object] = {}
    #: seconds that a wait may take here; longer ones leave the process
    hold: float = float("inf")
    #: the same of the wait for a turn
    patience: float = float("inf")
    #: called where the process is about to end, so that the run rests before its next step
    rest: Halt | None = None
    #: how many workflows have called this one, each the next
    depth: int = 0
    undos: list[Undo] = []
    #: steps that may have been done twice
    repeated: list[str] = []
    #: rows that an API refused
    rejected: int = 0
    #: whether it was started by something else than a person at this machine
    started_afar: bool = False
    #: whether something was done that may not be done again
    touched: bool = False
    #: whether what failed may be done nevertheless, and must not be done twice
    uncertain: bool = False

    def look(self) -> None:
        """Halts where somebody has asked for it."""
        if self.asked() is not None:
            self.halt.call()

    def asked(self) -> str | None:
        """What somebody has asked of the run: cancel, or undo."""
        return None if self.steps is None else self.access.store.runs.came_for(self.id)[0]

    def log(self, level: str, message: str) -> None:
        """Adds to the run's log; level is info, warning or error."""
        self.journal.log(Line(self.clock.now(), level, message))


class Context:
    """A step's place in a run.

    Args:
        path: see `journal`.
        results: what the steps before gave, by id; steps of one list share it.
        further: what expressions know beside: item, index, turn, result, error.
    """

    __slots__ = (
        "client", "entry", "further", "halt", "left_running", "path", "results", "running", "seen", "step",
    )  # fmt: skip

    def __init__(
        self, running: Running, client: Client, step: Step, path: str, results: dict[str, object],
        further: Mapping[str, object], halt: Halt, entry: Entry | None = None,
    ) -> None:  # fmt: skip
        self.running = running
        self.client = client
        self.step = step
        self.path = path
        self.results = results
        self.further = further
        self.halt = halt
        self.entry: Entry = running.journal.entry(path, step) if entry is None else entry
        #: whether a process that died was about to do it, or did it
        self.left_running = self.entry.status == "running"
        #: what its doing showed beside its result: a response
        self.seen: dict[str, object] = {}

    def at(
        self, path: str, step: Step | None = None, *, results: dict[str, object] | None = None,
        halt: Halt | None = None, **further: object,
    ) -> Context:  # fmt: skip
        """The place of a step, an item, a turn or a try, which knows what is known here, and more."""
        return Context(
            self.running, self.client, step or self.step, path,
            self.results if results is None else results,
            {**self.further, **further} if further else self.further,
            self.halt if halt is None else halt,
        )  # fmt: skip

    def below(self, step: Step) -> Context:
        """The place of a step that this one holds."""
        return self.at(f"{self.path}/{step.name}" if self.path else step.name, step)

    def part(self, name: str, results: dict[str, object], **further: object) -> Context:
        """A part of the step, for the steps in it: a case, a `catch`."""
        return Context(
            self.running, self.client, self.step, f"{self.path}:{name}", results,
            {**self.further, **further}, self.halt, self.entry,
        )  # fmt: skip

    @property
    def label(self) -> str:
        """What the step is called in sentences."""
        return self.step.id or self.entry.kind

    def scope(self, **further: object) -> dict[str, object]:
        """What an expression knows; its `now()` and `uuid()` say the same when it is computed again."""
        remembered = _Remembered(self.entry.note)
        return {
            **self.client.scope(),
            "input": self.running.input,
            "steps": self.results,
            **self.further,
            **further,
            "now": Remembered(remembered.now),
            "uuid": Remembered(remembered.uuid),
        }

    def key(self) -> str:
        """What an API may know the step by when it is asked again: the same for each try, in any process."""
        own = self.step.idempotency_key
        if own is not None:
            found = own.evaluate(self.scope())
            if not is_nothing(found):
                return text(found)
        digest = hashlib.sha256(f"{self.running.id}/{self.path}".encode()).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"

    async def begin(self, shown: object, *, writes: bool = False, again: bool = True) -> None:
        """Notes that the step is about to be done.

        Args:
            shown: what goes in.
            writes: whether it changes something elsewhere.
            again: whether it may be done twice without doing anything twice.
        """
        entry = self.entry
        if self.left_running and writes and not again:
            self._repeat()
        self.left_running = False
        entry.status, entry.writes = "running", writes
        entry.tries += 1
        entry.shown = self._masked(shown)
        await self.write(durable=writes and (not again or bool(entry.note)))

    async def touching(self, call: Awaitable[T], *, writes: bool, again: bool) -> T:
        """Makes a call, and notes whether something may have been done by it; see `begin`."""
        running, before = self.running, self.running.touched
        running.touched = before or writes
        try:
            return await call
        except CallError as exc:
            # The API has certainly done nothing: it said so, or nothing reached it.
            if exc.kind in NOT_DONE:
                running.touched = before
            elif writes and not again:
                running.uncertain = True
            raise

    def _repeat(self) -> None:
        self.entry.repeated = True
        self.running.repeated.append(self.path)
        self.log("warning", ": was under way when its process ended, and is done again: it may be done twice")

    async def write(self, *, durable: bool = False) -> None:
        """Keeps the step's entry as it is now."""
        self.put(durable=durable)
        await self.running.journal.settle()

    def put(self, *, durable: bool = False, at_once: bool = False) -> None:
        """Keeps the step's entry as it is now, at the latest with what is written next; see `Journal.put`."""
        entry = self.entry
        entry.started_at = entry.started_at or self.running.clock.now()
        self.running.journal.put(entry, durable=durable, at_once=at_once)

    async def end(self, status: str, *, durable: bool = False) -> None:
        """Keeps how the step ended."""
        self.entry.status = status
        self.entry.finished_at = self.running.clock.now()
        self.put(durable=durable, at_once=durable)
        # Where something was done, the disk is waited for with the begin of the next step, before that does
        # anything.
        if not self.entry.tries:
            await self.running.journal.settle()

    def failure(self, error: TerapiError) -> StepFailed:
        """What an error is as this step's failure."""
        return told(error, self.label, self.step.place)

    def log(self, level: str, message: str) -> None:
        """Adds to the run's log."""
        self.running.log(level, f"{self.name}{message}")

    @property
    def name(self) -> str:
        """What the step is called in the log: `people[3]/order (use create_order)`."""
        return self.entry.kind if self.path.startswith("#") else f"{self.path} ({self.entry.kind})"

    def check_halt(self) -> None:
        """Whether anything further may be begun.

        Raises:
            Parked: by another process.
            Stopped: it may not.
        """
        if self.running.rest:
            raise Parked(self.running.clock.now())
        if self.halt:
            raise Stopped

    async def pause(self, until: float) -> None:
        """Waits until a moment, in seconds since 1970.

        Raises:
            Parked: that is too long for this process, or it is about to end.
            Stopped: nothing further is to be begun.
        """
        self.check_halt()
        left = until - self.running.clock.now()
        if left <= 0:
            return
        if left > self.running.hold:
            raise Parked(until)
        await self.halt.sleep(self.running.clock, left)
        self.check_halt()

    def _masked(self, shown: object) -> str | None:
        if self.running.steps is None and not self.running.dry:
            return None
        written = shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False, default=str)
        masked = self.client.masked(written)
        return masked if len(masked) <= _SHOWN else masked[:_SHOWN] + "…"


class _Remembered:
    """The time and the random values that a step was given, the same each time that it is done.

    Args:
        note: where they are kept.
    """

    def __init__(self, note: dict[str, object]) -> None:
        self._note = note
        self._given = 0

    def now(self) -> object:
        return self._note.setdefault("now", now())

    def uuid(self) -> object:
        known = cast("list[object]", self._note.setdefault("uuids", []))
        if self._given == len(known):
            known.append(uuid())
        self._given += 1
        return known[self._given - 1]
