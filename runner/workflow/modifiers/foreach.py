"""`foreach` and `concurrency`: a step done for each item of a list."""

from __future__ import annotations

import orjson
import xxhash

from runner.definitions.model import Step
from runner.definitions.values import ABSENT, describe, is_absent, is_nothing
from runner.errors import ExpressionError, RunFailed
from runner.workflow.context import Context, Perform
from runner.workflow.halt import Halt
from runner.workflow.walk import together


async def foreach(step: Step, context: Context, do: Perform) -> object:
    """`foreach` and `concurrency`: whatever else the step says is said of one item."""
    if step.foreach is None:
        return await do(step, context)
    items = _listed(step, context)
    context.running.journal.summary(context.path).items = len(items)
    results: list[object] = [ABSENT] * len(items)

    async def one(number: int, halt: Halt) -> None:
        place = context.at(
            f"{context.path}[{number}]", results=dict(context.results), halt=halt,
            item=items[number], index=number,
        )  # fmt: skip
        results[number] = await do(step, place)

    if context.entry.status == "new":
        context.entry.status = "running"
        await context.write()
    await together(len(items), one, limit=step.concurrency or 1, context=context)
    if context.entry.status != "done":
        await context.end("done")
    return [result for result in results if not is_absent(result)]


def _listed(step: Step, context: Context) -> list[object]:
    """The items; the same ones each time that the run goes on."""
    if step.foreach is None:
        raise AssertionError("only a step with `foreach` has items")
    found = step.foreach.evaluate(context.scope())
    items = [] if is_nothing(found) else found
    if not isinstance(items, list | tuple):
        raise ExpressionError(f"`foreach` gave {describe(items)}, expected a list", where=step.foreach.place)
    note, digest = context.entry.note, _digest(items)
    if note.setdefault("digest", digest) != digest or note.setdefault("items", len(items)) != len(items):
        raise RunFailed(
            "the list of `foreach` is another than before the run was interrupted: "
            f"{note['items']} items then, {len(items)} now",
            where=step.foreach.place,
            hint="run it anew; a list that stays is the result of a step",
        )
    return list(items)


def _digest(items: list[object] | tuple[object, ...]) -> str:
    try:
        return xxhash.xxh3_64_hexdigest(orjson.dumps(items))
    except TypeError:
        return ""
