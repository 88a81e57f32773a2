"""`use`: an operation is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from runner.calls.arguments import checked
from runner.calls.job import KeptJob
from runner.definitions.model import Call, Step
from runner.errors import CallError
from runner.workflow.context import Context
from runner.workflow.dry import show

#: kinds that say that a job does nothing more
_ENDED = frozenset({"job_failed", "job_lost"})


async def use(step: Step, context: Context) -> object:
    wanted = cast(Call, step.do)
    operation, client = wanted.operation, context.client
    arguments = cast(Mapping[str, object], wanted.arguments.evaluate(context.scope()))
    key = context.key()
    if context.running.dry and operation.writes:
        sent = operation.request if operation.job is None else operation.job.submit
        return show(client.shown(sent, {**checked(operation, arguments), "idempotency_key": key}), context)
    # A job that is on its way is not submitted again, but asked for.
    known = context.entry.note.get("job")
    again = operation.idempotent or known is not None

    async def keep(id: object) -> None:
        context.entry.note["job"] = id
        await context.write(durable=operation.writes)

    await context.begin(arguments, writes=operation.writes, again=again)
    call = client.call(operation, arguments, key, KeptJob(known, keep))
    try:
        return await context.touching(call, writes=operation.writes, again=again)
    except CallError as exc:
        if exc.kind in _ENDED:
            # Another try submits another.
            context.entry.note.pop("job", None)
        raise
