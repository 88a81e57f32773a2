"""What SOQL and SOSL can do and SQLite cannot, as functions that its connection is given."""

from __future__ import annotations

import math
import sqlite3
from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

from runner.emulator import clock
from runner.emulator.sosl.terms import found

#: the mean radius of the earth in kilometres
EARTH = 6_371.0088
#: miles in a kilometre
MILES = 0.621371192

Number = int | float


def register(connection: sqlite3.Connection) -> None:
    connection.create_function("soql_distance", 4, distance, deterministic=True)
    connection.create_function("soql_in_zone", 2, in_zone, deterministic=True)
    connection.create_function("soql_format", 2, formatted, deterministic=True)
    connection.create_function("sosl_found", 2, found, deterministic=True)


def distance(
    latitude: Number | None, longitude: Number | None, to_latitude: Number, to_longitude: Number
) -> float | None:
    """Kilometres between two places, by the haversine formula; None where one of them is not known."""
    if latitude is None or longitude is None:
        return None
    one, other = math.radians(latitude), math.radians(to_latitude)
    across = math.radians(to_longitude - longitude)
    chord = math.sin((other - one) / 2) ** 2 + math.cos(one) * math.cos(other) * math.sin(across / 2) ** 2
    return 2 * EARTH * math.asin(min(1.0, math.sqrt(max(0.0, chord))))


def in_zone(moment: str | None, zone: str) -> str | None:
    """A record's datetime as the clocks of a time zone show it; only good for taking it apart."""
    if moment is None:
        return None
    return clock.read(moment).astimezone(_zone(zone)).isoformat()[:19] + ".000+0000"


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def formatted(kind: str, value: str | Number | None) -> str | None:
    """A number or a date as people in the United States write it."""
    if value is None:
        return None
    match kind:
        case "currency":
            return f"{'-' if float(value) < 0 else ''}${abs(float(value)):,.2f}"
        case "int" | "double":
            return f"{float(value):,.3f}".rstrip("0").rstrip(".")
        case "percent":
            return f"{float(value):,.2f}".rstrip("0").rstrip(".") + "%"
        case "date":
            return _day(date.fromisoformat(str(value)))
        case "datetime":
            moment = clock.read(str(value))
            return f"{_day(moment.date())}, {moment.hour % 12 or 12}:{moment:%M %p}"
        case _:
            return str(value)


def _day(day: date) -> str:
    return f"{day.month}/{day.day}/{day.year}"
