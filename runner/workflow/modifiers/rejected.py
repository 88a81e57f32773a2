"""`rejected`: which rows an API refused while it took others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from runner.definitions.conversions import text
from runner.definitions.model import Rejected, Step
from runner.definitions.values import describe, is_nothing
from runner.errors import ExpressionError
from runner.workflow.context import Context, Perform
from runner.workflow.dry import Shown


async def rejected(step: Step, context: Context, do: Perform) -> object:
    """`rejected`: keeps the rows that were refused with the step, and why."""
    result = await do(step, context)
    if step.rejected is not None and not isinstance(result, Shown):
        refused = _refused(step.rejected, context, result)
        if refused:
            context.entry.note["rejected"] = refused
            context.running.rejected += len(refused)
    return result


def _refused(rules: Rejected, context: Context, result: object) -> list[Mapping[str, object]]:
    scope = context.scope(result=result)
    outcomes = rules.of.evaluate(scope)
    if is_nothing(outcomes):
        return []
    if not isinstance(outcomes, list | tuple):
        message = f"`rejected.of` gave {describe(outcomes)}, expected a list"
        raise ExpressionError(message, where=rules.of.place)
    item = context.further.get("item")
    rows: Sequence[object] = item if isinstance(item, list) else [item]
    first = cast(int, context.entry.note.get("first", 1))
    refused: list[Mapping[str, object]] = []
    for place, outcome in enumerate(outcomes):
        known = {**scope, "outcome": outcome}
        if rules.when is None or rules.when.holds(known):
            number, row = None, None if rules.row is None else rules.row.evaluate(known)
            if rules.row is None:
                number, row = first + place, _at(rows, place, rules)
            why = rules.why.evaluate(known)
            refused.append({"number": number, "row": row, "why": None if is_nothing(why) else text(why)})
    return refused


def _at(rows: Sequence[object], place: int, rules: Rejected) -> object:
    if place >= len(rows):
        message = f"`rejected.of` gave more than the {len(rows)} rows of the item"
        raise ExpressionError(message, where=rules.of.place)
    return rows[place]
