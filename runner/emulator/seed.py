"""Sample data: the same from the same seed, of any size, at some hundred thousand records a second.

Records are made by the column, a batch at a time: a list of values for each field, then rows by `zip`.
Their dates are spread over the two years before the org's now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import repeat
from random import Random

from runner.emulator import ids, words
from runner.emulator.clock import Clock
from runner.emulator.database import Database, Value
from runner.emulator.objects.added import LEVELS, added
from runner.emulator.schema import Field, Kind, ObjectType

BATCH = 20_000
#: how far back the sample data reach, in seconds
SPAN = 2 * 365 * 86_400
#: nothing is as young as this, so that what is changed now is younger than all that was there
QUIET = 3_600
#: people and companies that other records point to are taken from the first so many
POINTED_AT = 50_000

Columns = dict[str, Iterable[Value]]
#: how many records of each object there are to be, and what makes their columns, a batch at a time; those
#: that others point to come first
Plan = dict[str, tuple[int, "Callable[[Batch, Seeder], Columns]"]]
Progress = Callable[[int], None]


class Batch:
    """Consecutive records of one object in the making."""

    def __init__(self, random: Random, first: int, size: int) -> None:
        self.random = random
        self.numbers = range(first, first + size)

    def pick(self, values: Sequence[Value], *, empty: float = 0.0) -> list[Value]:
        """One of the values for each record; nothing for this share of them."""
        nothing = round(len(values) * empty / (1 - empty)) or int(empty > 0)
        return self.random.choices([*values, *[None] * nothing], k=len(self.numbers))

    def chance(self, share: float) -> list[Value]:
        random = self.random.random
        return [int(random() < share) for _ in self.numbers]

    def numbered(self, pattern: str) -> list[Value]:
        return [pattern % number for number in self.numbers]


def address(batch: Batch, prefix: str) -> Columns:
    """Places for each, in the parts of an address whose names begin so."""
    places = batch.random.choices(words.PLACES, k=len(batch.numbers))
    return {
        f"{prefix}Street": batch.pick(words.STREETS, empty=0.1),
        f"{prefix}City": [place[0] for place in places],
        f"{prefix}State": [place[1] for place in places],
        f"{prefix}PostalCode": [
            f"{place[3]}{number % 1000:03}" for place, number in zip(places, batch.numbers, strict=True)
        ],
        f"{prefix}Country": [place[2] for place in places],
    }


class Seeder:
    """Fills an org that has no records yet but its users."""

    def __init__(self, database: Database, clock: Clock, seed: int, progress: Progress | None = None) -> None:
        self.database = database
        self.seed = seed
        self.dates = Dates(int(clock.time()))
        self._progress = progress or (lambda _count: None)
        self._known: dict[str, list[Value]] = {}
        self._sizes: dict[str, int] = {"User": database.count(database.schema.objects["User"])}

    def fill(self, plan: Plan) -> None:
        """Makes the records that are planned, in their order."""
        for name, (size, columns) in plan.items():
            self._sizes[name] = size
            self._fill(self.database.schema.objects[name], size, columns)

    def known(self, name: str) -> list[Value]:
        """Ids of records that others may point to."""
        if name not in self._known:
            size = min(self._sizes.get(name, 0), POINTED_AT)
            self._known[name] = list(ids.series(self.database.schema.objects[name].prefix, 1, size))
        return self._known[name]

    def _fill(self, item: ObjectType, size: int, columns: Callable[[Batch, Seeder], Columns]) -> None:
        random = Random(f"{self.seed}/{item.name}")  # noqa: S311 - sample data, not secrets
        with self.database.atomic():
            for first in range(1, size + 1, BATCH):
                batch = Batch(random, first, min(BATCH, size + 1 - first))
                made = columns(batch, self) | self._added(item, batch) | self._system(item, batch, size)
                self.database.insert(
                    item,
                    zip(
                        batch.numbers,
                        *(made.get(name, _default(item, name)) for name in item.columns),
                        strict=False,
                    ),
                )
                self._progress(len(batch.numbers))

    def _added(self, item: ObjectType, batch: Batch) -> Columns:
        """What was added to an object beside its own: every third is empty, each in its turn."""
        return {
            field.name: [
                None if (number + place) % 3 == 0 and field.nillable else self._value(field, number + place)
                for number in batch.numbers
            ]
            for place, field in enumerate(added(item))
        }

    def _value(self, field: Field, number: int) -> Value:
        """Some value of the field's kind."""
        match field.kind:
            case Kind.BOOLEAN:
                return number % 2
            case Kind.DATE:
                return (self.dates.first_day + timedelta(days=number % 700)).isoformat()
            case Kind.DATETIME:
                return self.dates.write(number * 86_413 % SPAN)
            case Kind.PICKLIST:
                return LEVELS[number % len(LEVELS)]
            case Kind.EMAIL:
                return f"desk{number}@example.com"
            case Kind.URL:
                return f"https://example.com/{number}"
            case _ if field.real:
                return number % 100 if field.scale == 0 else number % 10_000 / 100
        return f"{field.label}, {number}"

    def _system(self, item: ObjectType, batch: Batch, size: int) -> Columns:
        users = self.known("User")
        created, modified = self.dates.pairs(batch, size)
        return {
            "Id": ids.series(item.prefix, batch.numbers[0], len(batch.numbers)),
            "External_Id__c": batch.numbered(f"{item.name[:2].upper()}-%07d"),
            "OwnerId": batch.pick(users),
            "IsDeleted": repeat(0),
            "CreatedDate": created,
            "CreatedById": batch.pick(users),
            "LastModifiedDate": modified,
            "LastModifiedById": batch.pick(users),
            "SystemModstamp": modified,
        }


class Dates:
    """Turns seconds into a record's datetimes by tables; the library's way takes ten times as long."""

    def __init__(self, now: int) -> None:
        self.start = now - QUIET - SPAN
        self.first_day = datetime.fromtimestamp(self.start, UTC).date()
        self._midnight = self.start - self.start % 86_400
        days = range(SPAN // 86_400 + 2)
        self._days = [(self.first_day + timedelta(days=day)).isoformat() for day in days]
        self._minutes = [f"T{minute // 60:02}:{minute % 60:02}:" for minute in range(1440)]
        self._seconds = [f"{second:02}.000+0000" for second in range(60)]

    def write(self, offset: int) -> str:
        """A datetime by the seconds since ``start``."""
        day, second = divmod(self.start - self._midnight + offset, 86_400)
        return self._days[day] + self._minutes[second // 60] + self._seconds[second % 60]

    def pairs(self, batch: Batch, size: int) -> tuple[list[Value], list[Value]]:
        """When each was created, in the order of the numbers, and when it was changed last: half of them
        later.
        """
        random = batch.random.random
        created = [number * SPAN // (size + 1) for number in batch.numbers]
        modified = [
            second if random() < 0.5 else second + int((SPAN - second) * random()) for second in created
        ]
        return [self.write(second) for second in created], [self.write(second) for second in modified]

    def day(self, batch: Batch, first: int, last: int) -> list[Value]:
        """A date for each, so many days after the earliest."""
        days = [(self.first_day + timedelta(days=day)).isoformat() for day in range(first, last)]
        return batch.pick(days)


def _default(item: ObjectType, name: str) -> Iterable[Value]:
    field = item.by_name[name.lower()]
    return repeat(0 if field.kind is Kind.BOOLEAN else field.default)
