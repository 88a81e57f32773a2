"""Reads the values of a checked file into compiled ones, and collects what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar, cast

from runner.definitions import yaml
from runner.definitions.conversions import duration
from runner.definitions.expressions import Expression, Language
from runner.definitions.model import NOTHING, Fixed, ListOf, MapOf, Param, Request, Value
from runner.definitions.names import Finding, Names
from runner.definitions.problems import Problem
from runner.definitions.values import describe, fits
from runner.definitions.words import did_you_mean, there_are

T = TypeVar("T")

#: what is known of an answer
RESPONSE: Names = {"response": {"status": None, "headers": None, "body": None, "url": None}}
#: what is known of the page that is asked for
PAGE: Names = {"page": {"number": None, "offset": None, "size": None, "cursor": None}}


class Reader:
    """Compiles the texts of one file in the language of one provider.

    Args:
        language: the functions that expressions may use.
        problems: where problems are put.
    """

    def __init__(self, language: Language, problems: list[Problem]) -> None:
        self.language = language
        self.problems = problems

    def problem(
        self, node: yaml.Node, message: str, code: str, suggestion: str | None = None, length: int = 1
    ) -> None:
        self.problems.append(Problem(node.place, message, length, suggestion, code=code))

    def expression(self, node: yaml.Node, names: Names) -> Expression:
        """A bare expression; what stands in for a bad one does not matter, since it is never run."""
        source = _source(node)
        found, findings = self.language.expression(source, names)
        self._report(source, findings)
        if found is None:
            found, _ = self.language.expression(_source(yaml.blank("none")), {})
        return cast(Expression, found)

    def value(self, node: yaml.Node, names: Names) -> Value:
        """A template, or a map or list of templates."""
        if isinstance(node, yaml.Mapping):
            return MapOf({key: self.value(child, names) for key, child in node.entries.items()})
        if isinstance(node, yaml.Sequence):
            return ListOf(tuple(self.value(child, names) for child in node.items))
        if not isinstance(node.value, str):
            return Fixed(node.value)
        template, findings = self.language.template(node, names)
        self._report(node, findings)
        return Fixed(template) if template is None or isinstance(template, str) else template

    def values(self, parent: yaml.Mapping, key: str, names: Names) -> Value:
        return self.value(parent.entries[key], names) if key in parent.entries else NOTHING

    def optional(self, parent: yaml.Mapping, key: str, names: Names) -> Expression | None:
        return self.expression(parent.entries[key], names) if key in parent.entries else None

    def optional_value(self, parent: yaml.Mapping, key: str, names: Names) -> Value | None:
        return self.value(parent.entries[key], names) if key in parent.entries else None

    def output(self, parent: yaml.Mapping, key: str, names: Names) -> Value | None:
        """One expression, or a map of expressions."""
        node = parent.entries.get(key)
        if node is None:
            return None
        if isinstance(node, yaml.Mapping):
            return MapOf({name: self.expression(child, names) for name, child in node.entries.items()})
        return self.expression(node, names)

    def request(self, node: yaml.Mapping, names: Names) -> Request:
        return Request(
            place=node.place,
            method=text(node, "method", "GET"),
            path=self.optional_value(node, "path", names),
            url=self.optional_value(node, "url", names),
            query=self.values(node, "query", names),
            headers=self.values(node, "headers", names),
            json=self.optional_value(node, "json", names),
            form=self.optional_value(node, "form", names),
            body=self.optional_value(node, "body", names),
            timeout=seconds(node, "timeout", 120.0),
        )

    def one_of(self, node: yaml.Node, known: Iterable[str], what: str) -> str | None:
        """The name that a node gives, where it is one of ``known``."""
        known = sorted(known)
        node = _source(node)
        if node.text in known:
            return node.text
        mend = did_you_mean(node.text, known, there_are(known) if known else "there are none")
        self.problem(
            node, f"there is no {what} `{node.text}`", f"unknown-{what}", mend, max(1, len(node.text))
        )
        return None

    def arguments(self, node: yaml.Mapping, name: str, params: Mapping[str, Param], names: Names) -> Value:
        """What an operation is given, held against its parameters."""
        given = node.entries.get("with")
        entries = given.entries if isinstance(given, yaml.Mapping) else {}
        for key in entries:
            if key not in params:
                mend = did_you_mean(key, params, f"it takes: {', '.join(params) or 'none'}")
                where = cast(yaml.Mapping, given).keys[key]
                self.problem(where, f"`{name}` takes no `{key}`", "unknown-param", mend, len(key))
        for param in params.values():
            if param.required and param.name not in entries:
                at = node.keys.get("use", node)
                self.problem(
                    at,
                    f"`{name}` needs `{param.name}`",
                    "missing-param",
                    f"add it below `with`: {param.description}",
                )
            elif param.name in entries:
                self._check_constant(entries[param.name], param)
        return self.value(given, names) if given is not None else MapOf({})

    def _check_constant(self, node: yaml.Node, param: Param) -> None:
        data = node.data
        if param.type == "any" or data is None or (isinstance(data, str) and "{" in data):
            return
        if not fits(data, param.type):
            self.problem(node, f"`{param.name}` must be {param.type}, found {describe(data)}", "type")

    def _report(self, source: yaml.Scalar, findings: list[Finding]) -> None:
        for finding in findings:
            width = len(finding.found.split("\n")[0]) or 1
            place = source.at(finding.offset)
            self.problems.append(
                Problem(place, finding.message, width, finding.suggestion, code="expression")
            )


def _source(node: yaml.Node) -> yaml.Scalar:
    return cast(yaml.Scalar, node)


def mapping(node: yaml.Node | None) -> yaml.Mapping:
    """The map that the schema has already seen to be there; an empty one where there is none."""
    return node if isinstance(node, yaml.Mapping) else yaml.EMPTY


def items(node: yaml.Mapping, key: str) -> list[yaml.Node]:
    """The list under a key; an empty one where there is none."""
    found = node.entries.get(key)
    return found.items if isinstance(found, yaml.Sequence) else []


def text(node: yaml.Mapping, key: str, default: str = "") -> str:
    found = node.entries.get(key)
    return found.text if isinstance(found, yaml.Scalar) else default


def data(node: yaml.Mapping, key: str, default: T) -> T:
    """The value under a key as data; the schema has seen to its type."""
    found = node.entries.get(key)
    return default if found is None else cast(T, found.data)


def seconds(node: yaml.Mapping, key: str, default: float) -> float:
    found = node.entries.get(key)
    return duration(found.data) if found is not None else default


def read_params(node: yaml.Node | None) -> dict[str, Param]:
    return {name: _param(name, mapping(child)) for name, child in mapping(node).entries.items()}


def _param(name: str, node: yaml.Mapping) -> Param:
    has_default = "default" in node.entries
    return Param(
        name=name,
        type=text(node, "type", "any"),
        description=text(node, "description"),
        required=data(node, "required", not has_default),
        default=data(node, "default", None),
        has_default=has_default,
        enum=tuple(data(node, "enum", cast(list[object], []))),
    )
