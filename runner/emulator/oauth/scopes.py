"""What an app may ask for, and what it gets."""

from __future__ import annotations

from runner.emulator.clients import SYNONYMS, Client
from runner.emulator.errors import OAuthError


def granted_scope(client: Client, wished: str) -> str:
    """The scopes that the app gets: what it wishes for, or all of its own. Raises OAuthError."""
    scopes = [SYNONYMS.get(scope, scope) for scope in wished.split()]
    if any(scope not in client.scopes for scope in scopes):
        raise OAuthError("invalid_scope", "the requested scope is not allowed")
    return " ".join(dict.fromkeys(scopes or client.scopes))
