"""What a definition may name beside its own provider: other integrations, workflows and syncs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from runner.definitions import yaml
from runner.definitions.build.keys import below, mapping
from runner.definitions.build.reader import Reader
from runner.definitions.expressions import Names
from runner.definitions.model import CallWorkflow, Provider
from runner.definitions.words import did_you_mean
from runner.errors import Problem


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """The other definitions of a project, as they were read."""

    providers: Mapping[str, Provider] = {}
    #: name → its file
    workflows: Mapping[str, yaml.Mapping] = {}
    syncs: Mapping[str, yaml.Mapping] = {}


def read_call_workflow(node: yaml.Mapping, around: Around, reader: Reader, names: Names) -> CallWorkflow:
    """`workflow` and `with`: another workflow and what it is given, held against its input."""
    name = reader.one_of(node.entries["workflow"], around.workflows, "workflow")
    given = below(node, "with")
    if name is not None:
        _check_input(node, name, below(around.workflows[name], "input"), reader)
    return CallWorkflow(name=name or "", input=reader.value(given, names))


def _check_input(node: yaml.Mapping, name: str, inputs: yaml.Mapping, reader: Reader) -> None:
    given = below(node, "with")
    for key, where in given.keys.items():
        if key not in inputs.entries:
            mend = did_you_mean(key, inputs.entries, f"it takes: {', '.join(inputs.entries) or 'none'}")
            reader.problem(where, f"`{name}` takes no `{key}`", "unknown-input", mend)
    for key, rules in inputs.entries.items():
        optional = {"default", "optional"} & set(mapping(rules).entries)
        if key not in given.entries and not optional:
            mend = "add it below `with`"
            reader.problem(node.keys["workflow"], f"`{name}` needs `{key}`", "missing-input", mend)


def circles(workflows: Mapping[str, yaml.Mapping]) -> list[Problem]:
    """The workflows that call themselves, by whatever way: one problem for each, where its circle begins."""
    calls = {name: dict(_called(node)) for name, node in workflows.items()}
    problems, told = [], set[frozenset[str]]()
    for name in sorted(calls):
        way = _way_back(name, calls)
        if way is not None and frozenset(way) not in told:
            told.add(frozenset(way))
            first = calls[name][way[1]]
            message = f"`{name}` calls itself: {' → '.join(way)}"
            mend = "a step that is done again is written with `repeat` or `foreach`"
            problems.append(Problem(first.place, message, len(first.text), mend, code="circle"))
    return problems


def _called(node: yaml.Node) -> Iterator[tuple[str, yaml.Scalar]]:
    """Every workflow that is called below a node, and where."""
    if isinstance(node, yaml.Mapping):
        named = node.entries.get("workflow")
        if isinstance(named, yaml.Scalar) and "version" not in node.entries:
            yield named.text, named
        for child in node.entries.values():
            yield from _called(child)
    elif isinstance(node, yaml.Sequence):
        for child in node.items:
            yield from _called(child)


def _way_back(name: str, calls: Mapping[str, Mapping[str, yaml.Scalar]]) -> list[str] | None:
    """The shortest way from a workflow to itself, its name first and last."""
    ways = [[name]]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        for following in calls.get(way[-1], {}):
            if following == name:
                return [*way, name]
            if following not in seen:
                seen.add(following)
                ways.append([*way, following])
    return None
