"""`undo`: what takes a finished step back, should the run fail later."""

from __future__ import annotations

from runner.definitions.model import Step
from runner.workflow.context import Context, Perform, Undo
from runner.workflow.failures import StepFailed


async def undo(step: Step, context: Context, do: Perform) -> object:
    """`undo`: what takes the step back, should the run fail later."""
    try:
        result = await do(step, context)
    except StepFailed:
        # A workflow that failed and kept what it had done.
        if step.kind == "workflow" and step.undo is None:
            _note_undo(step, context, None)
        raise
    if step.undo is not None or step.kind == "workflow":
        _note_undo(step, context, result)
    return result


def _note_undo(step: Step, context: Context, result: object) -> None:
    done = Undo(number=context.entry.number, step=step.undo, context=context, result=result)
    context.running.undos.append(done)
