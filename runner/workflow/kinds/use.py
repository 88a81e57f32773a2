"""`use`: an operation is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from runner.calls.client import checked
from runner.definitions.model import Call, Step
from runner.workflow.context import Context
from runner.workflow.dry import show


async def use(step: Step, context: Context) -> object:
    wanted = cast(Call, step.do)
    operation, client = wanted.operation, context.client
    arguments = cast(Mapping[str, object], wanted.arguments.evaluate(context.scope()))
    key = context.key()
    if context.running.dry and operation.writes:
        sent = operation.request if operation.job is None else operation.job.submit
        return show(client.shown(sent, {**checked(operation, arguments), "idempotency_key": key}), context)
    await context.begin(arguments, writes=operation.writes, again=operation.idempotent)
    call = client.call(operation, arguments, key)
    return await context.touching(call, writes=operation.writes, again=operation.idempotent)
