"""What a request carries to prove who is calling, for each kind of credentials."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import cast

from runner.auth.credentials import Credentials
from runner.definitions.conversions import text
from runner.definitions.model import Provider, Value
from runner.definitions.values import is_nothing


def authorisation(
    provider: Provider, config: Mapping[str, object], credentials: Credentials
) -> tuple[dict[str, str], dict[str, str]]:
    """Headers and query parameters of each call: the scheme's own, and the provider's defaults.

    Bearer tokens go into the header (RFC 6750 §2.1), never into the URL.
    """
    scope = {
        "config": config,
        "credentials": credentials.values,
        "token": {**credentials.raw, "access_token": credentials.access_token},
    }
    headers = {**_scheme(credentials), **_texts(provider.headers, scope)}
    return headers, _texts(provider.query, scope)


def _scheme(credentials: Credentials) -> dict[str, str]:
    if credentials.access_token is not None:
        return {"Authorization": f"Bearer {credentials.access_token}"}
    if credentials.type == "BASIC":
        pair = f"{credentials.values.get('username', '')}:{credentials.values.get('password', '')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {}


def _texts(values: Value, scope: Mapping[str, object]) -> dict[str, str]:
    found = values.evaluate(scope)
    if is_nothing(found):
        return {}
    return {
        name: text(value) for name, value in cast(Mapping[str, object], found).items() if value is not None
    }
