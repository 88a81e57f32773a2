"""`on`: what starts a workflow beside a person."""

from __future__ import annotations

from collections.abc import Mapping

from runner.definitions import yaml
from runner.definitions.build.around import Around
from runner.definitions.build.keys import below, data, text, texts
from runner.definitions.build.known import CHANGES, DUE
from runner.definitions.build.reader import Reader
from runner.definitions.build.webhook import check_given, read_trigger_with_input
from runner.definitions.expressions import Expression, Names
from runner.definitions.model import OnRecords, OnSchedule, Triggers
from runner.definitions.model.matrix import BASE
from runner.definitions.schedules import Schedule, read_schedule


def read_triggers(
    node: yaml.Mapping, reader: Reader, inputs: Mapping[str, object], around: Around
) -> Triggers:
    """What starts a workflow, by its file.

    Args:
        inputs: the JSON Schema of its input.
    """
    on = below(node, "on")
    _check_kept(node, reader)
    _check_batches(node, reader)
    return Triggers(
        schedule=_schedule(on, reader, inputs) if "schedule" in on.entries else None,
        webhook=read_trigger_with_input(node, reader, inputs),
        records=_records(on, reader, inputs, around) if "records" in on.entries else None,
    )


def _check_kept(node: yaml.Mapping, reader: Reader) -> None:
    """What is started by the store, or takes turns by it, lies in the store until it has ended."""
    if data(node, "durable", True):
        return
    on = below(node, "on")
    keys = [key for name, key in on.keys.items() if name in ("schedule", "records")]
    keys += [key for name, key in node.keys.items() if name == "concurrency"]
    for key in keys:
        message = f"`{key.text}` needs a durable workflow"
        reader.problem(key, message, "not-durable", "remove `durable: false`")


def _check_batches(node: yaml.Mapping, reader: Reader) -> None:
    """No batch may be dropped: each change comes to a run."""
    busy = below(node, "concurrency").entries.get("busy")
    if "records" in below(node, "on").entries and busy is not None and busy.data != "queue":
        message = f"`busy: {busy.data}` would drop batches of changed records"
        reader.problem(busy, message, "dropped-batches", "write `queue`")


def _schedule(on: yaml.Mapping, reader: Reader, inputs: Mapping[str, object]) -> OnSchedule | None:
    node = on.entries["schedule"]
    given = below(below(on, "schedule"), "input")
    check_given(given, on.keys["schedule"], inputs, reader, "due")
    schedule = read_times(node.entries["at"] if isinstance(node, yaml.Mapping) else node, reader)
    return None if schedule is None else OnSchedule(schedule=schedule, input=_input(given, reader, DUE))


def read_times(node: yaml.Node, reader: Reader) -> Schedule | None:
    """When something is due; None where that cannot be read."""
    try:
        return read_schedule(str(node.data))
    except ValueError as exc:
        reader.problem(node, str(exc), "schedule", "such as `every 5 minutes` or `0 6 * * 1-5`")
        return None


def _records(on: yaml.Mapping, reader: Reader, inputs: Mapping[str, object], around: Around) -> OnRecords:
    node = below(on, "records")
    integration = node.entries.get("integration")
    if integration is not None:
        reader.one_of(integration, around.providers, "integration")
    given = below(node, "input")
    if given.entries or inputs["required"] != ["records"]:
        check_given(given, on.keys["records"], inputs, reader, "records")
    return OnRecords(
        model=text(node, "model"),
        variant=text(node, "variant", BASE),
        integration=text(node, "integration") or None,
        changes=texts(node, "changes") or ("added", "updated"),
        where=reader.optional(node, "where", {"record": None, "change": None}),
        batch=data(node, "batch", 100),
        existing=data(node, "existing", False),
        input=_input(given, reader, CHANGES),
    )


def _input(node: yaml.Mapping, reader: Reader, names: Names) -> dict[str, Expression]:
    return {key: reader.expression(child, names) for key, child in node.entries.items()}
