"""`foreach` and `concurrency`: a step done for each item of a list, or for rows read as they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import orjson
import xxhash

from runner.definitions.expressions import Expression
from runner.definitions.model import Rows, Step
from runner.definitions.values import ABSENT, describe, is_absent, is_nothing
from runner.errors import ExpressionError, RunFailed, TerapiError
from runner.workflow.context import Context, Perform
from runner.workflow.halt import Halt
from runner.workflow.rows import Batch, RowSource, source_of
from runner.workflow.walk import together


async def foreach(step: Step, context: Context, do: Perform) -> object:
    """`foreach` and `concurrency`: whatever else the step says is said of one item."""
    if step.foreach is None:
        return await do(step, context)
    if isinstance(step.foreach, Rows):
        return await _each_batch(step, step.foreach, context, do)
    return await _each(step, step.foreach, context, do)


async def _each(step: Step, rule: Expression, context: Context, do: Perform) -> object:
    items = _listed(rule, context)
    context.running.journal.summary(context.path).items = len(items)
    results: list[object] = [ABSENT] * len(items)

    async def one(number: int, item: object, halt: Halt) -> None:
        place = context.at(
            f"{context.path}[{number}]", results=dict(context.results), halt=halt, item=item, index=number
        )
        results[number] = await do(step, place)

    await _begin(context)
    await together(items, one, limit=step.concurrency or 1, context=context)
    if context.entry.status != "done":
        await context.end("done")
    return [result for result in results if not is_absent(result)]


async def _begin(context: Context) -> None:
    if context.entry.status == "new":
        context.entry.status = "running"
        await context.write()


def _listed(rule: Expression, context: Context) -> list[object]:
    """The items; the same ones each time that the run goes on."""
    found = rule.evaluate(context.scope())
    items = [] if is_nothing(found) else found
    if not isinstance(items, list | tuple):
        raise ExpressionError(f"`foreach` gave {describe(items)}, expected a list", where=rule.place)
    note, digest = context.entry.note, _digest(items)
    if note.setdefault("digest", digest) != digest or note.setdefault("items", len(items)) != len(items):
        raise RunFailed(
            "the list of `foreach` is another than before the run was interrupted: "
            f"{note['items']} items then, {len(items)} now",
            where=rule.place,
            hint="run it anew; a list that stays is the result of a step",
        )
    return list(items)


def _digest(items: list[object] | tuple[object, ...]) -> str:
    try:
        return xxhash.xxh3_64_hexdigest(orjson.dumps(items))
    except TypeError:
        return ""


async def _each_batch(step: Step, rules: Rows, context: Context, do: Perform) -> object:
    """Rows, some at a time; no more of them are held than are under way."""
    entry = context.entry
    if entry.status == "done" and step.undo is None and step.kind != "workflow":
        return entry.note["counts"]
    counts = {"rows": 0, "done": 0, "rejected": 0}
    summary = context.running.journal.summary(context.path)

    async def one(number: int, begun: tuple[Context, Batch], halt: Halt) -> None:
        place, batch = begun
        place.halt = halt
        if not batch.rows and place.entry.body is None:
            return
        if place.entry.status == "new":
            # In the order of the batches, so that none between two that are known is unknown.
            place.put()
        await do(step, place)
        refused = len(cast("list[object]", place.entry.note.get("rejected", ())))
        counts["rows"] += len(batch.rows)
        counts["rejected"] += refused
        counts["done"] += len(batch.rows) - refused
        summary.items = number + 1 if summary.items is None else max(summary.items, number + 1)

    source = source_of(rules, context)
    await _begin(context)
    await together(_batches(source, rules.batch, context), one, limit=step.concurrency or 1, context=context)
    if entry.status != "done":
        entry.note["counts"] = counts
        await context.end("done")
    return counts


def _batches(source: RowSource, size: int | None, context: Context) -> Iterator[tuple[Context, Batch]]:
    """The batches, each with its place, in order.

    Args:
        size: rows that are one item together; None where each is one.

    Raises:
        StepFailed: rows cannot be read.
    """
    number, first = 0, 1
    while not (context.running.dry and number):
        place = context.at(f"{context.path}[{number}]", results=dict(context.results), index=number)
        mark = cast("list[str] | None", place.entry.note.get("rows"))
        try:
            batch = source.next(size or 1, mark)
        except TerapiError as exc:
            raise context.failure(exc) from exc
        if batch is None:
            return
        place.entry.note.update(first=first, **({} if batch.mark is None else {"rows": batch.mark}))
        # Stored rows that are not wanted any more when the run goes on may leave their batch empty.
        item = batch.rows if size is not None else batch.rows[0] if batch.rows else None
        place.further = {**place.further, "item": item}
        yield place, batch
        number, first = number + 1, first + len(batch.rows)
