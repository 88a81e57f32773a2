"""Access and refresh tokens: given out, found, revoked. Only their SHA-256 is kept."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Iterator

import msgspec

from runner.emulator.clock import Clock
from runner.emulator.database import Database

_COLUMNS = "kind, grant_id, client_id, user_id, scope, issued_at, expires_at"


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What a user allowed an app."""

    client_id: str
    user_id: str
    #: scopes, parted by spaces
    scope: str
    #: tokens of one grant are revoked together
    id: str = ""

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(self.scope.split())


class Token(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    grant: Grant
    #: seconds since 1970
    issued_at: float
    #: None: until it is revoked
    expires_at: float | None


class Tokens:
    def __init__(self, database: Database, clock: Clock, org_id: str) -> None:
        self._database = database
        self._clock = clock
        self._org_id = org_id
        #: seconds that an access token works, and a refresh token; None: until it is revoked
        self.lifetime = 7_200.0
        self.refresh_lifetime: float | None = None
        self._busy: set[str] = set()

    def new_grant(self, client_id: str, user_id: str, scope: str) -> Grant:
        return Grant(client_id=client_id, user_id=user_id, scope=scope, id=secrets.token_hex(8))

    def issue_access(self, grant: Grant) -> str:
        """A new access token, such as `00D…!AQ…`, that works for the session's lifetime."""
        token = f"{self._org_id[:15]}!AQ{secrets.token_urlsafe(69).replace('-', '.')}"
        self._keep(token, "access", grant, self._clock.time() + self.lifetime)
        return token

    def issue_refresh(self, grant: Grant) -> str:
        token = f"5Aep861{secrets.token_urlsafe(60).replace('-', '.')}"
        ends = None if self.refresh_lifetime is None else self._clock.time() + self.refresh_lifetime
        self._keep(token, "refresh", grant, ends)
        return token

    @contextlib.contextmanager
    def alone(self, token: str) -> Iterator[bool]:
        """True while nobody else is at work with this token."""
        digest = _digest(token)
        free = digest not in self._busy
        self._busy.add(digest)
        try:
            yield free
        finally:
            if free:
                self._busy.discard(digest)

    def rotate(self, token: str, grant: Grant) -> None:
        """Ends a refresh token in whose place another one comes."""
        self.spend(token)
        self._database.run("INSERT OR REPLACE INTO _rotated VALUES (?, ?)", (_digest(token), grant.id))

    def used_again(self, token: str) -> bool:
        """Whether this refresh token was rotated out before; then all that came of it ends (RFC 9700
        §4.14.2).
        """
        row = self._database.row("SELECT grant_id FROM _rotated WHERE digest = ?", (_digest(token),))
        if row is not None:
            self._database.run("DELETE FROM _tokens WHERE grant_id = ?", row)
        return row is not None

    def find(self, token: str, kind: str | None = None) -> Token | None:
        """The token, where it is one that still works."""
        row = self._database.row(f"SELECT {_COLUMNS} FROM _tokens WHERE digest = ?", (_digest(token),))  # noqa: S608
        if row is None or (kind is not None and row[0] != kind):
            return None
        found = _token(row)
        expired = found.expires_at is not None and found.expires_at <= self._clock.time()
        return None if expired else found

    def spend(self, token: str) -> bool:
        """Ends one token; False where somebody else was faster."""
        return self._database.run("DELETE FROM _tokens WHERE digest = ?", (_digest(token),)) > 0

    def revoke(self, token: str) -> bool:
        """Ends a token; with a refresh token ends all that came of it. False for one that is not known."""
        found = self.find(token)
        if found is None:
            return False
        if found.kind == "refresh":
            self._database.run("DELETE FROM _tokens WHERE grant_id = ?", (found.grant.id,))
        return self.spend(token) or found.kind == "refresh"

    def expire_access(self) -> int:
        """Ends every access token, as if its time were over; gives how many there were."""
        return self._database.run("DELETE FROM _tokens WHERE kind = 'access'")

    def expire_all(self) -> int:
        """Ends every token, so that each connection must be authorised anew."""
        return self._database.run("DELETE FROM _tokens")

    def _keep(self, token: str, kind: str, grant: Grant, expires_at: float | None) -> None:
        values = (kind, grant.id, grant.client_id, grant.user_id, grant.scope, self._clock.time(), expires_at)
        self._database.run(
            f"INSERT INTO _tokens (digest, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (_digest(token), *values),
        )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _token(row: tuple[object, ...]) -> Token:
    kind, grant_id, client_id, user_id, scope, issued_at, expires_at = row
    grant = Grant(client_id=str(client_id), user_id=str(user_id), scope=str(scope), id=str(grant_id))
    return Token(
        kind=str(kind),
        grant=grant,
        issued_at=float(str(issued_at)),
        expires_at=None if expires_at is None else float(str(expires_at)),
    )
