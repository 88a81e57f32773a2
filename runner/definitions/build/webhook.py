"""Webhooks: a provider's rules, and what starts a sync or a workflow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

import msgspec

from runner.definitions import yaml
from runner.definitions.build.keys import below, seconds, text
from runner.definitions.build.known import DELIVERY, EVENT
from runner.definitions.build.reader import Reader
from runner.definitions.model import HmacProof, TokenProof, Trigger, WebhookRules
from runner.definitions.words import did_you_mean, there_are


def read_webhook(node: yaml.Mapping, reader: Reader, config: Iterable[str]) -> WebhookRules | None:
    """How a webhook is proved, and to whom it belongs: keys below a provider's `webhook`.

    Args:
        config: the names of the provider's `connection_config`.
    """
    if not node.entries:
        return None
    for key in below(node, "where").keys.values():
        _check_key(key, reader, config)
    respond, event = below(node, "respond"), {**DELIVERY, "event": None}
    return WebhookRules(
        proof=_proof(below(node, "verify"), reader),
        event=reader.expression(node.entries["event"], event),
        connection=reader.optional(node, "connection", event),
        where={key: reader.expression(child, event) for key, child in below(node, "where").entries.items()},
        events=reader.optional(node, "events", DELIVERY),
        id=reader.optional(node, "id", DELIVERY),
        respond_when=reader.optional(respond, "when", DELIVERY),
        respond_body=reader.optional_value(respond, "body", DELIVERY),
    )


def _check_key(key: yaml.Scalar, reader: Reader, config: Iterable[str]) -> None:
    place, _, name = key.text.partition(".")
    if place == "config" and name not in config:
        known = [f"config.{one}" for one in config]
        mend = did_you_mean(key.text, known, there_are(known) if known else "add it to `connection_config`")
        message = f"there is no config `{name}`"
        reader.problem(key, message, "unknown-config", mend)


def _proof(node: yaml.Mapping, reader: Reader) -> HmacProof | TokenProof:
    hmac, token = below(node, "hmac"), below(node, "token")
    if hmac.entries:
        return HmacProof(
            header=text(hmac, "header") or None,
            signature=reader.optional(hmac, "signature", DELIVERY),
            algorithm=text(hmac, "algorithm", "sha256"),
            encoding=text(hmac, "encoding", "hex"),
            prefix=text(hmac, "prefix"),
            of=reader.optional(hmac, "of", DELIVERY),
            timestamp=reader.optional(hmac, "timestamp", DELIVERY),
            within=seconds(hmac, "within", 300.0),
        )
    return TokenProof(header=text(token, "header") or None, query=text(token, "query") or None)


def read_trigger(node: yaml.Mapping, reader: Reader) -> Trigger | None:
    """`on.webhook`, short or long."""
    webhook = below(node, "on").entries.get("webhook")
    if webhook is None:
        return None
    if not isinstance(webhook, yaml.Mapping):
        return Trigger(event=str(webhook.data))
    return Trigger(event=text(webhook, "event"), when=reader.optional(webhook, "when", EVENT))


def read_trigger_with_input(
    node: yaml.Mapping, reader: Reader, inputs: Mapping[str, object]
) -> Trigger | None:
    """`on.webhook` of a workflow, which gives it its input.

    Args:
        inputs: the JSON Schema of the input.
    """
    trigger = read_trigger(node, reader)
    if trigger is None:
        return None
    given = below(below(below(node, "on"), "webhook"), "input")
    check_given(given, below(node, "on").keys["webhook"], inputs, reader, "event.…")
    values = {key: reader.expression(child, EVENT) for key, child in given.entries.items()}
    return msgspec.structs.replace(trigger, input=values)


def check_given(
    given: yaml.Mapping, trigger: yaml.Scalar, inputs: Mapping[str, object], reader: Reader, example: str
) -> None:
    """Whether what starts a workflow gives it what it needs, and nothing that it does not know.

    Args:
        trigger: the key below `on`.
        inputs: the JSON Schema of the workflow's input.
    """
    for key in given.keys.values():
        reader.one_of(key, cast(Mapping[str, object], inputs["properties"]), "input")
    for name in cast(list[str], inputs["required"]):
        if name not in given.entries:
            message = f"`{trigger.text}` gives no `{name}`"
            reader.problem(trigger, message, "missing-input", f"write: input: {{{name}: {example}}}")
