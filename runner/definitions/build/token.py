"""What is particular about an API's tokens: keys below `token`."""

from __future__ import annotations

from runner.definitions import yaml
from runner.definitions.build.keys import below, seconds, text
from runner.definitions.build.known import RESPONSE
from runner.definitions.build.reader import Reader
from runner.definitions.build.request import read_request
from runner.definitions.expressions import Names
from runner.definitions.model import Introspect, Jwt, TokenRules


def read_token(node: yaml.Mapping, reader: Reader, names: Names) -> TokenRules:
    """The rules for tokens.

    Args:
        names: what the expressions of token requests know.
    """
    return TokenRules(
        params=reader.values(node, "params", names),
        headers=reader.values(node, "headers", names),
        client_auth=text(node, "client_auth", "body"),
        lifetime=seconds(node, "lifetime", 0.0) or None,
        refresh_margin=seconds(node, "refresh_margin", 300.0),
        jwt=_jwt(below(node, "jwt"), reader, names),
        introspect=_introspect(below(node, "introspect"), reader, names),
    )


def _jwt(node: yaml.Mapping, reader: Reader, names: Names) -> Jwt | None:
    if not node.entries:
        return None
    return Jwt(
        claims=reader.values(node, "claims", {**names, "credentials": None}),
        algorithm=text(node, "algorithm", "RS256"),
        lifetime=seconds(node, "lifetime", 180.0),
    )


def _introspect(node: yaml.Mapping, reader: Reader, names: Names) -> Introspect | None:
    if not node.entries:
        return None
    return Introspect(
        request=read_request(below(node, "request"), reader, names),
        active=reader.expression(node.entries["active"], RESPONSE),
        expires_at=reader.optional(node, "expires_at", RESPONSE),
        every=seconds(node, "every", 600.0),
    )
