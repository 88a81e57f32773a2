"""What is particular about an API's tokens."""

from __future__ import annotations

import msgspec

from runner.definitions.expressions import Expression
from runner.definitions.model.operation import Request
from runner.definitions.model.values import NOTHING, Value


class Jwt(msgspec.Struct, frozen=True, kw_only=True):
    """The assertion of the JWT bearer grant (RFC 7523 §3)."""

    claims: Value
    algorithm: str = "RS256"
    #: seconds
    lifetime: float = 180.0


class Introspect(msgspec.Struct, frozen=True, kw_only=True):
    """How an API that shares no expiry is asked for it (RFC 7662)."""

    request: Request
    active: Expression
    expires_at: Expression | None = None
    #: seconds for which an answer is believed
    every: float = 600.0


class TokenRules(msgspec.Struct, frozen=True, kw_only=True):
    """What is particular about an API's tokens; times are in seconds."""

    params: Value = NOTHING
    headers: Value = NOTHING
    client_auth: str = "body"
    lifetime: float | None = None
    refresh_margin: float = 300.0
    jwt: Jwt | None = None
    introspect: Introspect | None = None
