"""The org's time, and how it is written.

A datetime is kept and sent as `2026-07-24T14:05:58.000+0000`: UTC, whole seconds, as the real org has it.
Texts of one width sort as the times do.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime


class Clock:
    """A clock that runs with the machine's, can be put forward, and never goes back."""

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset
        self._latest = 0.0

    def time(self) -> float:
        """Seconds since 1970, with fractions."""
        self._latest = max(self._latest, time.time() + self.offset)
        return self._latest

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time(), UTC)

    def stamp(self) -> str:
        """Now, as a record's datetime."""
        return write(self.now())

    def today(self) -> date:
        return self.now().date()

    def advance(self, seconds: float) -> None:
        self.offset += seconds

    def http_date(self, skew: float = 0.0) -> str:
        """Now, as HTTP's `Date` has it (RFC 9110 §5.6.7), by a clock that is so many seconds ahead."""
        moment = self.now().replace(microsecond=0) + timedelta(seconds=skew)
        return format_datetime(moment, usegmt=True)


def write(moment: datetime) -> str:
    """An aware datetime as a record has it; fractions of a second are cut off."""
    return moment.astimezone(UTC).isoformat()[:19] + ".000+0000"


def read(text: str) -> datetime:
    """Any ISO 8601 datetime, taken for UTC where it names no zone; ValueError for what is none."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as exc:
        raise ValueError(f"{text} is out of the years that there are") from exc
