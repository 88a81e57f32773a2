"""The expression language: Jinja, sandboxed, with names checked when a definition is loaded.

Two kinds of string, fixed per key by the schema: a *template* is text that may hold `{{ … }}`; an
*expression* is always computed and written bare. `docs/language.md` has the rules; what is bounded stands in
`values.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Protocol, cast

from jinja2 import Template as JinjaTemplate
from jinja2 import TemplateError, TemplateSyntaxError, Undefined, nodes, pass_context
from jinja2.filters import FILTERS as DEFAULT_FILTERS
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS as DEFAULT_TESTS

from runner.definitions import functions as fn
from runner.definitions.bounds import Turns, bounded, plus, power, remainder, times
from runner.definitions.conversions import text
from runner.definitions.names import Finding, Names, check_names
from runner.definitions.values import ABSENT, Absent, is_absent, is_nothing
from runner.errors import ExpressionError, Place

Scope = Mapping[str, object]

#: methods of text that an expression may call
TEXT_METHODS: Final = frozenset(
    [
        "startswith",
        "endswith",
        "lower",
        "upper",
        "strip",
        "lstrip",
        "rstrip",
        "split",
        "splitlines",
        "title",
        "capitalize",
        "removeprefix",
        "removesuffix",
        "find",
        "count",
        "isdigit",
    ]
)
_LOOP: Final = frozenset(["index", "index0", "revindex", "first", "last", "length", "previtem", "nextitem"])
_TROUBLE: Final = (
    TemplateError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
)


class Source(Protocol):
    """Text of a definition that knows where each of its characters stands."""

    @property
    def text(self) -> str: ...

    def at(self, offset: int) -> Place: ...


class Expression:
    """A compiled expression; frozen once made, cheap to evaluate many times."""

    __slots__ = ("_run", "_tree", "language", "path", "place", "source")

    def __init__(self, language: Language, tree: nodes.Expr, source: str, place: Place) -> None:
        self.language = language
        self.source = source
        self.place = place
        #: `("record", "Account", "Name")` where the expression is nothing but that path
        self.path = _plain_path(tree)
        self._tree = tree
        self._run: Callable[[Scope], object] | None = None

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"

    def evaluate(self, scope: Scope) -> object:
        """The value in ``scope``; `Absent` where there is none.

        Raises:
            ExpressionError: a value on the way is not one that the expression can use.
        """
        if self._run is None:
            self._run = self._compile()
        try:
            return self._run(scope)
        except _TROUBLE as exc:
            raise trouble(self.source, self.place, exc) from exc

    def _compile(self) -> Callable[[Scope], object]:
        if self.path is not None:
            return _path_reader(self.path)
        return self.language.compile_value(self._tree)

    def holds(self, scope: Scope) -> bool:
        return bool(self.evaluate(scope))


class Text:
    """A template that has text around its expressions, or statements in it."""

    __slots__ = ("_run", "_tree", "language", "parts", "place", "source")

    def __init__(self, language: Language, tree: nodes.Template, source: str, place: Place) -> None:
        self.language = language
        self.source = source
        self.place = place
        self.parts = _sources(language, source)
        self._tree = tree
        self._run: Callable[[Scope], str] | None = None

    def __repr__(self) -> str:
        return f"Text({self.source!r})"

    def evaluate(self, scope: Scope) -> str:
        """The text in ``scope``.

        Raises:
            ExpressionError: a part is absent or null, or a value is not one that it can use.
        """
        if self._run is None:
            self._run = self.language.compile_text(self._tree)
        try:
            return self._run(scope)
        except _Part as exc:
            part = self.parts[exc.index] if exc.index < len(self.parts) else self.source
            raise ExpressionError(
                f"`{part}` is {exc.found} and stands inside a text",
                where=self.place,
                hint="give it another value with `| default('…')`, or leave it out with `{% if … %}`",
            ) from exc
        except _TROUBLE as exc:
            raise trouble(self.source, self.place, exc) from exc


#: what a template's text compiles to: a constant, one expression, or text with expressions in it
Template = str | Expression | Text


class Language:
    """The language as one definition sees it: the functions of every expression and its provider's own.

    Args:
        functions: the provider's functions by name, callable with positional or named arguments.
    """

    def __init__(self, functions: Mapping[str, Callable[..., object]] | None = None) -> None:
        self.functions: dict[str, Callable[..., object]] = {**fn.FUNCTIONS, **(functions or {})}
        self._environment = _Environment(self.functions, functions or {})

    @property
    def filters(self) -> frozenset[str]:
        return frozenset(name for name in self._environment.filters if not name.startswith("_"))

    def add(self, name: str, function: Callable[..., object]) -> None:
        """Offers one more function, as `name(x)` and `x | name`; for building a provider's own."""
        self.functions[name] = function
        self._environment.globals[name] = function
        self._environment.filters[name] = function

    def expression(self, source: Source, names: Names) -> tuple[Expression | None, list[Finding]]:
        """Reads a bare expression; the findings say what is wrong with it, and where in its text."""
        written = source.text
        if "{{" in written or "{%" in written:
            bare = written.replace("{{", "").replace("}}", "").strip()
            return None, [
                Finding("this is always an expression; write it bare", written, 0, f"write: {bare}")
            ]
        tree, findings = self._parse("{{ (" + written + "\n) }}", written)
        if tree is None:
            return None, findings
        output = tree.body[0] if len(tree.body) == 1 else None
        if not isinstance(output, nodes.Output) or len(output.nodes) != 1:
            return None, [Finding("this is no single expression", written, 0)]
        findings = check_names(tree, written, names, self)
        if findings:
            return None, findings
        value = output.nodes[0]
        return Expression(self, _guard(value), written, source.at(0)), []  # type: ignore[arg-type]

    def template(self, source: Source, names: Names) -> tuple[Template | None, list[Finding]]:
        """Reads a template; exactly one `{{ … }}` gives an expression that keeps its value's type."""
        written = source.text
        if "{{" not in written and "{%" not in written and "{#" not in written:
            return written, []
        tree, findings = self._parse(written, written)
        if tree is None:
            return None, findings
        findings = check_names(tree, written, names, self)
        if findings:
            return None, findings
        single = _single(tree)
        if single is not None:
            return Expression(self, _guard(single), written, source.at(0)), []  # type: ignore[arg-type]
        return Text(self, _text_parts(_guard(tree)), written, source.at(0)), []  # type: ignore[arg-type]

    def _parse(self, text: str, written: str) -> tuple[nodes.Template | None, list[Finding]]:
        try:
            return self._environment.parse(text), []
        except TemplateSyntaxError as exc:
            line = max(0, (exc.lineno or 1) - 1)
            offset = sum(len(part) + 1 for part in written.split("\n")[:line])
            message = _plain_syntax(exc.message or "it cannot be read")
            return None, [
                Finding(f"the expression cannot be read: {message}", written, min(offset, len(written)))
            ]
        except RecursionError:
            return None, [Finding("the expression is nested too deeply", written, 0)]

    def compile_value(self, tree: nodes.Expr) -> Callable[[Scope], object]:
        target = nodes.Name("_result", "store", lineno=1)
        body = nodes.Template([nodes.Assign(target, tree, lineno=1)], lineno=1)
        template = self._template(body)

        def run(scope: Scope) -> object:
            context = template.new_context({**scope, "_turns": Turns()})
            for _ in template.root_render_func(context):
                pass
            return bounded(context.vars["_result"])

        return run

    def compile_text(self, tree: nodes.Template) -> Callable[[Scope], str]:
        template = self._template(tree)

        def run(scope: Scope) -> str:
            context = template.new_context({**scope, "_turns": Turns()})
            return str(bounded("".join(_limited(template.root_render_func(context)))))

        return run

    def _template(self, tree: nodes.Template) -> JinjaTemplate:
        environment = self._environment
        tree.set_environment(environment)
        code = environment.compile(tree)
        return JinjaTemplate.from_code(environment, code, environment.globals)

    def tokens(self, source: str) -> Iterator[tuple[int, str, str]]:
        return self._environment.lex(source)


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset(["*", "**", "+", "%"])

    def __init__(
        self, functions: Mapping[str, Callable[..., object]], own: Mapping[str, Callable[..., object]]
    ) -> None:
        super().__init__(undefined=Absent, keep_trailing_newline=True, cache_size=0, optimized=False)
        self.globals = dict(functions)
        self.filters = {name: DEFAULT_FILTERS[name] for name in fn.KEPT_FILTERS}
        self.filters.update(fn.FILTERS)
        self.filters.update(own)
        self.filters.update(_over=_over, _part=_part, _concat=_concat)
        self.tests = {name: DEFAULT_TESTS[name] for name in fn.KEPT_TESTS if name in DEFAULT_TESTS}
        # Null and absent are both "nothing there"; `is defined` tells them apart.
        self.tests["none"] = is_nothing
        self.tests["present"] = lambda value: not is_nothing(value)

    def getattr(self, obj: object, attribute: str) -> object:
        return self.getitem(obj, attribute)

    def getitem(self, obj: object, argument: object) -> object:
        """A map gives its key, never a method; a path through null is null, through absent absent."""
        if isinstance(obj, Mapping):
            found = obj.get(argument, ABSENT)
            return Absent(name=str(argument)) if found is ABSENT else found
        if obj is None:
            return None
        if isinstance(obj, Undefined):
            return Absent(name=f"{obj._undefined_name}.{argument}" if obj._undefined_name else str(argument))
        if isinstance(obj, LoopContext) and argument in _LOOP:
            return getattr(obj, str(argument))
        if isinstance(obj, str) and argument in TEXT_METHODS:
            return getattr(obj, str(argument))
        return _indexed(obj, argument)

    def is_safe_callable(self, obj: object) -> bool:
        owner = getattr(obj, "__self__", None)
        return isinstance(owner, str) or any(obj is known for known in self.globals.values())

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        return _BINARY[operator](left, right)


