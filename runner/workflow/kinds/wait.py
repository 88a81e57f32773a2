"""`wait`: a while, until a moment, or for the event of a webhook."""

from __future__ import annotations

from typing import cast

from runner.definitions.conversions import duration, format_instant, instant
from runner.definitions.model import Step, Wait
from runner.definitions.values import ABSENT
from runner.errors import ExpressionError, RunFailed
from runner.workflow.context import Context
from runner.workflow.failures import Parked


async def wait(step: Step, context: Context) -> object:
    wanted = cast(Wait, step.do)
    if context.running.dry:
        return ABSENT
    if wanted.webhook is not None:
        return await _event(wanted, context)
    await context.pause(await _until(wanted, context))
    return ABSENT


async def _until(wanted: Wait, context: Context) -> float:
    """When it ends, in seconds since 1970; reckoned once."""
    note = context.entry.note
    if "until" not in note:
        try:
            if wanted.for_ is not None:
                note["until"] = context.running.clock.now() + duration(wanted.for_.evaluate(context.scope()))
            elif wanted.until is not None:
                note["until"] = instant(wanted.until.evaluate(context.scope())).timestamp()
        except ValueError as exc:
            where = context.step.place if wanted.until is None else wanted.until.place
            raise ExpressionError(str(exc), where=where) from exc
        await _waiting(context, format_instant(instant(note["until"])))
    return cast(float, note["until"])


async def _waiting(context: Context, what: str) -> None:
    context.entry.status, context.entry.note["waits"] = "waiting", what
    await context.write(durable=True)


async def _event(wanted: Wait, context: Context) -> object:
    """The first event of the name that fits and that no other step has taken."""
    entry, steps = context.entry, context.running.steps
    if steps is None or wanted.webhook is None:
        raise RunFailed("only a durable run can wait for a webhook", where=context.step.place)
    if entry.status != "waiting":
        if wanted.timeout is not None:
            entry.note["until"] = context.running.clock.now() + wanted.timeout
        await _waiting(context, f"the event `{wanted.webhook}`")
        context.log("info", f": waits for {entry.note['waits']}")
    place = context.client.connection
    for signal in steps.signals(place.integration, wanted.webhook, context.path):
        fits = wanted.when is None or wanted.when.holds({**context.scope(), **signal.scope})
        if signal.connection == place.id and fits:
            steps.take(signal, context.path)
            return signal.scope["event"]
    context.check_halt()
    until = cast("float | None", entry.note.get("until"))
    if until is None or context.running.clock.now() < until:
        raise Parked(until)
    if wanted.on_timeout == "continue":
        return None
    message = f"no event `{wanted.webhook}` came in time"
    raise RunFailed(message, where=context.step.place, kind="timeout")
