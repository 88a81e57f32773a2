"""`switch`: the first case that holds."""

from __future__ import annotations

from typing import cast

from runner.definitions.model import Step, Switch
from runner.definitions.values import ABSENT
from runner.workflow.context import Context
from runner.workflow.walk import in_order


async def switch(step: Step, context: Context) -> object:
    cases, note = cast(Switch, step.do).cases, context.entry.note
    if "case" not in note:
        scope = context.scope()
        holding = (n for n, case in enumerate(cases) if case.when is None or case.when.holds(scope))
        note["case"] = next(holding, None)
        await context.write()
    number = cast("int | None", note["case"])
    if number is None:
        return ABSENT
    return await in_order(cases[number].steps, context.part(str(number + 1), context.results))
