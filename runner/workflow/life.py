"""The life of a run: walked through until it ends, is undone, or has to wait."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import msgspec

from runner.calls.client import Client
from runner.definitions.model import Step, Steps
from runner.definitions.values import is_absent
from runner.errors import TerapiError
from runner.store import Underway
from runner.workflow.context import Context, NotUndone, Running, Undone
from runner.workflow.failures import Broken, Parked, Returned, StepFailed, Stopped, told
from runner.workflow.journal import Entry
from runner.workflow.rollback import roll_back
from runner.workflow.walk import in_order

#: seconds between two looks at what was asked of a run
_LOOK = 0.5


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did; the JSON of `terapi run --json`."""

    run: str
    workflow: str
    #: success, failed, cancelled, waiting, or queued: it rests until it is its turn
    status: str
    output: object = None
    error: Mapping[str, object] | None = None
    steps: list[dict[str, object]] = []
    #: the steps that were taken back
    undone: list[str] = []
    not_undone: list[NotUndone] = []
    #: steps that may have been done twice
    repeated: list[str] = []
    #: rows that an API refused; `terapi runs rejected` lists them
    rejected: int = 0
    #: when a waiting run goes on by itself, in seconds since 1970
    due_at: float | None = None
    #: the error itself, for who can do more with it than show it
    cause: TerapiError | None = None
    #: whether something was done that may not be done again
    touched: bool = False
    #: whether what failed may be done nevertheless, so that the run must not be taken up by itself
    uncertain: bool = False

    def as_data(self) -> dict[str, object]:
        data = msgspec.structs.asdict(self)
        for key in ("cause", "touched", "uncertain", "due_at"):
            data.pop(key)
        data["not_undone"] = [msgspec.structs.asdict(one) for one in self.not_undone]
        for key in ("undone", "not_undone", "repeated", "rejected"):
            if not data[key]:
                data.pop(key)
        return data


async def live(running: Running, client: Client, underway: Underway | None) -> Result:
    """Walks through a run to its end, or as far as it comes for now.

    Raises:
        StoreError: its journal cannot be kept.
    """
    watcher = None if underway is None else asyncio.create_task(_watch(running))
    try:
        return await _lived(running, client, underway)
    except Broken as exc:
        raise exc.cause from exc
    finally:
        if watcher is not None:
            watcher.cancel()


async def _watch(running: Running) -> None:
    """Halts the run when somebody asks for it."""
    while not running.halt:
        await asyncio.sleep(_LOOK)
        running.look()


async def _lived(running: Running, client: Client, underway: Underway | None) -> Result:
    while True:
        woken = 0 if underway is None else _woken(running)
        try:
            return await running.journal.settled(_through(running, client))
        except Parked as parked:
            if underway is not None and underway.park(parked.until, woken):
                return msgspec.structs.replace(_result(running, "waiting"), due_at=parked.until)
        # Something came for it while it walked: through once more.
        running.undos.clear()
        running.resumed = True


async def _through(running: Running, client: Client) -> Result:
    """Walks through a run to its end, and back where it is undone.

    Raises:
        Parked: it has to wait, on the way there or back.
    """
    try:
        output = await _walked(running, client)
        return msgspec.structs.replace(_result(running, "success"), output=output)
    except StepFailed as exc:
        return await _failed(running, exc)
    except Stopped:
        return await _stopped(running)


def _woken(running: Running) -> int:
    asked, woken = running.access.store.runs.came_for(running.id)
    if asked is not None:
        running.halt.call()
    return woken


async def _walked(running: Running, client: Client) -> object:
    workflow = running.workflow
    root = root_of(running, client)
    try:
        await in_order(workflow.steps, root)
        if workflow.output is None:
            return None
        output = workflow.output.evaluate(root.scope())
    except Returned as returned:
        return returned.output
    except StepFailed:
        raise
    except TerapiError as exc:
        raise told(exc, "output") from exc
    return None if is_absent(output) else output


async def look_through(running: Running, client: Client) -> None:
    """Walks through a run that has ended, to know what there is to undo."""
    with suppress(StepFailed, Returned, Parked, Stopped):
        await in_order(running.workflow.steps, root_of(running, client))


def root_of(running: Running, client: Client) -> Context:
    """Where the steps of a workflow stand."""
    workflow = running.workflow
    top = Step(place=workflow.place, kind="steps", do=Steps(steps=workflow.steps), name="")
    return Context(
        running, client, top, "", {}, {}, running.halt, Entry(path="", kind="steps", line=workflow.place.line)
    )


async def _failed(running: Running, failure: StepFailed) -> Result:
    running.log("error", failure.message)
    undone = Undone()
    if running.workflow.on_failure == "rollback":
        undone = await roll_back(running, failure)
    return _ended(running, "failed", failure, undone)


async def _stopped(running: Running) -> Result:
    error = {"kind": "cancelled", "message": "it was cancelled", "where": None, "hint": None}
    failure = StepFailed(error)
    undone = Undone()
    if running.asked() == "undo":
        undone = await roll_back(running, failure)
    return _ended(running, "cancelled", failure, undone)


def _ended(running: Running, status: str, failure: StepFailed, undone: Undone) -> Result:
    cause = failure.__cause__ if isinstance(failure.__cause__, TerapiError) else failure
    return msgspec.structs.replace(
        _result(running, status), error=failure.as_data(), cause=cause, undone=undone.undone,
        not_undone=undone.not_undone,
    )  # fmt: skip


def _result(running: Running, status: str) -> Result:
    return Result(
        run=running.id,
        workflow=running.workflow.name,
        status=status,
        steps=[step.as_data() for step in running.journal.tops],
        repeated=running.repeated,
        rejected=running.rejected,
        touched=running.touched,
        uncertain=running.uncertain,
    )
