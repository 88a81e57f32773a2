"""`catch`: what is done about a step's error."""

from __future__ import annotations

from typing import cast

from runner.definitions.model import Step
from runner.errors import TerapiError
from runner.workflow.context import Context, Perform
from runner.workflow.failures import StepFailed
from runner.workflow.walk import in_order


async def catch(step: Step, context: Context, do: Perform) -> object:
    """`catch`: what is done about an error."""
    if not step.catch:
        return await do(step, context)
    try:
        return await do(step, context)
    except TerapiError as exc:
        failure = context.failure(exc)
        number = await _caught(step, context, failure)
        if number is None:
            raise
    entry, inner = (
        step.catch[number],
        context.part(f"catch{number + 1}", dict(context.results), error=failure.told),
    )
    given = await in_order(entry.steps, inner)
    return given if entry.output is None else entry.output.evaluate(inner.scope())


async def _caught(step: Step, context: Context, failure: StepFailed) -> int | None:
    """Which entry an error is for; the same each time that the run goes on."""
    note = context.entry.note
    if "caught" not in note:
        scope = context.scope(error=failure.told)
        fitting = (n for n, one in enumerate(step.catch) if one.when is None or one.when.holds(scope))
        number = next(fitting, None)
        if number is None:
            return None
        note["caught"] = number
        context.entry.error = failure.as_data()
        context.log("warning", f": failed, and is caught: {failure.message}")
        await context.end("caught")
    return cast(int, note["caught"])
