"""`retry`: another try of a step that failed."""

from __future__ import annotations

import random
from typing import cast

from runner.definitions.model import Step, StepRetry
from runner.errors import CallError, TerapiError
from runner.workflow.context import Context, Perform
from runner.workflow.modifiers.keep import HOLDING


async def retry(step: Step, context: Context, do: Perform) -> object:
    """`retry`: another try where one failed; what holds steps does all of them anew."""
    rules, entry = step.retry, context.entry
    if rules is None:
        return await do(step, context)
    anew, holds = step.kind in (*HOLDING, "workflow"), step.kind in HOLDING
    failed = 0 if holds else cast(int, entry.note.get("tries", 0))
    while True:
        place = context.at(f"{context.path}^{failed + 1}") if anew and failed else context
        if failed and failed == entry.note.get("tries"):
            await context.pause(cast(float, entry.note["again_at"]))
        try:
            return await do(step, place)
        except TerapiError as exc:
            failed += 1
            if failed > cast(int, entry.note.get("tries", 0)) and not await _again(
                rules, context, exc, failed
            ):
                raise


async def _again(rules: StepRetry, context: Context, error: TerapiError, failed: int) -> bool:
    """Whether there is another try; noted before it is waited for."""
    failure = context.failure(error)
    wanted = failure.transient if rules.when is None else rules.when.holds(context.scope(error=failure.told))
    if failed >= rules.attempts or not wanted:
        return False
    asked = error.retry_after if isinstance(error, CallError) else None
    longest = min(rules.max, rules.initial * 2.0 ** min(failed - 1, 60))
    wait = asked or longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
    context.entry.note.update(tries=failed, again_at=context.running.clock.now() + wait)
    context.log("warning", f": failed, and is tried again in {wait:.1f} s: {failure.message}")
    await context.write()
    return True
