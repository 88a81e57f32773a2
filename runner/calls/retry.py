"""When a failed call is tried again, and how long that is waited for. No I/O."""

from __future__ import annotations

import random
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import msgspec

from runner.definitions.model import Retry
from runner.errors import CallError, joined

#: methods that may be sent twice without doing a thing twice; those of them that only read (RFC 9110 §9.2)
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
SAFE = IDEMPOTENT - {"PUT", "DELETE"}
#: kinds of failure after which the API has certainly done nothing: it said so, or nothing reached it
NOT_DONE = frozenset({"rate_limited", "unavailable", "network"})
#: kinds of failure that a new token may mend (RFC 6750 §3.1)
_REFUSED = frozenset({"token_expired", "unauthorized"})
#: how much longer than asked is waited at most: who was refused together shall not return together
_SPREAD = 0.1


class Next(msgspec.Struct, frozen=True):
    """What comes before the next try."""

    #: seconds
    wait: float = 0.0
    #: whether a new token is fetched first
    renew: bool = False


class Tries:
    """The tries of one request.

    Args:
        repeatable: whether it may be done twice without harm.
        attempts: how many tries there may be, where it is not those of the rules.
        statuses: answers after which it is tried again whatever it is, since the caller says so.
    """

    def __init__(
        self,
        rules: Retry,
        *,
        repeatable: bool,
        attempts: int | None = None,
        statuses: Collection[int] = (),
    ) -> None:
        self._rules = rules
        self._repeatable = repeatable
        self._left = (rules.attempts if attempts is None else attempts) - 1
        self._statuses = statuses
        self._made = 1
        self._renewed = False

    def after(self, error: CallError, *, by_token: bool) -> Next | None:
        """What comes before the next try; None where there is none.

        An error that asks for more patience than the rules have is told when to come back.

        Args:
            by_token: whether the call was made with a token, which another may replace.
        """
        if by_token and error.kind in _REFUSED and not self._renewed:
            self._renewed = True
            return Next(renew=True)
        if not self._mends(error):
            return None
        if error.retry_after is not None and error.retry_after > self._rules.max:
            error.hint = _later(error.retry_after, self._rules.max, error.hint)
            return None
        if self._left < 1:
            return None
        self._left -= 1
        self._made += 1
        return Next(wait=self._wait(error.retry_after))

    def _mends(self, error: CallError) -> bool:
        if error.status in self._statuses:
            return True
        return error.transient and (self._repeatable or error.repeatable or error.kind in NOT_DONE)

    def _wait(self, asked: float | None) -> float:
        """Seconds: what the API asks for, else doubling; never the same for all."""
        if asked:
            return asked * random.uniform(1.0, 1.0 + _SPREAD)  # noqa: S311 - no secret
        longest: float = min(self._rules.max, self._rules.initial * 2.0 ** min(self._made - 2, 60))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def _later(seconds: float, longest: float, hint: str | None) -> str:
    try:
        moment = datetime.now(UTC) + timedelta(seconds=seconds)
        when = f"after {moment:%Y-%m-%dT%H:%M:%SZ}"
    except OverflowError:
        when = f"in {seconds:g} s"
    told = f"try again {when}, as the API asks; that is more than the {longest:g} s of `retry.max`"
    return joined(told, hint) if hint else told
