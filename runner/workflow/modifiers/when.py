"""`when`: whether a step is done at all."""

from __future__ import annotations

from runner.definitions.model import Step
from runner.definitions.values import ABSENT
from runner.workflow.context import Context, Perform
from runner.workflow.modifiers.keep import HOLDING


async def when(step: Step, context: Context, do: Perform) -> object:
    """`when`: whether it is done at all."""
    entry = context.entry
    if entry.status == "skipped":
        return ABSENT
    if entry.status == "new":
        context.check_halt()
        if step.when is not None and not step.when.holds(context.scope()):
            await context.end("skipped")
            return ABSENT
        if step.kind in HOLDING or step.timeout is not None or step.repeat is not None:
            entry.status = "running"
            await context.write()
    return await do(step, context)
