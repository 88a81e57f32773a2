"""Workflows: files of `workflows/`, bound to the provider of an integration."""

from __future__ import annotations

from runner.definitions import yaml
from runner.definitions.build.around import Around
from runner.definitions.build.input import read_input
from runner.definitions.build.keys import below, data, items, text, texts
from runner.definitions.build.place import Known
from runner.definitions.build.reader import Reader
from runner.definitions.build.steps import read_steps
from runner.definitions.build.triggers import read_triggers
from runner.definitions.model import Provider, TakeTurns, Workflow


def build_workflow(
    node: yaml.Mapping, provider: Provider, reader: Reader, source: str, around: Around
) -> Workflow:
    """One workflow, checked against the provider that it calls.

    Args:
        source: the file's text; it travels with each run.
        around: what else there is to call.
    """
    inputs = below(node, "input")
    durable = data(node, "durable", True)
    known = Known(
        provider=provider, reader=reader, around=around, inputs=tuple(inputs.entries), durable=durable
    )
    steps = read_steps(items(node, "steps"), known)
    given = read_input(inputs, reader)
    return Workflow(
        name=text(node, "workflow"),
        place=node.place,
        description=text(node, "description"),
        integrations=texts(node, "integrations"),
        input=given,
        steps=steps,
        output=reader.output(node, "output", known.names()),
        on=read_triggers(node, reader, given, around),
        durable=durable,
        on_failure=data(node, "on_failure", "keep"),
        concurrency=_turns(node, known) if "concurrency" in node.entries else None,
        text=source,
    )


def _turns(node: yaml.Mapping, known: Known) -> TakeTurns:
    rules = below(node, "concurrency")
    names = known.names()
    return TakeTurns(
        per=known.reader.optional(
            rules, "per", {key: names[key] for key in ("config", "connection", "input")}
        ),
        limit=data(rules, "limit", 1),
        busy=data(rules, "busy", "queue"),
    )
