"""`integration` and `connection`: where a step's calls go."""

from __future__ import annotations

from runner.definitions.conversions import text
from runner.definitions.model import Step
from runner.definitions.values import ABSENT, is_nothing
from runner.workflow.context import Context, Perform


async def connection(step: Step, context: Context, do: Perform) -> object:
    """`integration` and `connection`: where the calls go."""
    if step.integration is None and step.connection is None:
        return await do(step, context)
    access, own = context.running.access, context.client.connection
    integration = step.integration or own.integration
    named = ABSENT if step.connection is None else step.connection.evaluate(context.scope())
    if not is_nothing(named):
        found = access.connection(text(named), (integration,))
    elif access.store.connections.get(integration, own.id) is not None:
        found = access.connection(own.id, (integration,))
    else:
        found = access.connection(None, (integration,))
    context.client = access.client(found)
    return await do(step, context)
