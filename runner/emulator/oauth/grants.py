"""The token endpoint: one function a grant (RFC 6749 §4-§6, RFC 7523)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable
from urllib.parse import unquote_plus

import jwt
from starlette.requests import Request
from starlette.responses import Response

from runner.emulator.clients import Client
from runner.emulator.errors import OAuthError
from runner.emulator.http import json, org_of, read_form
from runner.emulator.oauth.authorize import granted_scope
from runner.emulator.org import Org
from runner.emulator.tokens import Grant

Form = dict[str, str]

#: seconds by which a JWT assertion's clock may differ
LEEWAY = 30
#: whom a JWT assertion may be for, beside the org's own URL
LOGIN_HOSTS = ("https://login.salesforce.com", "https://test.salesforce.com")


async def token(request: Request) -> Response:
    form = await read_form(request)
    give = GRANTS.get(form.get("grant_type", ""))
    if give is None:
        raise OAuthError("unsupported_grant_type", "grant type not supported")
    answer = json(give(org_of(request), with_client(request, form)))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def with_client(request: Request, form: Form) -> Form:
    """The form, with the app's id and secret from `Authorization: Basic` where they stand there."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as exc:
        raise OAuthError("invalid_client", "invalid client credentials") from exc
    return {**form, "client_id": unquote_plus(client_id), "client_secret": unquote_plus(secret)}


def known_client(org: Org, form: Form) -> Client:
    client = org.clients.get(form.get("client_id", ""))
    if client is None:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    return client


def proved_client(org: Org, form: Form) -> Client:
    """The app, which has shown its secret."""
    client = known_client(org, form)
    if not client.has_secret(form.get("client_secret", "")):
        raise OAuthError("invalid_client", "invalid client credentials")
    return client


def _authorization_code(org: Org, form: Form) -> dict[str, str]:
    client = proved_client(org, form)
    code = org.clients.spend_code(form.get("code", ""))
    if code is None or code.grant.client_id != client.id:
        raise OAuthError("invalid_grant", "expired authorization code")
    if form.get("redirect_uri") != code.redirect_uri:
        raise OAuthError("redirect_uri_mismatch", "redirect_uri must match configuration")
    if code.challenge is not None and not _verifies(form.get("code_verifier", ""), code.challenge):
        raise OAuthError("invalid_grant", "invalid code verifier")
    grant = org.tokens.new_grant(client.id, code.grant.user_id, code.grant.scope)
    return _answer(org, client, grant, refreshable=True)


def _verifies(verifier: str, challenge: str) -> bool:
    """RFC 7636 §4.6, S256."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return secrets.compare_digest(digest, challenge.encode())


def _refresh(org: Org, form: Form) -> dict[str, str]:
    """A new access token; where refresh tokens are rotated, also a new one of these, and the old one ends."""
    client = proved_client(org, form)
    refresh_token = form.get("refresh_token", "")
    found = org.tokens.find(refresh_token, "refresh")
    if found is None or found.grant.client_id != client.id:
        raise OAuthError("invalid_grant", "expired access/refresh token")
    rotated = org.options.rotate_refresh_tokens
    if rotated and not org.tokens.spend(refresh_token):
        raise OAuthError("invalid_grant", "expired access/refresh token")
    return _answer(org, client, found.grant, refreshable=rotated)


def _client_credentials(org: Org, form: Form) -> dict[str, str]:
    client = proved_client(org, form)
    return _answer(org, client, org.tokens.new_grant(client.id, org.user_id, "api"))


def _password(org: Org, form: Form) -> dict[str, str]:
    client = proved_client(org, form)
    user_id = org.clients.user_by_password(form.get("username", ""), form.get("password", ""))
    if user_id is None:
        raise OAuthError("invalid_grant", "authentication failure")
    scope = granted_scope(client, form.get("scope", "api"))
    return _answer(org, client, org.tokens.new_grant(client.id, user_id, scope))


def _jwt_bearer(org: Org, form: Form) -> dict[str, str]:
    """RFC 7523: an assertion signed by the app for one of the org's users; `aud` is where the org logs in."""
    claims = _claims(org, form.get("assertion", ""))
    client = known_client(org, {"client_id": str(claims["iss"])})
    user_id = org.clients.user_by_name(str(claims.get("sub") or claims.get("prn") or ""))
    if user_id is None:
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")
    scope = granted_scope(client, form.get("scope", "api"))
    return _answer(org, client, org.tokens.new_grant(client.id, user_id, scope))


def _claims(org: Org, assertion: str) -> dict[str, object]:
    try:
        issuer = jwt.decode(assertion, options={"verify_signature": False}).get("iss")
        client = known_client(org, {"client_id": str(issuer)})
        return jwt.decode(
            assertion,
            client.public_key or "",
            algorithms=["RS256"],
            audience=[*LOGIN_HOSTS, org.url, f"{org.url}/services/oauth2/token"],
            leeway=LEEWAY,
            options={"require": ["exp", "iss", "aud"], "verify_exp": True},
        )
    except jwt.InvalidAudienceError as exc:
        raise OAuthError("invalid_grant", "audience is invalid") from exc
    except jwt.ExpiredSignatureError as exc:
        raise OAuthError("invalid_grant", "expired authorization code") from exc
    except (jwt.PyJWTError, ValueError) as exc:
        raise OAuthError("invalid_grant", "invalid assertion") from exc


def _answer(org: Org, client: Client, grant: Grant, *, refreshable: bool = False) -> dict[str, str]:
    """The token answer; no `expires_in`, and a refresh token only where the user allowed one."""
    if not org.clients.is_active(grant.user_id):
        raise OAuthError("inactive_user", "user is inactive")
    issued_at, identity = str(int(org.clock.time() * 1000)), identity_url(org, grant.user_id)
    answer = {"access_token": org.tokens.issue_access(grant)}
    if refreshable and "refresh_token" in grant.scopes:
        answer["refresh_token"] = org.tokens.issue_refresh(grant)
    return answer | {
        "signature": signature(client, identity, issued_at),
        "scope": grant.scope,
        "instance_url": org.url,
        "id": identity,
        "token_type": "Bearer",
        "issued_at": issued_at,
    }


def identity_url(org: Org, user_id: str) -> str:
    return f"{org.url}/id/{org.id}/{user_id}"


def signature(client: Client, identity: str, issued_at: str) -> str:
    """Proves that the identity URL came from the org: HMAC-SHA256 of it and the time, by the app's secret."""
    digest = hmac.digest(client.secret.encode(), (identity + issued_at).encode(), "sha256")
    return base64.b64encode(digest).decode()


GRANTS: dict[str, Callable[[Org, Form], dict[str, str]]] = {
    "authorization_code": _authorization_code,
    "refresh_token": _refresh,
    "client_credentials": _client_credentials,
    "password": _password,
    "urn:ietf:params:oauth:grant-type:jwt-bearer": _jwt_bearer,
}