_BINARY: Final[Mapping[str, Callable[[object, object], object]]] = {
    "*": times,
    "**": power,
    "+": plus,
    "%": remainder,
}


def _indexed(obj: object, argument: object) -> object:
    if isinstance(obj, (list, tuple, str)) and isinstance(argument, (int, slice)):
        try:
            return obj[argument]
        except IndexError:
            return Absent(name=f"[{argument}]")
    return Absent(name=str(argument))


class _Part(Exception):
    def __init__(self, index: int, found: str) -> None:
        self.index = index
        self.found = found


def _part(value: object, index: int) -> str:
    if is_nothing(value):
        raise _Part(index, "absent" if is_absent(value) else "null")
    return text(value)


def _concat(parts: list[object], sources: int) -> object:
    for part in parts:
        if is_nothing(part):
            raise TypeError(f"a part of `~` is {'absent' if is_absent(part) else 'null'}")
    return bounded("".join(text(part) for part in parts))


@pass_context
def _over(context: Context, items: object) -> Iterator[object]:
    turns = cast(Turns, context.resolve("_turns"))
    return turns.over(() if is_nothing(items) else cast(Iterable[object], items))


def _limited(pieces: Iterator[str]) -> Iterator[str]:
    size = 0
    for piece in pieces:
        size += len(piece)
        yield piece
        if size > 1_000_000:
            raise ValueError("the text would be longer than 1,000,000 characters")


