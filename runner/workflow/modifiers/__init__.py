"""How a step is done: one wrapper for each key that says so, folded in the order of `MODIFIERS`.

Each takes the step, its context, and what is inside of it. On a run that goes on they do the same again: they
decide by what the journal has, and what is inside gives at once what it gave before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from runner.definitions.model import Step
from runner.workflow.context import Context, Perform
from runner.workflow.modifiers.catch import catch
from runner.workflow.modifiers.connection import connection
from runner.workflow.modifiers.finally_ import finally_
from runner.workflow.modifiers.foreach import foreach
from runner.workflow.modifiers.keep import keep
from runner.workflow.modifiers.output import mock, output
from runner.workflow.modifiers.rejected import rejected
from runner.workflow.modifiers.repeat import repeat
from runner.workflow.modifiers.retry import retry
from runner.workflow.modifiers.timeout import timeout
from runner.workflow.modifiers.told import note, tell
from runner.workflow.modifiers.undo import undo
from runner.workflow.modifiers.when import when

Modifier = Callable[[Step, Context, Perform], Awaitable[object]]

#: from the outside in; what stands behind `foreach` is said of one item
MODIFIERS: Final[tuple[Modifier, ...]] = (
    tell, note, connection, foreach,
    tell, when, finally_, catch, undo, timeout, repeat, keep, retry, rejected, mock, output,
)  # fmt: skip
