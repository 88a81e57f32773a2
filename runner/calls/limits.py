"""What an API bears: how many calls of a connection at once, and how many of its budget.

A connection's calls share one gate in a process, whoever makes them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from weakref import WeakValueDictionary

import msgspec

from runner.calls.retry_after import seconds_of
from runner.calls.transport import Streamed
from runner.definitions.conversions import number
from runner.definitions.expressions import Expression, Scope
from runner.definitions.model import Limits, Provider
from runner.definitions.values import is_nothing
from runner.errors import CallError, ExpressionError
from runner.store import Connection

#: calls at once where a provider does not say
_CONCURRENCY = 100
#: seconds for which the figures of an answer are believed; then a call may ask anew
_BELIEVED = 60.0


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """How much of an API's budget is used, as an answer told it."""

    used: float
    of: float
    #: seconds on this machine's monotonic clock
    told_at: float
    #: when it begins anew, on the same clock; None where the API does not say
    resets_at: float | None = None


class Gate:
    """Lets calls through: so many at once as `concurrency` says, and none of those that `reserve` keeps.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.at_once = asyncio.Semaphore(limits.concurrency or _CONCURRENCY)
        self._limits = limits
        self._clock = clock
        self._budget: Budget | None = None

    def note(self, answer: Streamed) -> None:
        """Takes the figures that an answer tells; one that tells none changes nothing."""
        if self._limits.reserve is None:
            return
        scope: Scope = {"response": {"status": answer.status, "headers": answer.headers}}
        used, of = _figure(self._limits.used, scope), _figure(self._limits.of, scope)
        if used is None or of is None:
            return
        now = self._clock()
        wait = _wait(self._limits.resets, scope, answer)
        self._budget = Budget(used=used, of=of, told_at=now, resets_at=None if wait is None else now + wait)

    def refusal(self, provider: Provider) -> CallError | None:
        """Why no call may be made now: what is left of the budget is kept back."""
        budget, share = self._budget, self._limits.reserve
        if budget is None or share is None or budget.used < budget.of * (1.0 - share):
            return None
        now = self._clock()
        ends = budget.told_at + _BELIEVED if budget.resets_at is None else budget.resets_at
        if now >= ends:
            return None
        error = CallError(
            f"{budget.used:,.0f} of {budget.of:,.0f} calls of {provider.display_name} are used, and the last "
            f"{share:.0%} are kept for others",
            kind="rate_limited",
            transient=budget.resets_at is not None,
            hint="wait until the API gives more, or keep less back with `limits.reserve` of the provider",
        )
        error.retry_after = None if budget.resets_at is None else ends - now
        return error


class Gates:
    """One gate a connection."""

    def __init__(self) -> None:
        self._gates: WeakValueDictionary[tuple[str, str], Gate] = WeakValueDictionary()

    def of(self, provider: Provider, connection: Connection) -> Gate:
        key = (connection.integration, connection.id)
        found = self._gates.get(key)
        if found is None:
            found = self._gates[key] = Gate(provider.limits)
        return found


def _figure(expression: Expression | None, scope: Scope) -> float | None:
    """What an answer tells; None where it tells nothing that counts."""
    try:
        found = None if expression is None else expression.evaluate(scope)
        return None if is_nothing(found) or found == "" else float(number(found))
    except (ExpressionError, ValueError):
        return None


def _wait(expression: Expression | None, scope: Scope, answer: Streamed) -> float | None:
    try:
        found = None if expression is None else expression.evaluate(scope)
    except ExpressionError:
        return None
    return None if is_nothing(found) else seconds_of(str(found), answer.headers.get("date"))
