"""The token endpoint: one function a grant (RFC 6749 §4-§6, RFC 7523, RFC 8628)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping

import jwt
from starlette.requests import Request
from starlette.responses import Response

from runner.emulator.addresses import Kind
from runner.emulator.errors import OAuthError
from runner.emulator.http import json
from runner.emulator.oauth.answer import Answer, token_answer
from runner.emulator.oauth.ask import Ask, asked
from runner.emulator.oauth.devices import INTERVAL
from runner.emulator.oauth.scopes import granted_scope

#: seconds by which a JWT assertion's clock may differ
LEEWAY = 180
#: whom a JWT assertion may be for, beside the org's own URL
LOGIN_HOSTS = ("https://login.salesforce.com", "https://test.salesforce.com")
EXPIRED = OAuthError("invalid_grant", "expired access/refresh token")


async def token(request: Request) -> Response:
    """With `response_type=device_code` it begins the grant of a device."""
    ask = await asked(request)
    if ask.field("response_type") == "device_code":
        return _kept_by_nobody(_device_code(ask))
    grant_type = ask.field("grant_type")
    if grant_type == "refresh_token":
        return _kept_by_nobody(await refresh_alone(ask))
    give = GRANTS.get(grant_type)
    if give is None:
        raise OAuthError("unsupported_grant_type", "grant type not supported")
    return _kept_by_nobody(give(ask))


def _kept_by_nobody(answer: Mapping[str, object]) -> Response:
    response = json(answer)
    response.headers["Cache-Control"] = "no-store"
    return response


def _authorization_code(ask: Ask) -> Answer:
    client = ask.proved_client()
    code = ask.org.clients.spend_code(ask.field("code"))
    if code is None or code.grant.client_id != client.id:
        raise OAuthError("invalid_grant", "expired authorization code")
    if ask.form.get("redirect_uri") != code.redirect_uri:
        raise OAuthError("redirect_uri_mismatch", "redirect_uri must match configuration")
    if not _verifies(ask.form.get("code_verifier"), code.challenge):
        raise OAuthError("invalid_grant", "invalid code verifier")
    grant = ask.org.tokens.new_grant(client.id, code.grant.user_id, code.grant.scope)
    return token_answer(ask, client, grant, refreshable=True, nonce=code.nonce)


def _verifies(verifier: str | None, challenge: str | None) -> bool:
    """RFC 7636 §4.6, S256; a verifier without a challenge is as wrong as the reverse (RFC 9700 §4.8.2)."""
    if verifier is None or challenge is None:
        return verifier == challenge
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return secrets.compare_digest(digest, challenge.encode())


async def refresh_alone(ask: Ask) -> Answer:
    """Refreshes, unless the same token is being refreshed already."""
    client = ask.proved_client()
    with ask.org.tokens.alone(ask.field("refresh_token")) as alone:
        if not alone:
            raise OAuthError("invalid_grant", "token request is already being processed")
        await asyncio.sleep(ask.org.options.refresh_seconds)
        return _refresh(ask, client.id)


def _refresh(ask: Ask, client_id: str) -> Answer:
    """A new access token; where refresh tokens are rotated, also a new one of these, and the old one ends."""
    tokens, refresh_token = ask.org.tokens, ask.field("refresh_token")
    found = tokens.find(refresh_token, "refresh")
    if found is None and tokens.used_again(refresh_token):
        raise EXPIRED
    if found is None or found.grant.client_id != client_id or not ask.address.for_its_users:
        raise EXPIRED
    rotated = ask.org.options.rotate_refresh_tokens
    if rotated:
        tokens.rotate(refresh_token, found.grant)
    return token_answer(ask, ask.client(), found.grant, refreshable=rotated)


def _client_credentials(ask: Ask) -> Answer:
    client = ask.proved_client()
    if ask.address.kind is Kind.LOGIN:
        raise OAuthError("invalid_grant", "request not supported on this domain")
    if not ask.org.options.client_credentials:
        raise OAuthError("invalid_grant", "no client credentials user enabled")
    return token_answer(ask, client, ask.org.tokens.new_grant(client.id, ask.org.user_id, "api"))


def _password(ask: Ask) -> Answer:
    client = ask.proved_client()
    user_id = ask.org.clients.user_by_password(ask.field("username"), ask.field("password"))
    if user_id is None or not ask.address.for_its_users:
        raise OAuthError("invalid_grant", "authentication failure")
    scope = granted_scope(client, ask.form.get("scope", "api"))
    return token_answer(ask, client, ask.org.tokens.new_grant(client.id, user_id, scope))


def _jwt_bearer(ask: Ask) -> Answer:
    """RFC 7523: an assertion signed by the app for one of the org's users; `aud` is where the org logs in."""
    claims = _claims(ask, ask.field("assertion"))
    client = ask.client(str(claims["iss"]))
    user_id = ask.org.clients.user_by_name(str(claims.get("prn") or claims.get("sub") or ""))
    if user_id is None or not ask.address.for_its_users:
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")
    scope = granted_scope(client, ask.form.get("scope", "api"))
    return token_answer(ask, client, ask.org.tokens.new_grant(client.id, user_id, scope))


def _claims(ask: Ask, assertion: str) -> dict[str, object]:
    own = {ask.org.url, ask.address.url, ask.address.instance_url}
    try:
        issuer = jwt.decode(assertion, options={"verify_signature": False}).get("iss")
        client = ask.client(str(issuer))
        return jwt.decode(
            assertion,
            client.public_key or "",
            algorithms=["RS256"],
            audience=[*LOGIN_HOSTS, *own, *(f"{url}/services/oauth2/token" for url in own)],
            leeway=LEEWAY,
            options={"require": ["exp", "iss", "aud"], "verify_exp": True},
        )
    except jwt.InvalidAudienceError as exc:
        raise OAuthError("invalid_grant", "audience is invalid") from exc
    except jwt.ExpiredSignatureError as exc:
        raise OAuthError("invalid_grant", "expired authorization code") from exc
    except (jwt.PyJWTError, ValueError) as exc:
        raise OAuthError("invalid_grant", "invalid assertion") from exc


def _device_code(ask: Ask) -> dict[str, object]:
    client = ask.client()
    scope = granted_scope(client, ask.field("scope"))
    device_code, user_code = ask.org.devices.begin(client.id, scope)
    return {
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": f"{ask.address.url}/setup/connect",
        "interval": INTERVAL,
    }


def _device(ask: Ask) -> Answer:
    """What has become of a device's code (RFC 8628 §3.5)."""
    client, device_code = ask.client(), ask.field("code")
    device = ask.org.devices.asks(device_code)
    if device is None or device.client_id != client.id:
        raise OAuthError("invalid_grant", "invalid device code")
    if device.denied:
        raise OAuthError("access_denied", "end-user denied authorization")
    if not device.user_id:
        if device.hasty:
            raise OAuthError("slow_down", f"polling too fast: wait {INTERVAL} seconds between requests")
        raise OAuthError("authorization_pending", "device authorization is pending")
    ask.org.devices.spend(device_code)
    grant = ask.org.tokens.new_grant(client.id, device.user_id, device.scope)
    return token_answer(ask, client, grant, refreshable=True)


GRANTS: dict[str, Callable[[Ask], Answer]] = {
    "authorization_code": _authorization_code,
    "client_credentials": _client_credentials,
    "password": _password,
    "urn:ietf:params:oauth:grant-type:jwt-bearer": _jwt_bearer,
    "device": _device,
}
