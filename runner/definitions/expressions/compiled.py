"""Compiled expressions and templates: frozen once made, cheap to evaluate many times."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Protocol

from jinja2 import Template as JinjaTemplate
from jinja2 import TemplateError, nodes

from runner.definitions.bounds import MAX_TEXT, TooMuch, bounded, weigh, within_bounds
from runner.definitions.expressions.sandbox import PartMissing, Sandbox
from runner.definitions.expressions.trees import builds, guarded, names_in, numbered, plain_path, weight
from runner.definitions.values import ABSENT, Absent
from runner.errors import ExpressionError, Place

Scope = Mapping[str, object]

_TROUBLE: Final = (
    TemplateError, TooMuch, TypeError, ValueError, ArithmeticError, LookupError, AttributeError,
    AssertionError, RecursionError,
)  # fmt: skip
#: characters of an expression that a message shows
_SHOWN: Final = 120
_NO_ORDER = re.compile(r"'([<>]=?)' not supported between instances of '(\w+)' and '(\w+)'")
_TYPES: Final = {
    "str": "a text", "int": "a number", "float": "a number", "bool": "true or false", "dict": "a map",
    "list": "a list", "NoneType": "null", "Absent": "an absent value",
}  # fmt: skip


class Source(Protocol):
    """Text of a definition that knows where each of its characters stands."""

    @property
    def text(self) -> str: ...

    def at(self, offset: int) -> Place: ...


class Expression:
    """A compiled expression.

    Args:
        tree: what ``source`` says; it is compiled on the first evaluation.
    """

    __slots__ = ("_origin", "_run", "_sandbox", "_tree", "path")

    def __init__(self, sandbox: Sandbox, tree: nodes.Expr, origin: Source) -> None:
        #: `("record", "Account", "Name")` where the expression is nothing but that path
        self.path = plain_path(tree)
        self._sandbox = sandbox
        self._tree = tree
        self._origin = origin
        self._run: Callable[[Scope], object] | None = None

    @property
    def source(self) -> str:
        """What stands in the file."""
        return self._origin.text

    @property
    def place(self) -> Place:
        return self._origin.at(0)

    @property
    def names(self) -> frozenset[str]:
        """What it mentions of a scope."""
        return names_in(self._tree)

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"

    def evaluate(self, scope: Scope) -> object:
        """The value in ``scope``; `Absent` where there is none.

        Raises:
            ExpressionError: a value on the way is not one that the expression can use.
        """
        if self._run is None:
            self._run = self._compiled()
        try:
            return self._run(scope)
        except _TROUBLE as exc:
            raise _trouble(self.source, self.place, exc) from exc

    def holds(self, scope: Scope) -> bool:
        return bool(self.evaluate(scope))

    def _compiled(self) -> Callable[[Scope], object]:
        if self.path is not None:
            return _path_reader(self.path)
        return _value_reader(self._sandbox, self._tree)


class Text:
    """A template that has text around its expressions, or statements in it."""

    __slots__ = ("_origin", "_run", "_sandbox", "_tree")

    def __init__(self, sandbox: Sandbox, tree: nodes.Template, origin: Source) -> None:
        self._sandbox = sandbox
        self._tree = tree
        self._origin = origin
        self._run: Callable[[Scope], str] | None = None

    @property
    def source(self) -> str:
        """What stands in the file."""
        return self._origin.text

    @property
    def place(self) -> Place:
        return self._origin.at(0)

    @property
    def names(self) -> frozenset[str]:
        """What it mentions of a scope."""
        return names_in(self._tree)

    def __repr__(self) -> str:
        return f"Text({self.source!r})"

    def evaluate(self, scope: Scope) -> str:
        """The text in ``scope``.

        Raises:
            ExpressionError: a part is absent or null, or a value is not one that it can use.
        """
        if self._run is None:
            self._run = _text_reader(self._sandbox, self._tree)
        try:
            return self._run(scope)
        except PartMissing as exc:
            offset, part = _part(self._sandbox, self.source, exc.number)
            raise ExpressionError(
                f"`{part}` is {exc.found} and stands inside a text",
                where=self._origin.at(offset),
                hint="give it another value with `| default('…')`, or leave it out with `{% if … %}`",
            ) from exc
        except _TROUBLE as exc:
            raise _trouble(self.source, self.place, exc) from exc


#: what a template's text compiles to: a constant, one expression, or text with expressions in it
Template = str | Expression | Text


def _path_reader(path: tuple[str, ...]) -> Callable[[Scope], object]:
    def read(scope: Scope) -> object:
        value: object = scope
        for name in path:
            if isinstance(value, Mapping):
                value = value.get(name, ABSENT)
                if value is ABSENT:
                    return Absent(name=".".join(path))
            elif value is None:
                return None
            else:
                return Absent(name=".".join(path))
        return value

    return read


def _value_reader(sandbox: Sandbox, tree: nodes.Expr) -> Callable[[Scope], object]:
    cost, is_built = weight(tree), builds(tree)
    target = nodes.Name("_result", "store", lineno=1)
    body = nodes.Template([nodes.Assign(target, guarded(tree), lineno=1)], lineno=1)
    template = _compile(sandbox, body)

    def run(scope: Scope) -> object:
        context = template.new_context(dict(scope))
        for _ in template.root_render_func(context):
            pass
        result = bounded(context.vars["_result"])
        if is_built:
            weigh(result)
        return result

    return within_bounds(run, cost)


def _text_reader(sandbox: Sandbox, tree: nodes.Template) -> Callable[[Scope], str]:
    cost = weight(tree)
    template = _compile(sandbox, numbered(guarded(tree)))

    def run(scope: Scope) -> str:
        context = template.new_context(dict(scope))
        return "".join(_limited(template.root_render_func(context)))

    return within_bounds(run, cost)


def _limited(pieces: Iterator[str]) -> Iterator[str]:
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > MAX_TEXT:
            raise TooMuch(f"a text longer than {MAX_TEXT:,} characters")
        yield piece


def _compile(sandbox: Sandbox, tree: nodes.Template) -> JinjaTemplate:
    tree.set_environment(sandbox)
    return JinjaTemplate.from_code(sandbox, sandbox.compile(tree), sandbox.globals)


def _part(sandbox: Sandbox, source: str, number: int) -> tuple[int, str]:
    """The offset and the text of a printed part of a template."""
    parts: list[tuple[int, str]] = []
    begun = position = 0
    for _, kind, token in sandbox.lex(source):
        position = source.find(token, position) + len(token)
        if kind == "variable_begin":
            begun = position
        elif kind == "variable_end":
            inside = source[begun : position - len(token)]
            parts.append((begun + len(inside) - len(inside.lstrip()), inside.strip()))
    return parts[number] if number < len(parts) else (0, source)


def _trouble(source: str, place: Place, exc: BaseException) -> ExpressionError:
    """What a person is told when an expression meets a value it cannot use."""
    said = str(exc) or type(exc).__name__
    no_order = _NO_ORDER.search(said)
    if said.startswith("argument of type"):
        said = "`in` needs a list, a map or a text on its right"
    if isinstance(exc, ZeroDivisionError):
        said = "a division by zero"
    elif isinstance(exc, RecursionError):
        said = "it calls itself too deeply"
    elif no_order:
        left, right = (_TYPES.get(name, name) for name in no_order.group(2, 3))
        said = f"`{no_order[1]}` cannot compare {left} with {right}"
    shown = " ".join(source.split())
    shown = shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"
    return ExpressionError(f"`{shown}`: {said}", where=place)
