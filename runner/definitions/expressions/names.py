"""The check of names: an expression may mention only what its place offers, known at load time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from math import isfinite
from typing import Final, NamedTuple, Protocol

from jinja2 import nodes

from runner.definitions.expressions.offered import ELSEWHERE, TESTS, TEXT_METHODS, Takes
from runner.definitions.words import did_you_mean

#: name → the names below it, or None where anything may be below
Names = Mapping[str, "Names | None"]

#: levels that an expression may nest; what Python compiles it to knows a limit as well
MAX_DEPTH: Final = 50
#: loops within loops
MAX_LOOPS: Final = 10
#: findings that are told of one text
_MAX_FINDINGS: Final = 10
#: names that a message lists whole
_MAX_LISTED: Final = 12
_STATEMENTS = (nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign, nodes.Template)
#: filters whose first argument is the name of a filter, and of a test; for two of them the second
_BY_FILTER: Final = {"map": 0}
_BY_TEST: Final = {"select": 0, "reject": 0, "selectattr": 1, "rejectattr": 1}


class Finding(NamedTuple):
    """What is wrong with a piece of text, and where in it."""

    message: str
    found: str
    offset: int
    suggestion: str | None = None


class Offered(Protocol):
    """What every expression of a definition may call."""

    @property
    def functions(self) -> Mapping[str, object]: ...

    @property
    def filters(self) -> Mapping[str, object]: ...


def check_names(tree: nodes.Node, text: str, names: Names, offered: Offered) -> list[Finding]:
    """Every name, function, filter, test and statement that its place does not offer, in order.

    Args:
        tree: what ``text`` says; each node's line is the offset of its token, counted from 1.
    """
    check = _Check(text, names, offered)
    with suppress(_Enough):
        check.visit(tree, frozenset(), 0)
    return sorted(check.findings, key=lambda finding: finding.offset)


class _Enough(Exception):
    """So much is wrong that telling more of it helps nobody."""


class _Check:
    def __init__(self, text: str, names: Names, offered: Offered) -> None:
        self.text = text
        self.names = names
        self.offered = offered
        self.loops = 0
        self.findings: list[Finding] = []

    def visit(self, node: nodes.Node, local: frozenset[str], depth: int) -> None:
        if depth > MAX_DEPTH:
            self._add("", f"this is nested more than {MAX_DEPTH} levels deep", node)
            raise _Enough
        if isinstance(node, nodes.Stmt) and not isinstance(node, _STATEMENTS):
            self._statement(node)
        elif isinstance(node, nodes.For):
            self._for(node, local, depth)
        elif isinstance(node, (nodes.Template, nodes.If)):
            self._block(node.iter_child_nodes(), local, depth)
        elif isinstance(node, nodes.Name) and node.ctx == "load":
            self._name(node, local)
        elif isinstance(node, (nodes.Getattr, nodes.Getitem)):
            self._path(node, local, depth)
        else:
            self._other(node, local, depth)

    def _other(self, node: nodes.Node, local: frozenset[str], depth: int) -> None:
        if isinstance(node, nodes.Call):
            self._call(node, local, depth)
            return
        if isinstance(node, nodes.Filter):
            self._filter(node)
        elif isinstance(node, nodes.Const) and isinstance(node.value, float) and not isfinite(node.value):
            self._add("", "this is no number that JSON can say", node)
        elif isinstance(node, nodes.Test) and node.name not in TESTS:
            self._unknown(node.name, "there is no test `%s`", TESTS, node)
        self._below(node.iter_child_nodes(), local, depth)

    def _below(self, children: Iterable[nodes.Node], local: frozenset[str], depth: int) -> None:
        for child in children:
            self.visit(child, local, depth + 1)

    def _statement(self, node: nodes.Stmt) -> None:
        word = re.match(r"\w*", self.text[node.lineno - 1 :])
        tag = word[0] if word and word[0] else type(node).__name__.lower()
        what = "with a block" if tag == "set" else "is not offered; there are if, for and set"
        self._add(tag, f"{{% {tag} %}} {what}", node)

    def _block(self, children: Iterable[nodes.Node], local: frozenset[str], depth: int) -> None:
        for child in children:
            self.visit(child, local, depth + 1)
            if isinstance(child, nodes.Assign):
                local |= _targets(child.target)
            elif isinstance(child, nodes.If):
                local |= {name for assign in child.find_all(nodes.Assign) for name in _targets(assign.target)}

    def _for(self, node: nodes.For, local: frozenset[str], depth: int) -> None:
        if node.recursive:
            self._add("recursive", "a recursive loop is not offered", node)
        self.loops += 1
        if self.loops > MAX_LOOPS:
            self._add("for", f"loops are nested more than {MAX_LOOPS} deep", node)
            raise _Enough
        self.visit(node.iter, local, depth + 1)
        inner = local | _targets(node.target) | {"loop"}
        if node.test is not None:
            self.visit(node.test, inner, depth + 1)
        self._block(node.body, inner, depth)
        self._block(node.else_, local, depth)
        self.loops -= 1

    def _name(self, node: nodes.Name, local: frozenset[str]) -> None:
        if node.name in local or node.name in self.names:
            return
        if node.name in self.offered.functions:
            self._add(node.name, f"`{node.name}` is a function; call it with `(…)`", node)
            return
        self._unknown(node.name, "`%s` is not known here", [*self.names, *local], node)

    def _call(self, node: nodes.Call, local: frozenset[str], depth: int) -> None:
        target, functions = node.node, self.offered.functions
        if isinstance(target, nodes.Name):
            if target.name not in functions:
                self._unknown(target.name, "there is no function `%s`", functions, target)
            else:
                self._arguments(target.name, functions[target.name], node, target)
        elif isinstance(target, nodes.Getattr):
            self.visit(target.node, local, depth + 1)
            if target.attr not in TEXT_METHODS:
                self._unknown(target.attr, "`.%s()` cannot be called", TEXT_METHODS, target)
        else:
            self._add("(", "only functions and methods of text can be called", node)
        self._below((child for child in node.iter_child_nodes() if child is not target), local, depth)

    def _filter(self, node: nodes.Filter) -> None:
        filters = self.offered.filters
        if node.name not in filters:
            self._unknown(node.name, "there is no filter `%s`", filters, node)
            return
        self._arguments(node.name, filters[node.name], node, node, piped=1)
        for by, known, what in ((_BY_FILTER, filters, "filter"), (_BY_TEST, TESTS, "test")):
            index = by.get(node.name)
            if index is not None and len(node.args) > index:
                self._named(node.args[index], known, what, node)

    def _named(self, given: nodes.Expr, known: Iterable[str], what: str, node: nodes.Filter) -> None:
        """The name of a filter or test, as a text."""
        if not isinstance(given, nodes.Const) or not isinstance(given.value, str):
            self._add(node.name, f"`{node.name}` takes the name of a {what} between quotes", node)
        elif given.value not in known:
            self._unknown(given.value, f"there is no {what} `%s`", known, given)

    def _arguments(
        self, name: str, function: object, node: nodes.Call | nodes.Filter, at: nodes.Node, piped: int = 0
    ) -> None:
        takes = Takes.of(function)
        if takes is None or node.dyn_args is not None or node.dyn_kwargs is not None:
            return
        given = piped + len(node.args)
        named = {str(getattr(one, "key", "")) for one in node.kwargs}
        missing = [one for one in takes.names[given : takes.needed] if one not in named]
        if missing:
            self._add(name, f"`{name}` needs `{missing[0]}`", at)
        if given > len(takes.names) and not takes.more:
            most = len(takes.names) - piped
            self._add(name, f"`{name}` takes {most or 'no'} argument{'s' if most != 1 else ''} here", at)
        for key in sorted(named - set(takes.names[given:])):
            self._unknown(key, f"`{name}` takes no `%s`", takes.names, at)

    def _path(self, node: nodes.Getattr | nodes.Getitem, local: frozenset[str], depth: int) -> None:
        chain, inner = _chain(node)
        for name, step in chain:
            if isinstance(step, nodes.Getattr) and name.startswith("_"):
                self._add(name, f"`.{name}`: a name that begins with `_` is written ['…']", step)
                return
        if len(chain) > MAX_DEPTH:
            self._add("", f"this is nested more than {MAX_DEPTH} levels deep", node)
            raise _Enough
        if isinstance(inner, nodes.Name) and inner.name not in local and inner.name in self.names:
            self._known_path(inner.name, chain)
        else:
            self._below([inner] if chain else node.iter_child_nodes(), local, depth)

    def _known_path(self, root: str, chain: list[tuple[str, nodes.Node]]) -> None:
        below, walked = self.names[root], root
        for name, node in chain:
            if below is None:
                return
            if name not in below:
                self._unknown(name, f"`{walked}` has no `%s`", below, node)
                return
            below, walked = below[name], f"{walked}.{name}"

    def _unknown(self, word: str, message: str, known: Iterable[str], node: nodes.Node) -> None:
        offered = sorted(known)
        elsewhere = ELSEWHERE.get(word)
        guess = f"did you mean `{elsewhere}`?" if elsewhere in offered else did_you_mean(word, offered)
        listed = "" if guess or len(offered) > _MAX_LISTED else _listed(offered)
        self._add(word, message % word + listed, node, guess)

    def _add(self, word: str, message: str, node: nodes.Node, suggestion: str | None = None) -> None:
        offset = max(0, self.text.find(word, node.lineno - 1))
        self.findings.append(Finding(message, word, offset, suggestion))
        if len(self.findings) >= _MAX_FINDINGS:
            raise _Enough


def _listed(offered: list[str]) -> str:
    if len(offered) == 1:
        return f"; there is only `{offered[0]}`"
    return f"; there are {', '.join(offered) or 'none'}"


def _targets(target: nodes.Node) -> frozenset[str]:
    """The names that a loop or a `set` gives values to."""
    if isinstance(target, nodes.Name):
        return frozenset((target.name,))
    return frozenset(name.name for name in target.find_all(nodes.Name))


def _chain(node: nodes.Node) -> tuple[list[tuple[str, nodes.Node]], nodes.Node]:
    """The steps of a path from its root on, each with its node; and its root."""
    steps: list[tuple[str, nodes.Node]] = []
    while isinstance(node, (nodes.Getattr, nodes.Getitem)):
        if isinstance(node, nodes.Getattr):
            steps.append((node.attr, node))
        elif isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            steps.append((node.arg.value, node))
        else:
            break
        node = node.node
    return steps[::-1], node
