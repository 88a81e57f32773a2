"""`timeout`: how long a step may take in all."""

from __future__ import annotations

import asyncio

from runner.definitions.model import Step
from runner.errors import RunFailed
from runner.workflow.context import Context, Perform
from runner.workflow.failures import Parked, Stopped
from runner.workflow.halt import Halt


async def timeout(step: Step, context: Context, do: Perform) -> object:
    """`timeout`: how long it may take in all."""
    if step.timeout is None:
        return await do(step, context)
    until = context.entry.started_at + step.timeout
    left = until - context.running.clock.now()
    if left <= 0:
        context.halt = Halt(context.halt)
        context.halt.call()
    try:
        async with asyncio.timeout(max(left, 0.0) if left > 0 else None) as limit:
            return await do(step, context)
    except Parked as parked:
        raise parked.sooner(until) from None
    except Stopped:
        if left > 0:
            raise
    except TimeoutError:
        if not limit.expired():
            raise
    raise RunFailed(f"`{context.label}` took longer than its `timeout`", where=step.place, kind="timeout")
