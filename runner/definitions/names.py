"""The check of names: an expression may mention only what its place offers, known at load time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from jinja2 import nodes

from runner.definitions.functions import KEPT_TESTS
from runner.definitions.words import did_you_mean

#: name → the names below it, or None where anything may be below
Names = Mapping[str, "Names | None"]


class Finding(NamedTuple):
    """What is wrong with a piece of text, and where in it."""

    message: str
    found: str
    offset: int
    suggestion: str | None = None


class Offered(Protocol):
    """What every expression of a definition may call."""

    functions: dict[str, object]

    @property
    def filters(self) -> frozenset[str]: ...


_STATEMENTS = (nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign, nodes.Template)


def check_names(tree: nodes.Template, text: str, names: Names, offered: object) -> list[Finding]:
    """Every name, filter, test and statement in ``tree`` that its place does not offer, in order."""
    check = _Check(text, names, offered)
    check.visit(tree, frozenset())
    return sorted(check.findings, key=lambda finding: finding.offset)


class _Check:
    def __init__(self, text: str, names: Names, offered: object) -> None:
        self.text = text
        self.names = names
        self.functions: Mapping[str, object] = offered.functions  # type: ignore[attr-defined]
        self.filters: frozenset[str] = offered.filters  # type: ignore[attr-defined]
        self.findings: list[Finding] = []

    def visit(self, node: nodes.Node, local: frozenset[str]) -> None:
        if isinstance(node, nodes.Stmt) and not isinstance(node, _STATEMENTS):
            self._add(
                type(node).__name__.lower(), "{%% %s %%} is not offered; there are if, for and set", node
            )
            return
        if isinstance(node, nodes.For):
            self._for(node, local)
            return
        if isinstance(node, (nodes.Template, nodes.If)):
            self._block(node, local)
            return
        self._one(node, local)

    def _block(self, node: nodes.Node, local: frozenset[str]) -> None:
        for child in node.iter_child_nodes():
            self.visit(child, local)
            if isinstance(child, nodes.Assign) and isinstance(child.target, nodes.Name):
                local = local | {child.target.name}

    def _for(self, node: nodes.For, local: frozenset[str]) -> None:
        if node.recursive:
            self._add("recursive", "a recursive loop is not offered (%s)", node)
        self.visit(node.iter, local)
        inner = local | {name.name for name in node.target.find_all(nodes.Name)} | {"loop"}
        if isinstance(node.target, nodes.Name):
            inner |= {node.target.name}
        if node.test is not None:
            self.visit(node.test, inner)
        for child in (*node.body, *node.else_):
            self.visit(child, inner)
            if isinstance(child, nodes.Assign) and isinstance(child.target, nodes.Name):
                inner |= {child.target.name}

    def _one(self, node: nodes.Node, local: frozenset[str]) -> None:
        if isinstance(node, nodes.Name) and node.ctx == "load":
            self._name(node, local)
        elif isinstance(node, (nodes.Getattr, nodes.Getitem)):
            self._path(node, local)
            return
        elif isinstance(node, nodes.Call):
            self._call(node, local)
            return
        elif isinstance(node, nodes.Filter) and node.name not in self.filters:
            self._unknown(node.name, "there is no filter `%s`", self.filters, node)
        elif isinstance(node, nodes.Test) and node.name not in KEPT_TESTS | {"present"}:
            self._unknown(node.name, "there is no test `%s`", KEPT_TESTS, node)
        for child in node.iter_child_nodes():
            self.visit(child, local)

    def _name(self, node: nodes.Name, local: frozenset[str]) -> None:
        if node.name in local or node.name in self.names:
            return
        if node.name in self.functions:
            self._add(node.name, "`%s` is a function; call it with `(…)`", node)
            return
        self._unknown(node.name, "`%s` is not known here", [*self.names, *local], node)

    def _call(self, node: nodes.Call, local: frozenset[str]) -> None:
        from runner.definitions.expressions import TEXT_METHODS

        target = node.node
        if isinstance(target, nodes.Name):
            if target.name not in self.functions:
                self._unknown(target.name, "there is no function `%s`", self.functions, target)
        elif isinstance(target, nodes.Getattr):
            self.visit(target.node, local)
            if target.attr not in TEXT_METHODS:
                self._unknown(target.attr, "`.%s()` cannot be called", TEXT_METHODS, target)
        else:
            self._add("(", "only functions can be called, found `%s` behind something else", node)
        for child in (*node.args, *node.kwargs):
            self.visit(child, local)

    def _path(self, node: nodes.Getattr | nodes.Getitem, local: frozenset[str]) -> None:
        if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            self._add(node.attr, "`.%s`: a name that begins with `_` is written ['…']", node)
            return
        chain: list[str] = []
        inner: nodes.Node = node
        while isinstance(inner, nodes.Getattr):
            chain.append(inner.attr)
            inner = inner.node
        if isinstance(inner, nodes.Name) and chain and inner.name not in local and inner.name in self.names:
            self._known_path(inner.name, chain[::-1], node)
            return
        for child in node.iter_child_nodes():
            self.visit(child, local)

    def _known_path(self, root: str, chain: list[str], node: nodes.Node) -> None:
        below, walked = self.names[root], root
        for name in chain:
            if below is None:
                return
            if name not in below:
                self._unknown(name, f"`{walked}` has no `%s`", below, node)
                return
            below, walked = below[name], f"{walked}.{name}"

    def _unknown(self, word: str, message: str, known: Iterable[str], node: nodes.Node) -> None:
        known = sorted(name for name in known if not name.startswith("_"))
        guess = did_you_mean(word, known)
        offers = "; there are " + ", ".join(known) if known and len(known) <= 12 and not guess else ""
        self._add(word, message + offers.replace("%", "%%"), node, guess)

    def _add(self, word: str, message: str, node: nodes.Node, suggestion: str | None = None) -> None:
        self.findings.append(Finding(message % word, word, self._offset(word, node), suggestion))

    def _offset(self, word: str, node: nodes.Node) -> int:
        """Jinja knows the line of a name; its column is where the word first stands on that line."""
        start = 0
        for _ in range(max(0, node.lineno - 1)):
            start = self.text.find("\n", start) + 1
        pattern = re.compile(rf"(?<![\w]){re.escape(word)}(?![\w])")
        found = pattern.search(self.text, start) or pattern.search(self.text)
        return found.start() if found else 0
