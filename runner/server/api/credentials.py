"""Credentials in the shape that each authorisation has over HTTP."""

from __future__ import annotations

from runner.auth.credentials import Credentials
from runner.definitions.conversions import format_instant, instant

_REFRESH = "refresh_token"


def shown(held: Credentials, *, refresh_token: bool) -> dict[str, object]:
    """The credentials; refresh tokens, wherever they stand, only where they are asked for."""
    found = _SHAPES.get(held.type, _entered)(held)
    return found if refresh_token else _without(found)


def _oauth2(held: Credentials) -> dict[str, object]:
    own = {name: held.values[name] for name in ("client_id", "client_secret") if name in held.values}
    return {
        "type": "OAUTH2",
        "access_token": held.access_token,
        **({_REFRESH: held.refresh_token} if held.refresh_token is not None else {}),
        **_expiry(held),
        "raw": dict(held.raw),
        **({"config_override": own} if own else {}),
    }


def _client_credentials(held: Credentials) -> dict[str, object]:
    return {
        "type": "OAUTH2_CC",
        "token": held.access_token,
        **_expiry(held),
        "raw": dict(held.raw),
        "client_id": held.values.get("client_id"),
        "client_secret": held.values.get("client_secret"),
    }


def _jwt(held: Credentials) -> dict[str, object]:
    return {**held.values, "type": "JWT", "token": held.access_token, **_expiry(held)}


def _none(held: Credentials) -> dict[str, object]:
    return {}


def _entered(held: Credentials) -> dict[str, object]:
    """What a person entered: a user name and a password, an API key."""
    return {**held.values, "type": held.type}


_SHAPES = {"OAUTH2": _oauth2, "OAUTH2_CC": _client_credentials, "JWT_BEARER": _jwt, "NONE": _none}


def _expiry(held: Credentials) -> dict[str, object]:
    return {} if held.expires_at is None else {"expires_at": format_instant(instant(held.expires_at))}


def _without(value: object) -> dict[str, object]:
    found = _stripped(value)
    return found if isinstance(found, dict) else {}


def _stripped(value: object) -> object:
    if isinstance(value, dict):
        return {key: _stripped(below) for key, below in value.items() if key != _REFRESH}
    if isinstance(value, list):
        return [_stripped(one) for one in value]
    return value
