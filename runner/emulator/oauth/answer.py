"""The token answer, and what proves that it came from the org."""

from __future__ import annotations

import base64
import hashlib
import hmac

import jwt

from runner.emulator import keys
from runner.emulator.clients import Client
from runner.emulator.errors import OAuthError
from runner.emulator.oauth.ask import Ask
from runner.emulator.org import Org
from runner.emulator.tokens import Grant

#: seconds that an ID token works
ID_LIFETIME = 120
#: which of the org's keys signs
KEY_ID = "emulator-1"

Answer = dict[str, str]


def token_answer(
    ask: Ask, client: Client, grant: Grant, *, refreshable: bool = False, nonce: str | None = None
) -> Answer:
    """No `expires_in`; a refresh token only where the user allowed one. Raises OAuthError."""
    org = ask.org
    if not org.clients.is_active(grant.user_id):
        raise OAuthError("inactive_user", "user is inactive")
    issued_at, identity = str(int(org.clock.time() * 1000)), identity_url(ask, grant.user_id)
    answer = {"access_token": org.tokens.issue_access(grant)}
    if refreshable and "refresh_token" in grant.scopes:
        answer["refresh_token"] = org.tokens.issue_refresh(grant)
    if "openid" in grant.scopes:
        answer["id_token"] = _id_token(ask, client, grant, answer["access_token"], nonce)
    return answer | {
        "signature": signature(client, identity, issued_at),
        "scope": grant.scope,
        "instance_url": ask.address.instance_url,
        "id": identity,
        "token_type": "Bearer",
        "issued_at": issued_at,
    }


def identity_url(ask: Ask, user_id: str) -> str:
    return f"{ask.address.url}/id/{ask.org.id}/{user_id}"


def signature(client: Client, identity: str, issued_at: str) -> str:
    """Proves that the identity URL came from the org: HMAC-SHA256 of it and the time, by the app's secret."""
    digest = hmac.digest(client.secret.encode(), (identity + issued_at).encode(), "sha256")
    return base64.b64encode(digest).decode()


def _id_token(ask: Ask, client: Client, grant: Grant, access_token: str, nonce: str | None) -> str:
    """OpenID Connect Core 1.0 §2."""
    now = int(ask.org.clock.time())
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    claims: dict[str, object] = {
        "iss": ask.address.url,
        "sub": identity_url(ask, grant.user_id),
        "aud": client.id,
        "iat": now,
        "exp": now + ID_LIFETIME,
        "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
    }
    if nonce is not None:
        claims["nonce"] = nonce
    return jwt.encode(claims, signing_key(ask.org), "RS256", headers={"kid": KEY_ID})


def signing_key(org: Org) -> str:
    """PEM of the key that signs ID tokens; the org makes it when first asked."""
    known = org.database.setting("signing_key")
    if known is not None:
        return known
    private, _public = keys.make()
    org.database.set_setting("signing_key", private)
    return private
