"""Reads the values of a checked file into compiled ones, and collects what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from runner.definitions import yaml
from runner.definitions.expressions import Expression, Finding, Language, Names
from runner.definitions.model import NOTHING, Fixed, ListOf, MapOf, Value
from runner.definitions.words import did_you_mean, there_are
from runner.errors import Problem


class Reader:
    """Compiles the texts of one file in the language of one provider.

    Args:
        language: the functions that expressions may use.
        problems: where problems are put.
    """

    def __init__(self, language: Language, problems: list[Problem]) -> None:
        self.language = language
        self.problems = problems
        #: every name that was mentioned so far
        self.mentioned: set[str] = set()

    def problem(self, node: yaml.Node, message: str, code: str, suggestion: str | None = None) -> None:
        self.problems.append(Problem(node.place, message, node.width, suggestion, code=code))

    def warning(self, node: yaml.Node, message: str, code: str, suggestion: str | None = None) -> None:
        """Notes what is surely not as it was meant, though it can be run."""
        problem = Problem(node.place, message, node.width, suggestion, code=code, severity="warning")
        self.problems.append(problem)

    def expression(self, node: yaml.Node, names: Names) -> Expression:
        """A bare expression; what stands in for a bad one does not matter, since it is never run."""
        source = cast(yaml.Scalar, node)
        found, findings = self.language.expression(source, names)
        self._report(source, findings)
        if found is None:
            found, _ = self.language.expression(yaml.blank("none"), {})
        else:
            self.mentioned |= found.names
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
        if template is None or isinstance(template, str):
            return Fixed(template)
        self.mentioned |= template.names
        return template

    def values(self, parent: yaml.Mapping, key: str, names: Names) -> Value:
        """What stands under a key; nothing where it is not there."""
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

    def one_of(self, node: yaml.Node, known: Iterable[str], what: str) -> str | None:
        """The name that a node gives, where it is one of ``known``."""
        known = sorted(known)
        name = cast(yaml.Scalar, node).text
        if name in known:
            return name
        mend = did_you_mean(name, known, there_are(known) if known else "there are none")
        self.problem(node, f"there is no {what} `{name}`", f"unknown-{what}", mend)
        return None

    def _report(self, source: yaml.Scalar, findings: list[Finding]) -> None:
        for finding in findings:
            width = len(finding.found.split("\n")[0]) or 1
            place = source.at(finding.offset)
            self.problems.append(
                Problem(place, finding.message, width, finding.suggestion, code="expression")
            )
