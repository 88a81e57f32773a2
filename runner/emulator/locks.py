"""Records that somebody else holds: whoever writes to them meets UNABLE_TO_LOCK_ROW."""

from __future__ import annotations

from runner.emulator.clock import Clock
from runner.emulator.errors import ApiError


class Locks:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[str, float] = {}

    def hold(self, record_id: str, seconds: float) -> None:
        """Keeps a record to itself for so many seconds of the org's time."""
        self._held[record_id] = self._clock.time() + seconds

    def release(self) -> None:
        """Lets go of every record."""
        self._held.clear()

    def check(self, record_id: str) -> None:
        """Raises ApiError UNABLE_TO_LOCK_ROW."""
        until = self._held.get(record_id)
        if until is None:
            return
        if until <= self._clock.time():
            del self._held[record_id]
            return
        message = f"unable to obtain exclusive access to this record or 1 records: {record_id}"
        raise ApiError("UNABLE_TO_LOCK_ROW", message, fields=[])
