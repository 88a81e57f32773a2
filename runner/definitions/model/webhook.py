"""Webhooks: how one is proved, and what it starts."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from runner.definitions.expressions import Expression
from runner.definitions.model.values import Value


class HmacProof(msgspec.Struct, frozen=True, kw_only=True):
    """A keyed hash of a webhook's body (RFC 2104)."""

    header: str
    algorithm: str = "sha256"
    encoding: str = "hex"
    prefix: str = ""


class TokenProof(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that a webhook carries."""

    header: str | None = None
    query: str | None = None


class WebhookRules(msgspec.Struct, frozen=True, kw_only=True):
    """How a webhook is proved, and to whom it belongs."""

    proof: HmacProof | TokenProof
    event: Expression
    connection: Expression | None = None
    events: Expression | None = None
    id: Expression | None = None
    respond_when: Expression | None = None
    respond_body: Value | None = None


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """The webhook event that starts a sync or a workflow."""

    event: str
    when: Expression | None = None
    input: Mapping[str, Expression] = {}
