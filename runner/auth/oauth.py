"""OAuth 2.0 without I/O: what to ask, and what to make of the answer.

Each function gives a request; the caller sends it. Sources: RFC 6749 (grants), RFC 7636 (PKCE), RFC 7523 (JWT
bearer), RFC 7009 (taking tokens back), RFC 9700 (best practice).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from typing import NamedTuple, cast
from urllib.parse import quote_plus, urlencode, urlsplit

import msgspec

from runner.auth.clients import Client
from runner.auth.credentials import Credentials
from runner.auth.masking import Mask, hide
from runner.definitions.conversions import text
from runner.definitions.exchange import Outgoing
from runner.definitions.model import Provider, Value
from runner.definitions.values import is_nothing
from runner.errors import ExpressionError, NotConnected, UsageError

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Authorization(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to let a person agree: kept until the browser comes back."""

    url: str
    #: comes back with the answer, once (RFC 6749 §10.12)
    state: str
    verifier: str | None
    redirect_uri: str

    def __repr__(self) -> str:
        return f"Authorization({self.url.partition('?')[0]})"


def authorization(
    provider: Provider,
    client: Client,
    config: Mapping[str, object],
    redirect_uri: str,
    scopes: tuple[str, ...] = (),
) -> Authorization:
    """The address where a person agrees (RFC 6749 §4.1.1, RFC 7636 §4.3)."""
    state = secrets.token_urlsafe(32)
    verifier = secrets.token_urlsafe(64) if provider.pkce else None
    params = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": redirect_uri,
        "state": state,
        "scope": provider.scope_separator.join(scopes or provider.scopes),
    }
    if verifier is not None:
        params |= {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
    scope = {"config": config, **client.scope()}
    params |= _texts(provider.authorization_params, scope)
    url = _address(provider, provider.authorization_url, "authorization_url", scope)
    joiner = "&" if "?" in url else "?"
    address = f"{url}{joiner}{urlencode({name: value for name, value in params.items() if value})}"
    return Authorization(url=address, state=state, verifier=verifier, redirect_uri=redirect_uri)


def challenge(verifier: str) -> str:
    """The S256 code challenge (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def code_of(attempt: Authorization, answer: Mapping[str, str]) -> str:
    """The code with which a browser came back (RFC 6749 §4.1.2).

    Args:
        answer: the query of the redirect.

    Raises:
        NotConnected: it is not the answer to this attempt, the person refused, or there is no code.
    """
    again = "run the command again, and use only the page that it opens"
    if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
        raise NotConnected(
            "the answer of the login carries a wrong `state`: it does not belong to this login", hint=again
        )
    # Who sent it, where it says so (RFC 9207 §2.4).
    if "iss" in answer and urlsplit(answer["iss"]).netloc != urlsplit(attempt.url).netloc:
        raise NotConnected("the answer of the login comes from another place than was asked", hint=again)
    if "error" in answer:
        said = answer.get("error_description") or answer["error"]
        hint = "run the command again and allow the access"
        raise NotConnected(f"the login was refused: {said}", hint=hint)
    if not answer.get("code"):
        raise NotConnected("the answer of the login carries no code", hint=again)
    return answer["code"]


def exchange_code(
    provider: Provider, client: Client, config: Mapping[str, object], attempt: Authorization, code: str
) -> Outgoing:
    """Trades the code for tokens (RFC 6749 §4.1.3)."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": attempt.redirect_uri}
    if attempt.verifier is not None:
        form["code_verifier"] = attempt.verifier
    return _token_request(provider, client, config, form)


def renew(provider: Provider, client: Client, config: Mapping[str, object], held: Credentials) -> Outgoing:
    """Asks for a new access token the way that the credentials allow.

    Raises:
        NotConnected: they allow none.
    """
    if held.type == "OAUTH2_CC":
        return _token_request(provider, client, config, {"grant_type": "client_credentials"})
    if held.type == "JWT_BEARER":
        form = {"grant_type": JWT_BEARER, "assertion": _assertion(provider, client, config, held)}
        return _token_request(provider, client, config, form, prove=False)
    if held.type != "OAUTH2":
        raise NotConnected(f"{provider.display_name} does not accept the credentials any more")
    if held.refresh_token is None:
        raise NotConnected(
            "the access token has ended and there is no refresh token to renew it with",
            hint=_with_scopes(provider),
        )
    return _token_request(
        provider, client, config, {"grant_type": "refresh_token", "refresh_token": held.refresh_token}
    )


