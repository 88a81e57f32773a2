"""`workflow`: another workflow is run to its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from runner.definitions.model import CallWorkflow, Step
from runner.workflow.context import Context


async def workflow(step: Step, context: Context) -> object:
    call = cast(CallWorkflow, step.do)
    given = cast(Mapping[str, object], call.input.evaluate(context.scope()))
    return await context.running.children.call(context, call.name, given)
