"""The journal: what is done is kept, and what is kept is not done again."""

from __future__ import annotations

from typing import Final, cast

from runner.definitions.model import Step
from runner.definitions.values import ABSENT, is_absent
from runner.errors import TerapiError
from runner.workflow.context import Context, Perform
from runner.workflow.failures import Returned, StepFailed
from runner.workflow.journal import packed
from runner.workflow.modifiers.told import look_through

#: what does nothing itself, but holds steps that do: walked through again on each go, and kept only as ended
HOLDING: Final = frozenset({"steps", "parallel", "switch"})


async def keep(step: Step, context: Context, do: Perform) -> object:
    """The journal: what was done is not done again, and what is done is kept before anything follows."""
    entry = context.entry
    if entry.body is not None:
        return await _kept(step, context, do)
    if step.kind not in HOLDING:
        context.running.look()
        context.check_halt()
    try:
        result = await do(step, context)
        if step.kind not in HOLDING:
            entry.output = None if is_absent(result) else packed(result, context.label)
    except Returned as returned:
        entry.note["body"] = "done"
        entry.output = packed(returned.output, context.label)
        await _ended(context, "done")
        raise
    except TerapiError as exc:
        failure = context.failure(exc)
        entry.error, entry.note["body"] = failure.as_data(), "failed"
        if step.kind not in HOLDING:
            entry.note["error"] = {**failure.told, "transient": failure.transient}
        await _ended(context, "failed")
        raise failure from exc
    entry.note["body"] = "done"
    await _ended(context, "done")
    return result


async def _ended(context: Context, status: str) -> None:
    context.entry.number = context.running.journal.next_number()
    await context.end(status, durable=context.entry.writes)


async def _kept(step: Step, context: Context, do: Perform) -> object:
    """What the journal has of a step that has ended."""
    entry = context.entry
    if step.kind in HOLDING:
        if entry.body == "done":
            return await do(step, context)
        raise await look_through(step, context, do) or StepFailed(entry.error or {})
    if entry.body == "failed":
        error = dict(cast("dict[str, object]", entry.note["error"]))
        transient = bool(error.pop("transient", False))
        raise StepFailed(error, transient=transient)
    if step.kind == "return":
        raise Returned(entry.value())
    return ABSENT if entry.output is None else entry.value()
