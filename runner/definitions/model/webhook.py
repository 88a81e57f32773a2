"""Webhooks: how one is proved, and what it starts."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from runner.definitions.expressions import Expression
from runner.definitions.model.values import Value


class HmacProof(msgspec.Struct, frozen=True, kw_only=True):
    """A keyed hash of a webhook's body (RFC 2104)."""

    #: where the signature is: alone in a header, or as an expression gives it, of several any one
    header: str | None = None
    signature: Expression | None = None
    algorithm: str = "sha256"
    encoding: str = "hex"
    prefix: str = ""
    #: the text that is signed; None for the body as it came
    of: Expression | None = None
    #: when it was signed, and how many seconds that may lie from now
    timestamp: Expression | None = None
    within: float = 300.0


class TokenProof(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that a webhook carries."""

    header: str | None = None
    query: str | None = None


class WebhookRules(msgspec.Struct, frozen=True, kw_only=True):
    """How a webhook is proved, and to whom it belongs."""

    proof: HmacProof | TokenProof
    event: Expression
    connection: Expression | None = None
    #: `config.x` or `metadata.x` → what the connection's value must be
    where: Mapping[str, Expression] = {}
    events: Expression | None = None
    id: Expression | None = None
    respond_when: Expression | None = None
    respond_body: Value | None = None


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """The webhook event that starts a sync or a workflow."""

    event: str
    when: Expression | None = None
    input: Mapping[str, Expression] = {}
