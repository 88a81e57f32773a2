"""`parallel`: several steps at once."""

from __future__ import annotations

from typing import cast

from runner.definitions.model import Parallel, Step
from runner.workflow.context import Context
from runner.workflow.halt import Halt
from runner.workflow.walk import note_result, results_of, together


async def parallel(step: Step, context: Context) -> object:
    branches = cast(Parallel, step.do).steps

    async def one(number: int, branch: Step, halt: Halt) -> None:
        place = context.below(branch)
        place.halt = halt
        note_result(branch, context, await context.running.perform(branch, place))

    # With `foreach`, `concurrency` is said of the items.
    most = step.concurrency if step.concurrency is not None and step.foreach is None else len(branches)
    await together(branches, one, limit=most, context=context)
    return results_of(branches, context)
