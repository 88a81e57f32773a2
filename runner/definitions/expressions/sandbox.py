"""Jinja, sandboxed: what a path gives, what may be called, and what everything costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from jinja2 import Undefined, nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.filters import FILTERS as JINJAS
from jinja2.lexer import TokenStream
from jinja2.parser import Parser
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runner.definitions.bounds import CALL, OPERATORS, PART, bounded, compute, size, spend, weigh
from runner.definitions.conversions import text
from runner.definitions.expressions.functions import concatenated
from runner.definitions.expressions.offered import (
    DEEP,
    FILTERS,
    FUNCTIONS,
    KEPT_FILTERS,
    TESTS,
    TEXT_METHODS,
    THROUGH,
    Function,
    Own,
    Remembered,
)  # fmt: skip
from runner.definitions.expressions.trees import FUNCTION
from runner.definitions.values import ABSENT, Absent, describe, is_absent, is_nothing

_LOOP: Final = frozenset(["index", "index0", "revindex", "first", "last", "length", "previtem", "nextitem"])


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of one provider's expressions."""

    intercepted_binops = OPERATORS
    intercepted_unops = frozenset()

    def __init__(self) -> None:
        super().__init__(undefined=Absent, keep_trailing_newline=True, cache_size=0, optimized=False)
        self.globals = {FUNCTION + name: function for name, function in _FUNCTIONS.items()}
        self.filters = dict(_FILTERS)
        self.tests = dict(_TESTS)

    def add(self, name: str, function: Own) -> None:
        self.globals[FUNCTION + name] = self.filters[name] = function

    def read(self, source: str) -> nodes.Template:
        """A template's tree; the line of each node is the offset of its token, counted from 1.

        Raises:
            TemplateSyntaxError: it cannot be read; its line is the offset as well.
        """
        return Parser(self, source).parse()

    def read_expression(self, source: str) -> nodes.Expr:
        """The tree of a bare expression; see `read`."""
        parser = Parser(self, source, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            parser.fail(f"expected token 'end of print statement', got {parser.stream.current.value!r}")
        tree.set_environment(self)
        return tree

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        return TokenStream(self.lexer.wrap(self._offsets(source, state)), name, filename)

    def _offsets(self, source: str, state: str | None) -> Iterator[tuple[int, str, str]]:
        """Jinja's tokens with their offsets in place of their lines."""
        position = 0
        try:
            for _, kind, value in self.lexer.tokeniter(source, None, None, state):
                # `{%-` strips the space before it: what is left of it is found behind.
                position = source.find(value, position)
                yield position + 1, kind, value
                position += len(value)
        except TemplateSyntaxError as exc:
            exc.lineno = position + 1
            raise

    def getattr(self, obj: object, attribute: str) -> object:
        return self.getitem(obj, attribute)

    def getitem(self, obj: object, argument: object) -> object:
        """A map gives its key, never a method; a path through null is null, through absent absent."""
        spend(1)
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
        if isinstance(obj, (list, tuple, str)) and isinstance(argument, (int, slice)):
            return _indexed(obj, argument)
        return Absent(name=str(argument))

    def call(self, context: Context, obj: Any, /, *args: object, **kwargs: object) -> object:
        """Calls a function, or a method of a text; nothing else can be called."""
        if isinstance(obj, Undefined):
            obj()  # raises: it is absent
        owner = getattr(obj, "__self__", None)
        if isinstance(owner, str):
            spend(CALL + size(owner) * (1 + sum(map(size, args))))
            return _settled(context.call(obj, *args, **kwargs))
        if not isinstance(obj, Remembered) and not any(obj is known for known in self.globals.values()):
            raise TypeError(f"a method of text was called on {describe(obj)}")
        return context.call(obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        return compute(operator, left, right)


def _indexed(value: Sequence[object], index: int | slice) -> object:
    try:
        return value[index]
    except IndexError:
        return Absent(name=f"[{index}]")


def _settled(result: object) -> object:
    """A result without generators, and within the bounds."""
    if isinstance(result, (tuple, Iterator)):
        spend(size(result))
        return bounded(_present_items(result))
    return bounded(result)


def _present_items(items: Iterable[object]) -> list[object]:
    found = []
    for item in items:
        spend(1)
        if not is_absent(item):
            found.append(item)
    return found


def _charged(name: str, function: Function) -> Function:
    """The function as expressions call it: what it goes through is spent, what it gives is bounded."""
    # Some of Jinja's filters take the context or the environment before the value.
    at = 1 if getattr(function, "jinja_pass_arg", None) is not None else 0
    through, deep, kept = name in THROUGH, name in DEEP, name in KEPT_FILTERS
    of_list = kept and not through

    def call(*args: object, **kwargs: object) -> object:
        value = args[at] if len(args) > at else None
        if through and is_nothing(value):
            return value
        given = sum(map(size, args[at + 1 :])) + sum(map(size, kwargs.values()))
        # Jinja's own may go through what they are given for each item, or each character.
        spend(CALL + (size(value) * (1 + given) if kept else size(value) + given))
        if deep:
            weigh(value)
        if of_list:
            args = (*args[:at], _listlike(value), *args[at + 1 :])
        return _settled(function(*args, **kwargs))

    # Jinja notes on a function what it takes before the value.
    call.__dict__.update(getattr(function, "__dict__", {}))
    return call


def _listlike(value: object) -> object:
    if is_nothing(value):
        return []
    if isinstance(value, (list, tuple, str, dict)):
        return value
    raise TypeError(f"expected a list, found {describe(value)}")


def _over(items: object, weight: int) -> list[object]:
    """What a loop goes over; each turn costs what stands in the loop."""
    if not is_nothing(items) and not isinstance(items, (list, tuple, Mapping)):
        raise TypeError(f"a loop needs a list, found {describe(items)}")
    found = [] if is_nothing(items) else list(cast(Iterable[object], items))
    spend(len(found) * weight * PART)
    return found


class PartMissing(Exception):
    """A part of a text is null or absent.

    Args:
        number: which part it is, counted from 0.
    """

    def __init__(self, number: int, found: str) -> None:
        self.number = number
        self.found = found


def _part(value: object, number: int) -> str:
    if is_nothing(value):
        raise PartMissing(number, "absent" if is_absent(value) else "null")
    return _spent(text(value))


def _concat(parts: list[object]) -> str:
    for part in parts:
        if is_nothing(part):
            raise TypeError(f"a part of `~` is {'absent' if is_absent(part) else 'null'}")
    return _spent(concatenated([text(part) for part in parts]))


def _spent(written: str) -> str:
    spend(size(written))
    return written


def _weighed(value: object) -> object:
    weigh(value)
    return value


def _present(value: object) -> object:
    """A list or map written in an expression; what is absent vanishes from it."""
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if not is_absent(item)}
    return _present_items(cast(Iterable[object], value))


_FUNCTIONS: Final = {name: _charged(name, function) for name, function in FUNCTIONS.items()}
_TESTS: Final = {name: _charged(name, function) for name, function in TESTS.items()}
_FILTERS: Final[Mapping[str, Function]] = {
    **{name: _charged(name, JINJAS[name]) for name in KEPT_FILTERS},
    **{name: _charged(name, function) for name, function in FILTERS.items()},
    # What trees are rewritten with, under names that no text can mention.
    "_over": _over, "_part": _part, "_concat": _concat, "_weighed": _weighed, "_present": _present,
}  # fmt: skip
