"""What a step does, by its key; those that hold steps are in `steps`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, cast

import msgspec

from runner.definitions import yaml
from runner.definitions.build.around import read_call_workflow
from runner.definitions.build.keys import below, data, seconds, text, texts
from runner.definitions.build.known import KEY
from runner.definitions.build.operation import read_call
from runner.definitions.build.place import Known
from runner.definitions.build.request import read_request
from runner.definitions.conversions import duration
from runner.definitions.model import (
    Approve,
    Doing,
    Fail,
    Fixed,
    ReadRecords,
    Return,
    RunSync,
    Set,
    Wait,
)  # fmt: skip
from runner.definitions.model.matrix import BASE, definition_of


def _use(node: yaml.Mapping, known: Known) -> Doing:
    return read_call(node, known.provider.operations, known.reader, known.names())


def _request(node: yaml.Mapping, known: Known) -> Doing:
    return read_request(below(node, "request"), known.reader, {**known.names(), **KEY})


def _workflow(node: yaml.Mapping, known: Known) -> Doing:
    return read_call_workflow(node, known.around, known.reader, known.names())


def _sync(node: yaml.Mapping, known: Known) -> Doing:
    named = node.entries["sync"]
    rules = named if isinstance(named, yaml.Mapping) else yaml.EMPTY
    name = rules.entries.get("name", named)
    wanted = cast(yaml.Scalar, name).text
    definition = known.around.syncs.get(definition_of(wanted))
    if definition is None:
        known.reader.one_of(name, known.around.syncs, "sync")
    elif "." in wanted and "matrix" not in definition.entries:
        message = f"`{definition_of(wanted)}` has no `matrix`, and is one sync"
        known.reader.problem(name, message, "unknown-sync", f"write: {definition_of(wanted)}")
    return RunSync(name=wanted, full=data(rules, "full", False))


def _records(node: yaml.Mapping, known: Known) -> Doing:
    rules = below(node, "records")
    limit = data(rules, "limit", cast("int | None", None))
    return msgspec.structs.replace(read_records(rules, known), limit=limit)


def read_records(rules: yaml.Mapping, known: Known) -> ReadRecords:
    """Which stored records are meant."""
    return ReadRecords(
        model=text(rules, "model"),
        variant=known.reader.optional_value(rules, "variant", known.names()) or Fixed(BASE),
        where=known.reader.optional(rules, "where", known.names(record=None)),
        changes=texts(rules, "changes") or ("added", "updated"),
    )


def _wait(node: yaml.Mapping, known: Known) -> Doing:
    rules, reader, names = below(node, "wait"), known.reader, known.names()
    wait = Wait(
        for_=reader.optional_value(rules, "for", names),
        until=reader.optional(rules, "until", names),
        webhook=text(rules, "webhook") or None,
        when=reader.optional(rules, "when", known.names(event=None, body=None, headers=None)),
        timeout=seconds(rules, "timeout", 0.0) or None,
        on_timeout=data(rules, "on_timeout", "fail"),
    )
    if wait.webhook is not None:
        _check_durable(node, "wait", known)
    if isinstance(wait.for_, Fixed):
        _check_duration(rules.entries["for"], known)
    return wait


def _check_duration(node: yaml.Node, known: Known) -> None:
    try:
        duration(node.data)
    except ValueError as exc:
        known.reader.problem(node, str(exc), "duration")


def _approve(node: yaml.Mapping, known: Known) -> Doing:
    _check_durable(node, "approve", known)
    rules = below(node, "approve")
    return Approve(
        message=known.reader.value(rules.entries["message"], known.names()),
        timeout=seconds(rules, "timeout", 0.0) or None,
        on_timeout=data(rules, "on_timeout", "fail"),
    )


def _check_durable(node: yaml.Mapping, kind: str, known: Known) -> None:
    """Whoever is waited for may come when the process is long gone."""
    if not known.durable:
        message = f"`{kind}` needs runs that outlive their process"
        known.reader.problem(node.keys[kind], message, "durable", "leave out `durable: false`")


def _set(node: yaml.Mapping, known: Known) -> Doing:
    return Set(values=known.reader.value(node.entries["set"], known.names()))


def _return(node: yaml.Mapping, known: Known) -> Doing:
    return Return(output=known.reader.value(node.entries["return"], known.names()))


def _fail(node: yaml.Mapping, known: Known) -> Doing:
    said = node.entries["fail"]
    rules = said if isinstance(said, yaml.Mapping) else yaml.EMPTY
    message = known.reader.value(rules.entries.get("message", said), known.names())
    return Fail(message=message, kind=text(rules, "kind", "failed"))


#: what does one thing itself
DOING: Final[Mapping[str, Callable[[yaml.Mapping, Known], Doing]]] = {
    "use": _use, "request": _request, "workflow": _workflow, "sync": _sync, "records": _records,
    "wait": _wait, "approve": _approve, "set": _set, "return": _return, "fail": _fail,
}  # fmt: skip