def _guard(tree: nodes.Node) -> nodes.Node:
    """The tree with each loop counted and each `~` checked."""
    for node in list(tree.find_all(nodes.For)):
        node.iter = _filter(cast(nodes.Expr, node.iter), "_over")
    return _replace_concat(tree)


def _replace_concat(node: nodes.Node) -> nodes.Node:
    for field, value in list(node.iter_fields()):
        if isinstance(value, nodes.Node):
            setattr(node, field, _replace_concat(value))
        elif isinstance(value, list):
            setattr(node, field, [_replace_concat(v) if isinstance(v, nodes.Node) else v for v in value])
    if isinstance(node, nodes.Concat):
        return _filter(nodes.List(node.nodes, lineno=node.lineno), "_concat", nodes.Const(len(node.nodes)))
    return node


def _text_parts(tree: nodes.Node) -> nodes.Node:
    """The tree with each printed value numbered in the order of its source, so that an error can name it."""
    index = 0
    for output in tree.find_all(nodes.Output):
        for position, node in enumerate(output.nodes):
            if not isinstance(node, nodes.TemplateData):
                output.nodes[position] = _filter(node, "_part", nodes.Const(index))
                index += 1
    return tree


def _filter(node: nodes.Expr, name: str, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


def _single(tree: nodes.Template) -> nodes.Expr | None:
    if len(tree.body) == 1 and isinstance(tree.body[0], nodes.Output) and len(tree.body[0].nodes) == 1:
        only = tree.body[0].nodes[0]
        return None if isinstance(only, nodes.TemplateData) else only
    return None


def _sources(language: Language, source: str) -> list[str]:
    parts: list[str] = []
    inside: list[str] | None = None
    for _, kind, token in language.tokens(source):
        if kind == "variable_begin":
            inside = []
        elif kind == "variable_end" and inside is not None:
            parts.append("".join(inside).strip())
            inside = None
        elif inside is not None:
            inside.append(token)
    return parts


def _plain_path(tree: nodes.Node) -> tuple[str, ...] | None:
    steps: list[str] = []
    while isinstance(tree, (nodes.Getattr, nodes.Getitem)):
        if isinstance(tree, nodes.Getattr):
            steps.append(tree.attr)
        elif isinstance(tree.arg, nodes.Const) and isinstance(tree.arg.value, str):
            steps.append(tree.arg.value)
        else:
            return None
        tree = tree.node
    if not isinstance(tree, nodes.Name):
        return None
    return (tree.name, *reversed(steps))


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


def _plain_syntax(message: str) -> str:
    return {
        "unexpected '}'": "a `}` too many",
        "unexpected ')'": "a `)` too many, or something is missing before it",
    }.get(message, message.replace("'end of print statement'", "the end").replace("got ')'", "found the end"))


def trouble(source: str, place: Place, exc: BaseException) -> ExpressionError:
    """What a person is told when an expression meets a value it cannot use."""
    said = str(exc) or type(exc).__name__
    if isinstance(exc, ZeroDivisionError):
        said = "a division by zero"
    if isinstance(exc, RecursionError):
        said = "it calls itself too deeply"
    shown = source if len(source) <= 120 else source[:117] + "…"
    return ExpressionError(f"`{' '.join(shown.split())}`: {said}", where=place)
