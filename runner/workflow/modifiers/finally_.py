"""`finally`: what is done after a step, however it ended."""

from __future__ import annotations

from runner.definitions.model import Step
from runner.errors import TerapiError
from runner.workflow.context import Context, Perform
from runner.workflow.failures import Returned, StepFailed
from runner.workflow.walk import in_order


async def finally_(step: Step, context: Context, do: Perform) -> object:
    """`finally`: what is done afterwards, however the step ended."""
    if not step.finally_:
        return await do(step, context)
    try:
        result = await do(step, context)
    except (TerapiError, Returned):
        try:
            await in_order(step.finally_, context.part("finally", dict(context.results)))
        except StepFailed as after:
            # The first error says more.
            context.log("error", f": `finally` failed as well: {after.message}")
        raise
    await in_order(step.finally_, context.part("finally", dict(context.results)))
    return result
