"""When something is due: `every 5 minutes`, or a cron expression (`*/5 * * * *`), read as UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import msgspec

_EVERY = re.compile(r"every (?:(\d+) )?(second|minute|hour|day|week)s?")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """The times at which something is due; exactly one of `every` and `cron` is there."""

    #: as it was written
    text: str
    #: seconds from one time to the next
    every: float | None = None
    #: five fields: minute, hour, day, month, weekday
    cron: str | None = None

    def after(self, moment: float) -> float:
        """The next time after ``moment``; both in seconds since 1970.

        Times of `every` are counted from 1970, so that they stay where they are whenever somebody looks.
        """
        if self.every is not None:
            return (moment // self.every + 1) * self.every
        from cronsim import CronSim

        begin = datetime.fromtimestamp(moment, UTC)
        found: datetime = next(CronSim(str(self.cron), begin))
        return found.timestamp()

    def last(self, moment: float) -> float:
        """The last time up to ``moment``; both in seconds since 1970."""
        if self.every is not None:
            return moment // self.every * self.every
        from cronsim import CronSim

        behind = datetime.fromtimestamp(int(moment) + 1, UTC)
        found: datetime = next(CronSim(str(self.cron), behind, reverse=True))
        return found.timestamp()


def read_schedule(text: str) -> Schedule:
    """A schedule from its text.

    Raises:
        ValueError: it is none, or one that is never due.
    """
    every = _EVERY.fullmatch(text)
    if every is not None:
        seconds = int(every[1] or 1) * _SECONDS[every[2]]
        if not seconds:
            raise ValueError("`every 0` is never due")
        return Schedule(text=text, every=float(seconds))
    if text.startswith("every"):
        raise ValueError(
            f"`{text}` is no time: behind `every` stand a number and seconds, minutes, hours, days or weeks"
        )
    from cronsim import CronSim, CronSimError

    try:
        next(CronSim(text, datetime.now(UTC) - timedelta(days=1)))
    except (CronSimError, StopIteration) as exc:
        said = "it is never due" if isinstance(exc, StopIteration) else str(exc)
        raise ValueError(f"the schedule cannot be read: {said[:1].lower()}{said[1:]}") from exc
    return Schedule(text=text, cron=text)
