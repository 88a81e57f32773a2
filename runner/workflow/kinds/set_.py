"""`set`: values under names."""

from __future__ import annotations

from typing import cast

from runner.definitions.model import Set, Step
from runner.workflow.context import Context


async def set_(step: Step, context: Context) -> object:
    return cast(Set, step.do).values.evaluate(context.scope())
