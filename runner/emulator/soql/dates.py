"""What the date literals of SOQL mean: spans of whole days.

Companies' years begin in January here, so that fiscal spans are those of the calendar.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from runner.emulator.soql.tree import DateLiteral

DAY = timedelta(days=1)

#: how far each named span lies from the one of today, and what it is one of
_NAMED = {
    "YESTERDAY": ("DAYS", -1),
    "TODAY": ("DAYS", 0),
    "TOMORROW": ("DAYS", 1),
    **{
        f"{word}_{unit}": (f"{unit}S", distance)
        for unit in ("WEEK", "MONTH", "QUARTER", "YEAR", "FISCAL_QUARTER", "FISCAL_YEAR")
        for word, distance in (("LAST", -1), ("THIS", 0), ("NEXT", 1))
    },
}
_COUNTED = re.compile(
    r"(?:(LAST|NEXT)_N_|(N)_)(DAYS|WEEKS|MONTHS|QUARTERS|YEARS|FISCAL_QUARTERS|FISCAL_YEARS)(_AGO)?"
)
_MONTHS = {"MONTHS": 1, "QUARTERS": 3, "YEARS": 12}


def span(literal: DateLiteral, today: date) -> tuple[date, date] | None:
    """The first day and the day after the last; None where there is no such literal.

    Raises OverflowError or ValueError where it leaves the calendar.
    """
    name = literal.name.upper()
    if literal.count is None:
        return _named(name, today)
    found = _COUNTED.fullmatch(name)
    if not found or bool(found[2]) != bool(found[4]):
        return None
    return _counted(found[1] or "AGO", found[3], literal.count, today)


def _named(name: str, today: date) -> tuple[date, date] | None:
    if name == "LAST_90_DAYS":
        return today - 90 * DAY, today + DAY
    if name == "NEXT_90_DAYS":
        return today + DAY, today + 91 * DAY
    if name not in _NAMED:
        return None
    unit, distance = _NAMED[name]
    return _start(unit, today, distance), _start(unit, today, distance + 1)


def _counted(word: str, unit: str, count: int, today: date) -> tuple[date, date]:
    """LAST_N and NEXT_N span n units beside this one, N_…_AGO is one unit; LAST_N_DAYS takes today in."""
    if word == "AGO":
        return _start(unit, today, -count), _start(unit, today, 1 - count)
    if word == "LAST":
        return _start(unit, today, -count), _start(unit, today, 1 if unit == "DAYS" else 0)
    return _start(unit, today, 1), _start(unit, today, count + 1)


def _start(unit: str, today: date, distance: int) -> date:
    """The first day of the unit that is so many units from today's; weeks begin on Sunday."""
    if unit == "DAYS":
        return today + distance * DAY
    if unit == "WEEKS":
        return today - (today.isoweekday() % 7) * DAY + 7 * distance * DAY
    months = _MONTHS[unit.removeprefix("FISCAL_")]
    index = (today.year * 12 + today.month - 1) // months * months + distance * months
    return date(index // 12, index % 12 + 1, 1)
