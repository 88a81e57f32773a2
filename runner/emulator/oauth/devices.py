"""Devices without a browser (RFC 8628): they show a code, somebody enters it, they ask until then."""

from __future__ import annotations

import hashlib
import secrets

import msgspec

from runner.emulator.clock import Clock
from runner.emulator.database import Database, Row

#: seconds that a code works, and that a device waits between two questions
LIFETIME, INTERVAL = 600, 5
#: letters that nobody takes for others
LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"


class Device(msgspec.Struct, frozen=True, kw_only=True):
    client_id: str
    scope: str
    user_code: str
    #: who allowed it; "" while nobody has
    user_id: str
    denied: bool
    #: whether it asked again too soon
    hasty: bool = False


class Devices:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def begin(self, client_id: str, scope: str) -> tuple[str, str]:
        """The device code, which stays secret, and the user code, which is shown."""
        device_code = secrets.token_urlsafe(48)
        user_code = "".join(secrets.choice(LETTERS) for _ in range(8))
        now = self._clock.time()
        self._database.run("DELETE FROM _devices WHERE expires_at <= ?", (now,))
        self._database.run(
            "INSERT INTO _devices (digest, user_code, client_id, scope, expires_at, asked_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (_digest(device_code), user_code, client_id, scope, now + LIFETIME, now - INTERVAL),
        )
        return device_code, user_code

    def asks(self, device_code: str) -> Device | None:
        """The device asks how far it is; None for a code that is none, or none any more."""
        found = self._find("digest", _digest(device_code))
        if found is None:
            return None
        device, asked_at = found
        now = self._clock.time()
        self._database.run("UPDATE _devices SET asked_at = ? WHERE digest = ?", (now, _digest(device_code)))
        return msgspec.structs.replace(device, hasty=now - asked_at < INTERVAL)

    def has(self, device_code: str) -> bool:
        return self._find("digest", _digest(device_code)) is not None

    def spend(self, device_code: str) -> None:
        self._database.run("DELETE FROM _devices WHERE digest = ?", (_digest(device_code),))

    def shown(self, user_code: str) -> Device | None:
        """The device that shows this code and still waits; neither case nor hyphens matter."""
        found = self._find("user_code", user_code.upper().replace("-", "").replace(" ", ""))
        if found is None or found[0].user_id or found[0].denied:
            return None
        return found[0]

    def decide(self, user_code: str, user_id: str, *, allow: bool) -> None:
        self._database.run(
            "UPDATE _devices SET user_id = ?, denied = ? WHERE user_code = ?",
            (user_id if allow else None, int(not allow), user_code),
        )

    def take(self, user_code: str, other: Devices) -> None:
        """Goes on with a device that another org showed its code to."""
        row = other._database.row("SELECT * FROM _devices WHERE user_code = ?", (user_code,))
        if row is not None:
            other._database.run("DELETE FROM _devices WHERE user_code = ?", (user_code,))
            self._database.run("INSERT INTO _devices VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def _find(self, column: str, value: str) -> tuple[Device, float] | None:
        row: Row | None = self._database.row(
            "SELECT client_id, scope, user_code, user_id, denied, asked_at FROM _devices"  # noqa: S608
            f" WHERE {column} = ? AND expires_at > ?",
            (value, self._clock.time()),
        )
        if row is None:
            return None
        device = Device(
            client_id=str(row[0]),
            scope=str(row[1]),
            user_code=str(row[2]),
            user_id=str(row[3] or ""),
            denied=bool(row[4]),
        )
        return device, float(row[5] or 0)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
