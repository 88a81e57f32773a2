"""`request`: plain HTTP."""

from __future__ import annotations

from typing import cast

from runner.calls.retry import IDEMPOTENT
from runner.definitions.model import Request, Step
from runner.workflow.context import Context
from runner.workflow.dry import show, writes


async def request(step: Step, context: Context) -> object:
    asked = cast(Request, step.do)
    scope = context.scope(idempotency_key=context.key())
    outgoing = context.client.shown(asked, scope)
    if context.running.dry and writes(step):
        return show(outgoing, context)
    shown = (
        f"{outgoing.method} {outgoing.url} {(outgoing.content or b'').decode('utf-8', 'replace')}".rstrip()
    )
    does = {"writes": writes(step), "again": asked.keyed or outgoing.method in IDEMPOTENT}
    await context.begin(shown, **does)
    answer = await context.touching(context.client.request(asked, scope), **does)
    context.seen.update(answer.scope())
    return answer.body
