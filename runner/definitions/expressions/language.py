"""The language as one definition sees it: texts read into compiled expressions, or found wanting."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeVar

from jinja2 import TemplateSyntaxError, nodes

from runner.definitions.expressions.compiled import Expression, Source, Template, Text
from runner.definitions.expressions.names import MAX_DEPTH, Finding, Names, check_names
from runner.definitions.expressions.offered import FILTERS, FUNCTIONS, KEPT_FILTERS, Function, Own
from runner.definitions.expressions.sandbox import Sandbox
from runner.definitions.expressions.syntax import syntax_finding
from runner.definitions.expressions.trees import single

N = TypeVar("N", bound=nodes.Node)

#: characters that one expression or template may have
MAX_LENGTH: Final = 50_000
_KEYWORDS: Final = frozenset((
    "true", "false", "none", "True", "False", "None", "not", "and", "or", "if", "else", "in", "is",
))  # fmt: skip
#: most expressions are nothing but a path, which needs no parser
_PATH = re.compile(r"[A-Za-z]\w*(?:\.[A-Za-z]\w*)*", re.ASCII)
_ONE_PATH = re.compile(rf"\{{\{{ *({_PATH.pattern}) *\}}\}}", re.ASCII)


class Language:
    """The functions of every expression, and a provider's own."""

    def __init__(self) -> None:
        self._sandbox = Sandbox()
        self.functions: dict[str, Function] = dict(FUNCTIONS)
        #: what stands behind a `|`, by name; None where Jinja's own does the work
        self.filters: dict[str, Function | None] = {**dict.fromkeys(KEPT_FILTERS), **FILTERS}

    def add(self, name: str, function: Own) -> None:
        """Offers one more function, as `name(x)` and `x | name`."""
        self.functions[name] = self.filters[name] = function
        self._sandbox.add(name, function)

    def expression(self, origin: Source, names: Names) -> tuple[Expression | None, list[Finding]]:
        """Reads a bare expression; the findings say what is wrong with it, and where in its text."""
        written = origin.text
        if "{{" in written or "{%" in written:
            bare = written.replace("{{", "").replace("}}", "").strip()
            message = "this is always an expression; write it bare"
            return None, [Finding(message, written, 0, f"write: {bare}")]
        if _PATH.fullmatch(written) and written not in _KEYWORDS:
            if _is_known(written, names):
                return Expression(self._sandbox, _path(written, 0), origin), []
            tree, findings = self._checked(written, names, lambda: _path(written, 0))
        else:
            tree, findings = self._checked(written, names, lambda: self._sandbox.read_expression(written))
        return (None if tree is None else Expression(self._sandbox, tree, origin)), findings

    def template(self, origin: Source, names: Names) -> tuple[Template | None, list[Finding]]:
        """Reads a template; exactly one `{{ … }}` gives an expression that keeps its value's type."""
        written = origin.text
        if "{{" not in written and "{%" not in written and "{#" not in written:
            return written, []
        found = _ONE_PATH.fullmatch(written)
        if found and found[1] not in _KEYWORDS:
            if _is_known(found[1], names):
                return Expression(self._sandbox, _path(found[1], found.start(1)), origin), []
            path, findings = self._checked(written, names, lambda: _path(found[1], found.start(1)))
            return (None if path is None else Expression(self._sandbox, path, origin)), findings
        tree, findings = self._checked(written, names, lambda: self._sandbox.read(written))
        if tree is None:
            return None, findings
        only = single(tree)
        if only is not None:
            return Expression(self._sandbox, only, origin), []
        return Text(self._sandbox, tree, origin), []

    def _checked(self, written: str, names: Names, read: Callable[[], N]) -> tuple[N | None, list[Finding]]:
        if len(written) > MAX_LENGTH:
            return None, [Finding(f"this is longer than {MAX_LENGTH:,} characters", "", 0)]
        try:
            tree = read()
        except TemplateSyntaxError as exc:
            return None, [syntax_finding(exc, written)]
        except RecursionError:
            return None, [Finding(f"this is nested more than {MAX_DEPTH} levels deep", "", 0)]
        except ValueError:
            return None, [Finding("the expression cannot be read: a number in it is too long", "", 0)]
        findings = check_names(tree, written, names, self)
        return (None if findings else tree), findings


def _is_known(path: str, names: Names) -> bool:
    """Whether a plain path leads to what its place offers."""
    known: Names | None = names
    steps = path.split(".")
    for step in steps:
        if known is None:
            break
        if step not in known:
            return False
        known = known[step]
    return len(steps) <= MAX_DEPTH


def _path(path: str, start: int) -> nodes.Expr:
    """The tree of a plain path, as Jinja would read it from ``start`` on."""
    name, *steps = path.split(".")
    tree: nodes.Expr = nodes.Name(name, "load", lineno=start + 1)
    position = start + len(name)
    for step in steps:
        tree = nodes.Getattr(tree, step, "load", lineno=position + 1)
        position += 1 + len(step)
    return tree
