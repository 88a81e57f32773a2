"""What a connection proves itself with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

import msgspec

from runner.auth.vault import Vault
from runner.definitions.conversions import instant, number
from runner.store import Connection

#: keys of a token answer whose values are secrets; the rest (scope, addresses, times) may be shown
_SECRET = re.compile("token$|secret|signature|password|assertion", re.IGNORECASE)

#: types of credentials with which a token can be got at any time
BY_GRANT = frozenset({"OAUTH2_CC", "JWT_BEARER"})
#: what a person enters that is no secret
_PUBLIC = frozenset({"username", "client_id"})


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens, or what tokens are got with; never printed."""

    #: OAUTH2, OAUTH2_CC, JWT_BEARER, BASIC, API_KEY or NONE
    type: str
    access_token: str | None = None
    refresh_token: str | None = None
    #: seconds since 1970; None where nobody told
    expires_at: float | None = None
    #: when the token was last known to work, in seconds since 1970
    checked_at: float | None = None
    #: the token endpoint's answer
    raw: Mapping[str, object] = {}
    #: what a person entered: username, password, apiKey, private_key, client_id, client_secret
    values: Mapping[str, object] = {}

    def __repr__(self) -> str:
        return f"Credentials({self.type})"

    @property
    def renewable(self) -> bool:
        """Whether a new token can be got without a person."""
        return self.type in BY_GRANT or self.refresh_token is not None

    def secrets(self) -> list[str]:
        """Every text in it that nobody may see."""
        answered = [value for key, value in self.raw.items() if _SECRET.search(key)]
        entered = [value for key, value in self.values.items() if key not in _PUBLIC]
        known = [self.access_token, self.refresh_token, *entered, *answered]
        return [value for value in known if isinstance(value, str)]


def context_of(integration: str, id: str) -> str:
    return f"connection:{integration}:{id}"


def seal(vault: Vault, credentials: Credentials, integration: str, id: str) -> tuple[bytes, str]:
    return vault.seal(msgspec.structs.asdict(credentials), context_of(integration, id))


def unseal(vault: Vault, connection: Connection) -> Credentials:
    """The credentials of a connection.

    Raises:
        StoreError: the vault's keys do not open them.
    """
    data = vault.open(connection.sealed, connection.key_id, context_of(connection.integration, connection.id))
    return msgspec.convert(data, Credentials)


def from_token_answer(
    answer: Mapping[str, object], before: Credentials, lifetime: float | None, now: float
) -> Credentials:
    """Credentials after a token answer (RFC 6749 §5.1); what it does not repeat stays.

    Args:
        lifetime: how long a token lives where the answer does not say, in seconds.
        now: when it came, in seconds since 1970.
    """
    return msgspec.structs.replace(
        before,
        access_token=cast(str, answer["access_token"]),
        refresh_token=cast("str | None", answer.get("refresh_token") or before.refresh_token),
        expires_at=_expiry(answer, lifetime, now),
        checked_at=now,
        raw=dict(answer),
    )


def _expiry(answer: Mapping[str, object], lifetime: float | None, now: float) -> float | None:
    told = _figure(answer.get("expires_in"))
    if told is not None and told > 0:
        return now + told
    return moment(answer.get("expires_at")) or (now + lifetime if lifetime else None)


def moment(value: object) -> float | None:
    """Seconds since 1970 of what an API calls a time: a number of them, or ISO 8601; else None."""
    found = _figure(value)
    if found is not None:
        return found
    try:
        return instant(value).timestamp()
    except ValueError:
        return None


def _figure(value: object) -> float | None:
    try:
        return float(number(value))
    except ValueError:
        return None