def revoke(
    provider: Provider, client: Client | None, config: Mapping[str, object], held: Credentials
) -> Outgoing | None:
    """Takes a token back (RFC 7009 §2.1): the refresh token, with which all that came of it ends, else the
    access token; None where there is none, or the API takes none back.

    Args:
        client: None where it is not known; an API may do without.
    """
    token = held.refresh_token or held.access_token
    if provider.revoke_url is None or token is None:
        return None
    hint = "refresh_token" if held.refresh_token else "access_token"
    scope = {"config": config, **(client.scope() if client is not None else {})}
    return _form_request(
        _address(provider, provider.revoke_url, "revoke_url", scope),
        {"token": token, "token_type_hint": hint},
        {"Accept": "application/json"},
        _Proof(client, provider.token.client_auth),
    )


def _with_scopes(provider: Provider) -> str | None:
    scopes = provider.scope_separator.join(provider.scopes)
    return f"allow the scopes {scopes}" if scopes else None


def lasting(provider: Provider, held: Credentials) -> str | None:
    """Why a connection will not last, and what to do; None where it will."""
    if held.type != "OAUTH2" or held.renewable:
        return None
    granted = text(held.raw.get("scope", "")).split(provider.scope_separator)
    missing = [scope for scope in provider.scopes if scope not in granted]
    if "scope" in held.raw and missing:
        return f"it was allowed without the scope {' '.join(missing)}, and ends with its access token"
    return "it has no refresh token, and ends with its access token"


def _token_request(
    provider: Provider,
    client: Client,
    config: Mapping[str, object],
    form: Mapping[str, str],
    *,
    prove: bool = True,
) -> Outgoing:
    scope = {"config": config, **client.scope()}
    try:
        url = _address(provider, provider.token_url, "token_url", scope)
        fields = {**form, **_texts(provider.token.params, scope)}
        headers = {"Accept": "application/json", **_texts(provider.token.headers, scope)}
    except ExpressionError as exc:
        hide(exc, Mask([client.secret or ""]))
        raise
    way = provider.token.client_auth if prove else "none"
    return _form_request(url, fields, headers, _Proof(client, way))


class _Proof(NamedTuple):
    """Who asks, and how it is proved: in the body, by `basic`, or not at all (RFC 6749 §2.3)."""

    client: Client | None
    way: str


def _form_request(url: str, form: Mapping[str, str], headers: Mapping[str, str], proof: _Proof) -> Outgoing:
    client, fields, headers = proof.client, dict(form), dict(headers)
    if client is not None and proof.way == "basic":
        # RFC 6749 §2.3.1 has both halves form-encoded first.
        pair = f"{quote_plus(client.id)}:{quote_plus(client.secret or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    elif client is not None and proof.way != "none":
        fields["client_id"] = client.id
        if client.secret:
            fields["client_secret"] = client.secret
    return Outgoing(
        method="POST",
        url=url,
        headers={"Content-Type": "application/x-www-form-urlencoded", **headers},
        content=urlencode(fields).encode(),
        timeout=60.0,
        secrets=_secrets(client, fields, headers),
    )


#: fields of a token request that anybody may see
_PUBLIC = frozenset(
    {"grant_type", "redirect_uri", "client_id", "scope", "audience", "resource", "token_type_hint"}
)


def _secrets(client: Client | None, fields: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, ...]:
    shown = [value for name, value in fields.items() if name not in _PUBLIC]
    proof = headers.get("Authorization", "").partition(" ")[2]
    secret = client.secret if client is not None else None
    return tuple(text for text in (*shown, secret, proof) if text)


def _assertion(provider: Provider, client: Client, config: Mapping[str, object], held: Credentials) -> str:
    import jwt

    rules = provider.token.jwt
    if rules is None:
        raise UsageError(f"{provider.name} does not say what the assertion of a JWT bearer grant holds")
    scope = {"config": config, "credentials": held.values, **client.scope()}
    claims = cast(dict[str, object], rules.claims.evaluate(scope))
    now = int(time.time())
    try:
        key = str(held.values["private_key"])
        return jwt.encode(
            {**claims, "iat": now, "exp": now + int(rules.lifetime)}, key, algorithm=rules.algorithm
        )
    except (KeyError, ValueError, TypeError, jwt.PyJWTError) as exc:
        raise NotConnected(
            "the private key cannot sign: expected one in PEM",
            hint="give it as `private_key` on standard input",
        ) from exc


def _address(provider: Provider, value: Value | None, key: str, scope: Mapping[str, object]) -> str:
    if value is None:
        raise UsageError(
            f"{provider.name} has no `{key}`", hint=f"add it to providers.yaml: terapi explain provider.{key}"
        )
    return text(value.evaluate(scope))


def _texts(values: Value, scope: Mapping[str, object]) -> dict[str, str]:
    found = values.evaluate(scope)
    if is_nothing(found):
        return {}
    return {
        name: text(value) for name, value in cast(Mapping[str, object], found).items() if value is not None
    }
