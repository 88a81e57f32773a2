"""A rollback: the `undo` of each finished step, the newest first."""

from __future__ import annotations

import msgspec

from runner.definitions.model import Step, StepRetry
from runner.errors import TerapiError
from runner.workflow.context import Context, NotUndone, Running, Undo, Undone
from runner.workflow.failures import StepFailed, told
from runner.workflow.halt import Halt

#: how an `undo` is tried that says nothing of it
_RETRY = StepRetry(attempts=5, initial=1.0, max=60.0)


async def roll_back(running: Running, error: StepFailed) -> Undone:
    """Takes back what the run has done; each `undo` is a step of the journal, done once, tried again where it
    fails, and what cannot be undone keeps nothing else from being undone."""
    await running.journal.settle()
    done = Undone(not_undone=_unknown(running))
    for one in sorted(running.undos, key=lambda undo: undo.number, reverse=True):
        path = one.context.path
        try:
            below = await _undo(one, error)
        except TerapiError as exc:
            failure = told(exc, path)
            running.log("error", f"{path} could not be undone: {failure.message}")
            done.not_undone.append(NotUndone(step=path, result=one.result, error=failure.message))
        else:
            done.undone.extend(below.undone)
            done.not_undone.extend(below.not_undone)
    return done


async def _undo(one: Undo, error: StepFailed) -> Undone:
    path = one.context.path
    if one.step is None:
        below = await one.context.running.children.undo(one.context, error)
        inside = [
            msgspec.structs.replace(failed, step=f"{path}/{failed.step}") for failed in below.not_undone
        ]
        return Undone(undone=[f"{path}/{step}" for step in below.undone], not_undone=inside)
    place = _place(one.context, one.step, result=one.result, error=error.told)
    await one.context.running.perform(place.step, place)
    one.context.running.log("info", f"{path}: undone")
    return Undone(undone=[path])


def _place(context: Context, step: Step, **further: object) -> Context:
    wanted = step if step.retry is not None else msgspec.structs.replace(step, retry=_RETRY)
    # What halted the run does not halt this.
    return context.at(f"{context.path}:undo", wanted, halt=Halt(), results=dict(context.results), **further)


def _unknown(running: Running) -> list[NotUndone]:
    """What was under way when an earlier process ended, and has not been done again."""
    if running.steps is None or not running.resumed:
        return []
    why = "it was under way when its process ended; whether it was done is not known"
    return [
        NotUndone(step=row.path, result=None, error=why)
        for row in running.steps.all()
        if row.status == "running" and row.writes and not row.path.endswith(":undo")
    ]
