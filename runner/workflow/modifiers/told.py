"""What becomes of a step is told: its errors as its own, its begin and its end in the run's log."""

from __future__ import annotations

from runner.definitions.model import Step
from runner.errors import TerapiError
from runner.workflow.context import Context, Perform
from runner.workflow.failures import Parked, Returned, StepFailed, Stopped
from runner.workflow.halt import Halt


async def tell(step: Step, context: Context, do: Perform) -> object:
    """Whatever error a step meets is told as the step's own."""
    entry = context.entry
    if entry.status == "failed" and entry.body is None:
        await look_through(step, context, do)
        raise StepFailed(entry.error or {})
    try:
        return await do(step, context)
    except StepFailed:
        raise
    except TerapiError as exc:
        failure = context.failure(exc)
        entry.error = failure.as_data()
        await context.end("failed")
        raise failure from exc


async def look_through(step: Step, context: Context, do: Perform) -> StepFailed | None:
    """Walks through what has failed without beginning anything, to know what there is to undo; gives the
    failure."""
    context.halt = Halt(context.halt)
    context.halt.call()
    try:
        await do(step, context)
    except StepFailed as exc:
        return exc
    except (TerapiError, Returned, Parked, Stopped):
        pass
    return None


async def note(step: Step, context: Context, do: Perform) -> object:
    """The run's log: a line as a step begins, and one as it ends, but none for each item of a `foreach`."""
    if context.entry.status != "new" or "item" in context.further:
        return await do(step, context)
    context.log("info", " begins")
    try:
        return await do(step, context)
    finally:
        context.log("info", f": {context.running.journal.summary(context.path).status}")
