"""A step done as it says: what its kind does, with what its modifiers say around it."""

from __future__ import annotations

from functools import partial, reduce

from runner.definitions.model import Step
from runner.workflow.context import Context, Perform
from runner.workflow.kinds import KINDS
from runner.workflow.modifiers import MODIFIERS, Modifier


async def _do(step: Step, context: Context) -> object:
    return await KINDS[step.kind](step, context)


async def _modified(modifier: Modifier, inside: Perform, step: Step, context: Context) -> object:
    return await modifier(step, context, inside)


def _around(inside: Perform, modifier: Modifier) -> Perform:
    return partial(_modified, modifier, inside)


_innermost: Perform = _do
perform: Perform = reduce(_around, reversed(MODIFIERS), _innermost)
