"""`fail`: the workflow ends, with this error."""

from __future__ import annotations

from typing import NoReturn, cast

from runner.definitions.conversions import text
from runner.definitions.model import Fail, Step
from runner.errors import RunFailed
from runner.workflow.context import Context


async def fail(step: Step, context: Context) -> NoReturn:
    wanted = cast(Fail, step.do)
    raise RunFailed(text(wanted.message.evaluate(context.scope())), where=step.place, kind=wanted.kind)
