"""`repeat` and `until`: a step done again."""

from __future__ import annotations

from typing import cast

from runner.definitions.model import Step
from runner.definitions.values import ABSENT
from runner.errors import RunFailed
from runner.workflow.context import Context, Perform


async def repeat(step: Step, context: Context, do: Perform) -> object:
    """`repeat` and `until`: the same again; each turn is a step of its own."""
    rules = step.repeat
    if rules is None:
        return await do(step, context)
    result: object = ABSENT
    for turn in range(1, rules.times + 1):
        place = context.at(f"{context.path}({turn})", turn=turn, result=result)
        if turn > 1 and rules.every and place.entry.status == "new":
            await context.pause(cast(float, context.entry.note.get("turned", 0.0)) + rules.every)
        result = await do(step, place)
        if await _enough(step, context, place, result):
            break
    else:
        if rules.until is not None:
            message = f"`{context.label}` was done {rules.times:,} times, and `until` never held"
            raise RunFailed(message, where=rules.until.place, kind="repeated")
    if context.entry.status != "done":
        context.entry.number = place.entry.number
        await context.end("done")
    return result


async def _enough(step: Step, context: Context, place: Context, result: object) -> bool:
    rules, note = step.repeat, context.entry.note
    if rules is None or rules.until is None:
        return False
    turn = cast(int, place.further["turn"])
    if cast(int, note.get("turns", 0)) < turn:
        if rules.until.holds(place.scope(result=result)):
            return True
        note["turns"], note["turned"] = turn, context.running.clock.now()
        await context.write()
    return False
