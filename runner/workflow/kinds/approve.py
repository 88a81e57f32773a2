"""`approve`: a person's yes or no."""

from __future__ import annotations

from typing import cast

from runner.definitions.conversions import text
from runner.definitions.model import Approve, Step
from runner.errors import RunFailed
from runner.workflow.context import Context
from runner.workflow.failures import Parked


async def approve(step: Step, context: Context) -> object:
    wanted, entry, running = cast(Approve, step.do), context.entry, context.running
    if running.dry:
        return {"approved": True, "at": None}
    if running.steps is None:
        raise RunFailed("only a durable run can wait for an approval", where=step.place)
    if entry.status != "waiting":
        if wanted.timeout is not None:
            entry.note["until"] = running.clock.now() + wanted.timeout
        entry.note["question"] = text(wanted.message.evaluate(context.scope()))
        entry.note["waits"] = f"an approval: {entry.note['question']}"
        entry.status = "waiting"
        await context.write(durable=True)
        context.log("info", f": waits for {entry.note['waits']}")
    row = running.steps.find(context.path)
    answer = row.answer if row is not None else None
    if answer is not None:
        if not answer["approved"]:
            why = f": {answer['comment']}" if answer.get("comment") else ""
            raise RunFailed(
                f"`{entry.note['question']}` was rejected{why}", where=step.place, kind="rejected"
            )
        return dict(answer)
    context.check_halt()
    until = cast("float | None", entry.note.get("until"))
    if until is None or running.clock.now() < until:
        raise Parked(until)
    if wanted.on_timeout == "continue":
        return {"approved": False, "at": None}
    raise RunFailed(f"nobody answered `{entry.note['question']}` in time", where=step.place, kind="timeout")
