"""`steps`: several, one after the other."""

from __future__ import annotations

from typing import cast

from runner.definitions.model import Step, Steps
from runner.workflow.context import Context
from runner.workflow.walk import in_order


async def steps(step: Step, context: Context) -> object:
    return await in_order(cast(Steps, step.do).steps, context)
