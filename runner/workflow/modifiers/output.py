"""`mock` and `output`: what a step gives."""

from __future__ import annotations

from runner.definitions.model import Step
from runner.workflow.context import Context, Perform
from runner.workflow.dry import Shown, writes


async def mock(step: Step, context: Context, do: Perform) -> object:
    """`mock`: what a dry run takes for the answer; what a test gives is taken wherever it says so."""
    if step.id is not None and step.id in context.running.mock:
        return context.running.mock[step.id]
    if step.mock is None or not context.running.dry:
        return await do(step, context)
    if writes(step):
        await do(step, context)
    return step.mock.evaluate(context.scope())


async def output(step: Step, context: Context, do: Perform) -> object:
    """`output`: the step's result, made of what was given."""
    result = await do(step, context)
    if step.output is None or isinstance(result, Shown):
        return result
    return step.output.evaluate(context.scope(result=result, **context.seen))
