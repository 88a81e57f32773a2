"""`return`: the workflow ends, with this output."""

from __future__ import annotations

from typing import NoReturn, cast

from runner.definitions.model import Return, Step
from runner.definitions.values import is_absent
from runner.workflow.context import Context
from runner.workflow.failures import Returned


async def return_(step: Step, context: Context) -> NoReturn:
    output = cast(Return, step.do).output.evaluate(context.scope())
    raise Returned(None if is_absent(output) else output)
