"""How long an API asks to wait."""

from __future__ import annotations

import email.utils
import re
import time

_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)
#: a larger number is no wait but a moment, in seconds since 1970: some APIs name one
_MOMENTS_FROM = 1_000_000_000.0


def seconds_of(value: str, date: str | None = None) -> float | None:
    """Seconds to wait, from a number of them, a date (RFC 9110 §10.2.3), or a moment in seconds since 1970.

    Args:
        date: the answer's own `Date`, by whose clock the moment is meant; this machine's where it is missing.

    Returns:
        At least 0; None where the value is none of them.
    """
    text = value.strip()
    if _NUMBER.fullmatch(text):
        found = float(text)
        return found if found < _MOMENTS_FROM else max(0.0, found - _now(date))
    moment = http_date(text)
    return None if moment is None else max(0.0, moment - _now(date))


def http_date(value: str) -> float | None:
    """Seconds since 1970 of an HTTP date (RFC 9110 §5.6.7); None where it is none."""
    try:
        return email.utils.parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def _now(date: str | None) -> float:
    told = http_date(date) if date is not None else None
    return time.time() if told is None else told
