"""A step done as it says: what its kind does, with what its modifiers say around it."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import reduce

from runner.definitions.model import Step
from runner.workflow.context import Context, Perform
from runner.workflow.kinds import KINDS
from runner.workflow.modifiers import MODIFIERS, Modifier


def _do(step: Step, context: Context) -> Awaitable[object]:
    return KINDS[step.kind](step, context)


def _around(inside: Perform, modifier: Modifier) -> Perform:
    # Not a coroutine itself: of those each step under way would hold one more for each modifier.
    return lambda step, context: modifier(step, context, inside)


_innermost: Perform = _do
perform: Perform = reduce(_around, reversed(MODIFIERS), _innermost)
