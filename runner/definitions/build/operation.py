"""Operations, and the calls that use them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from runner.definitions import yaml
from runner.definitions.build.job import read_job
from runner.definitions.build.keys import below, data, items, mapping, size, text
from runner.definitions.build.known import CONNECTION, JOB, KEY, PAGE, RESPONSE
from runner.definitions.build.paginate import read_paginate
from runner.definitions.build.params import read_params, warn_unused
from runner.definitions.build.reader import Reader
from runner.definitions.build.request import read_request
from runner.definitions.expressions import Expression, Names, Text
from runner.definitions.model import (
    Call,
    Csv,
    Fixed,
    MapOf,
    Operation,
    Param,
    Request,
    ResponseRule,
    Value,
)
from runner.definitions.words import did_you_mean

#: what the texts of a CSV may stand for
CSV_TYPES: Final = ("text", "number", "integer", "boolean", "timestamp")

#: names that a parameter cannot have
_TAKEN: Final = frozenset(
    ("config", "credentials", "connection", "page", "response", "job", "part", "idempotency_key")
)


def read_operations(node: yaml.Mapping, reader: Reader, names: Names) -> dict[str, Operation]:
    """Operations by name.

    Args:
        names: what every expression of the provider knows.
    """
    return {name: _operation(name, mapping(child), reader, names) for name, child in node.entries.items()}


def _operation(name: str, node: yaml.Mapping, reader: Reader, known: Names) -> Operation:
    reader.mentioned.clear()
    params = read_params(below(node, "params"), reader, taken=_TAKEN)
    operation = _read(name, node, params, reader, known)
    warn_unused(node, "params", reader.mentioned, reader)
    return operation


def _read(
    name: str, node: yaml.Mapping, params: Mapping[str, Param], reader: Reader, known: Names
) -> Operation:
    names: Names = {**known, **PAGE, **CONNECTION, **dict.fromkeys(params)}
    job = read_job(below(node, "job"), reader, names)
    results = below(below(node, "job"), "results") if job is not None else node
    if job is not None:
        names = {**names, **JOB}
    answer: Names = {**names, **RESPONSE}
    request = read_request(below(results, "request"), reader, {**names, **KEY})
    sent = request if job is None else job.submit
    writes = data(node, "writes", sent.method not in ("GET", "HEAD"))
    limits = below(node, "limits")
    return Operation(
        name=name,
        place=node.place,
        description=text(node, "description"),
        params=params,
        request=request,
        answer=size(limits, "answer", 0) or None,
        job=job,
        writes=writes,
        idempotent=data(node, "idempotent", not writes or sent.keyed or sent.method in ("PUT", "DELETE")),
        format=_format(results),
        csv=_csv(below(results, "csv"), reader, names),
        records=reader.optional(results, "records", answer),
        paginate=read_paginate(below(results, "paginate"), reader, answer),
        checkpoint=reader.optional(node, "checkpoint", {**answer, "records": None}),
        responses=tuple(_response(mapping(rule), reader, answer) for rule in items(node, "responses")),
        output=reader.output(node, "output", answer),
    )


def _format(node: yaml.Mapping) -> tuple[str, ...]:
    given = data(node, "format", cast("str | list[str]", "json"))
    return (given,) if isinstance(given, str) else tuple(given)


def _csv(node: yaml.Mapping, reader: Reader, names: Names) -> Csv:
    for type_ in below(node, "types").entries.values():
        if not isinstance(type_, yaml.Scalar) or "{" not in type_.text:
            reader.one_of(type_, CSV_TYPES, "type")
    return Csv(
        delimiter=text(node, "delimiter", ","),
        nested=text(node, "nested") or None,
        empty=text(node, "empty", "null"),
        types=reader.values(node, "types", names),
    )


def _response(node: yaml.Mapping, reader: Reader, names: Names) -> ResponseRule:
    return ResponseRule(
        when=reader.expression(node.entries["when"], names),
        means=text(node, "is"),
        kind=text(node, "kind") or None,
        hint=reader.optional_value(node, "hint", names),
    )


def read_call(
    node: yaml.Mapping,
    operations: Mapping[str, Operation],
    reader: Reader,
    names: Names,
    when: Expression | None = None,
) -> Call:
    """`use` and `with`: an operation and what it is given, held against its parameters."""
    place = node.entries["use"].place
    name = reader.one_of(node.entries["use"], operations, "operation")
    if name is None:
        # Never run: the definitions that it stands in are not valid.
        unknown = Operation(name="", place=place, request=Request(place=place))
        return Call(operation=unknown, arguments=MapOf({}), place=place)
    arguments = _arguments(node, operations[name], reader, names)
    return Call(operation=operations[name], arguments=arguments, place=place, when=when)


def _arguments(node: yaml.Mapping, operation: Operation, reader: Reader, names: Names) -> Value:
    with_, params = below(node, "with"), operation.params
    given = {key: reader.value(child, names) for key, child in with_.entries.items()}
    for key, where in with_.keys.items():
        if key in params:
            _check_constant(with_.entries[key], given[key], params[key], reader)
        else:
            mend = did_you_mean(key, params, f"it takes: {', '.join(params) or 'none'}")
            reader.problem(where, f"`{operation.name}` takes no `{key}`", "unknown-param", mend)
    for param in params.values():
        if param.required and not param.has_default and param.name not in given:
            message = f"`{operation.name}` needs `{param.name}`"
            mend = f"add it below `with`: {param.description}".rstrip(": ")
            reader.problem(node.keys["use"], message, "missing-param", mend)
    return MapOf(given)


def _check_constant(node: yaml.Node, given: Value, param: Param, reader: Reader) -> None:
    """A value that is written out is held against the parameter now; what is within a map or list is not."""
    if isinstance(given, (Expression, Text)):
        return
    wrong = param.misfit(node.data) if isinstance(given, Fixed) else param.mistyped(node.data)
    if wrong is not None:
        reader.problem(node, f"`{param.name}` {wrong}", "type")
