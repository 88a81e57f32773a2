"""Webhooks: a provider's rules, and what starts a sync or a workflow."""

from __future__ import annotations

from typing import Final

from runner.definitions import yaml
from runner.definitions.build.keys import below, text
from runner.definitions.build.reader import Reader
from runner.definitions.model import HmacProof, TokenProof, Trigger, WebhookRules
from runner.definitions.names import Names

_DELIVERY: Final[Names] = {
    "body": None, "headers": None,
    "request": {"query": None, "headers": None, "body": None, "raw": None, "method": None},
}  # fmt: skip
_EVENT: Final[Names] = {"event": None, "body": None, "headers": None, "connection": None}


def read_webhook(node: yaml.Mapping, reader: Reader) -> WebhookRules | None:
    """How a webhook is proved, and to whom it belongs: keys below a provider's `webhook`."""
    if not node.entries:
        return None
    respond = below(node, "respond")
    return WebhookRules(
        proof=_proof(below(node, "verify")),
        event=reader.expression(node.entries["event"], {**_DELIVERY, "event": None}),
        connection=reader.optional(node, "connection", {**_DELIVERY, "event": None}),
        events=reader.optional(node, "events", _DELIVERY),
        id=reader.optional(node, "id", _DELIVERY),
        respond_when=reader.optional(respond, "when", _DELIVERY),
        respond_body=reader.optional_value(respond, "body", _DELIVERY),
    )


def _proof(node: yaml.Mapping) -> HmacProof | TokenProof:
    hmac, token = below(node, "hmac"), below(node, "token")
    if hmac.entries:
        return HmacProof(
            header=text(hmac, "header"),
            algorithm=text(hmac, "algorithm", "sha256"),
            encoding=text(hmac, "encoding", "hex"),
            prefix=text(hmac, "prefix"),
        )
    return TokenProof(header=text(token, "header") or None, query=text(token, "query") or None)


def read_trigger(node: yaml.Mapping, reader: Reader) -> Trigger | None:
    """`on.webhook` of a sync or a workflow, short or long."""
    webhook = below(node, "on").entries.get("webhook")
    if webhook is None:
        return None
    if not isinstance(webhook, yaml.Mapping):
        return Trigger(event=str(webhook.data))
    return Trigger(
        event=text(webhook, "event"),
        when=reader.optional(webhook, "when", _EVENT),
        input={
            key: reader.expression(child, _EVENT) for key, child in below(webhook, "input").entries.items()
        },
    )
