"""What OpenID Connect clients ask for: the configuration, and the key that ID tokens are signed with."""

from __future__ import annotations

import json as text
from typing import cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from starlette.requests import Request
from starlette.responses import Response

from runner.emulator.clients import SCOPES
from runner.emulator.http import address_of, json, org_of
from runner.emulator.oauth.answer import KEY_ID, signing_key


async def configuration(request: Request) -> Response:
    """OpenID Connect Discovery 1.0 §3."""
    url = address_of(request).url
    oauth = f"{url}/services/oauth2"
    return json(
        {
            "issuer": url,
            "authorization_endpoint": f"{oauth}/authorize",
            "token_endpoint": f"{oauth}/token",
            "revocation_endpoint": f"{oauth}/revoke",
            "userinfo_endpoint": f"{oauth}/userinfo",
            "introspection_endpoint": f"{oauth}/introspect",
            "jwks_uri": f"{url}/id/keys",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "claims_supported": ["active", "email", "family_name", "given_name", "name", "sub", "user_id"],
        }
    )


async def published_keys(request: Request) -> Response:
    """RFC 7517 §5."""
    private = serialization.load_pem_private_key(signing_key(org_of(request)).encode(), password=None)
    public = cast("rsa.RSAPrivateKey", private).public_key()
    key = text.loads(RSAAlgorithm.to_jwk(public))
    return json({"keys": [key | {"kid": KEY_ID, "use": "sig", "alg": "RS256"}]})
