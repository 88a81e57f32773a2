"""The walk through steps: one after the other, or side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence, Sized
from itertools import count
from typing import TypeVar

from runner.definitions.model import Step
from runner.definitions.values import is_absent
from runner.workflow.context import Context
from runner.workflow.failures import Parked, Returned, StepFailed, Stopped
from runner.workflow.halt import Halt

T = TypeVar("T")


class _End:
    """Stands behind the last thing."""


_END = _End()
Trouble = StepFailed | Returned | Parked | Stopped


async def in_order(steps: Sequence[Step], context: Context) -> dict[str, object]:
    """Does steps one after the other; gives their results by id."""
    for step in steps:
        note_result(step, context, await context.running.perform(step, context.below(step)))
    return results_of(steps, context)


def note_result(step: Step, context: Context, result: object) -> None:
    """Lets the steps behind know a result."""
    if step.id is not None and not is_absent(result):
        context.results[step.id] = result


def results_of(steps: Sequence[Step], context: Context) -> dict[str, object]:
    return {step.id: context.results[step.id] for step in steps if step.id in context.results}


async def together(
    things: Iterable[T], one: Callable[[int, T, Halt], Awaitable[None]], *, limit: int, context: Context
) -> None:
    """Does each of several things of a step, ``limit`` at once, begun in order; asks for each when it is due.

    Where one fails no further one is begun, and those under way end first. What is raised is the failure of
    the first in order that failed, else what else kept one from its end.
    """
    halt = Halt(context.halt)
    troubles: dict[int, Trouble] = {}
    numbers, waiting = count(), iter(things)

    async def worker() -> None:
        while True:
            number = next(numbers)
            try:
                thing = next(waiting, _END)
                if isinstance(thing, _End):
                    return
                await one(number, thing, halt)
            except (StepFailed, Returned) as exc:
                troubles[number] = exc
                halt.call()
            except (Parked, Stopped) as exc:
                troubles[number] = exc
            # What an earlier process has done behind it is walked through nevertheless, to know what to undo.
            running = context.running
            if troubles and (limit == 1 or running.rest or (halt and not running.resumed)):
                return

    try:
        if limit == 1:
            await worker()
        else:
            most = min(limit, len(things)) if isinstance(things, Sized) else limit
            await asyncio.gather(*(worker() for _ in range(most)))
    finally:
        halt.leave()
    if troubles:
        raise _first([troubles[number] for number in sorted(troubles)])


def _first(troubles: Sequence[Trouble]) -> Trouble:
    for kind in (StepFailed, Returned):
        for trouble in troubles:
            if isinstance(trouble, kind):
                return trouble
    parked = [trouble for trouble in troubles if isinstance(trouble, Parked)]
    if not parked:
        return troubles[0]
    soonest = parked[0]
    for trouble in parked[1:]:
        soonest = soonest.sooner(trouble.until)
    return soonest
