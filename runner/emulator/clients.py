"""Connected apps, users' logins and authorization codes, as the database keeps them."""

from __future__ import annotations

import hashlib
import secrets
from ipaddress import ip_address
from urllib.parse import urlsplit

import msgspec

from runner.emulator.clock import Clock
from runner.emulator.database import Database
from runner.emulator.tokens import Grant

#: seconds that an authorization code works
CODE_LIFETIME = 15 * 60
#: what an app may ask for, and gets where it asks for nothing
SCOPES = (
    "api", "full", "id", "openid", "profile", "email", "address", "phone", "web", "refresh_token",
    "chatter_api", "content", "custom_permissions", "eclair_api", "lightning", "visualforce", "wave_api",
)  # fmt: skip
#: scopes of two names
SYNONYMS = {"offline_access": "refresh_token"}


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """A connected app."""

    id: str
    #: Consumer Secret
    secret: str
    label: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    #: PEM of the key that proves its JWT bearer assertions
    public_key: str | None

    def redirects_to(self, uri: str) -> bool:
        """Whether this is a registered URI, letter by letter, or a loopback one (RFC 8252 §7.3)."""
        return uri in self.redirect_uris or _is_loopback(uri)

    def has_secret(self, secret: str) -> bool:
        return secrets.compare_digest(secret.encode(), self.secret.encode())


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """What an authorization code stands for."""

    grant: Grant
    redirect_uri: str
    #: the S256 code challenge (RFC 7636 §4.2), where one was sent
    challenge: str | None
    #: what an ID token has to repeat, where something was sent
    nonce: str | None = None


class Clients:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(self, client: Client) -> None:
        """Registers an app, or changes it."""
        self._database.run(
            "INSERT OR REPLACE INTO _clients VALUES (?, ?, ?, ?, ?, ?)",
            (
                client.id,
                client.secret,
                client.label,
                "\n".join(client.redirect_uris),
                " ".join(client.scopes),
                client.public_key,
            ),
        )

    def get(self, client_id: str) -> Client | None:
        row = self._database.row("SELECT * FROM _clients WHERE id = ?", (client_id,))
        if row is None:
            return None
        found, secret, label, uris, scopes, public_key = (str(value or "") for value in row)
        return Client(
            id=found,
            secret=secret,
            label=label,
            redirect_uris=tuple(uris.splitlines()),
            scopes=tuple(scopes.split()),
            public_key=public_key or None,
        )

    def add_login(self, username: str, password: str, user_id: str) -> None:
        self._database.run("INSERT OR REPLACE INTO _logins VALUES (?, ?, ?)", (username, password, user_id))

    def user_by_password(self, username: str, password: str) -> str | None:
        """The user's id, where the two belong together; the security token may stand behind the password."""
        row = self._database.row("SELECT user_id, password FROM _logins WHERE username = ?", (username,))
        if row is None:
            return None
        right = str(row[1]), f"{row[1]}{self._database.setting('security_token')}"
        fits = [secrets.compare_digest(each.encode(), password.encode()) for each in right]
        return str(row[0]) if any(fits) else None

    def user_by_name(self, username: str) -> str | None:
        row = self._database.row('SELECT Id FROM "User" WHERE Username = ?', (username,))
        return None if row is None else str(row[0])

    def is_active(self, user_id: str) -> bool:
        return (
            self._database.row('SELECT 1 FROM "User" WHERE Id = ? AND IsActive = 1', (user_id,)) is not None
        )

    def issue_code(self, code: Code) -> str:
        text = "aPrx" + secrets.token_urlsafe(48)
        grant, expires_at = code.grant, self._clock.time() + CODE_LIFETIME
        self._database.run(
            "INSERT INTO _codes VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                _digest(text),
                grant.client_id,
                grant.user_id,
                code.redirect_uri,
                grant.scope,
                code.challenge,
                expires_at,
                code.nonce,
            ),
        )
        return text

    def has_code(self, text: str) -> bool:
        """Whether it gave out this code, and nobody has spent it."""
        return self._database.row("SELECT 1 FROM _codes WHERE digest = ?", (_digest(text),)) is not None

    def spend_code(self, text: str) -> Code | None:
        """What the code stands for; it works once, and None is all that comes of it later."""
        with self._database.atomic():
            row = self._database.row("SELECT * FROM _codes WHERE digest = ?", (_digest(text),))
            self._database.run("DELETE FROM _codes WHERE digest = ?", (_digest(text),))
        if row is None or float(row[6] or 0) <= self._clock.time():
            return None
        grant = Grant(client_id=str(row[1]), user_id=str(row[2]), scope=str(row[4]))
        challenge, nonce = (None if value is None else str(value) for value in (row[5], row[7]))
        return Code(grant=grant, redirect_uri=str(row[3]), challenge=challenge, nonce=nonce)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _is_loopback(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.scheme != "http" or parts.fragment or parts.username is not None:
        return False
    return host == "localhost" or _is_loopback_address(host)


def _is_loopback_address(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
