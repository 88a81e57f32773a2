"""What every expression may use: functions, filters, tests and the methods of text, by name."""

from __future__ import annotations

import operator
from collections.abc import Callable, Container, Mapping
from inspect import CO_VARARGS
from types import FunctionType
from typing import Final, NamedTuple, Protocol, cast

from runner.definitions.conversions import boolean, duration, integer, json, number, text, timestamp
from runner.definitions.expressions import functions as fn
from runner.definitions.expressions import reshaping
from runner.definitions.expressions.decoding import decode
from runner.definitions.expressions.encoding import encode
from runner.definitions.values import is_absent, is_nothing

Function = Callable[..., object]


class Computed(Protocol):
    """What gives a value in a scope."""

    def evaluate(self, scope: Mapping[str, object]) -> object: ...


_MAX_PLACES: Final = 300


class Own:
    """A provider's own function: one expression with named arguments."""

    __slots__ = ("args", "returns")

    def __init__(self, args: tuple[str, ...], returns: Computed) -> None:
        self.args = args
        self.returns = returns

    def __call__(self, *values: object, **named: object) -> object:
        return self.returns.evaluate({**dict(zip(self.args, values, strict=False)), **named})


class Remembered:
    """A function that a scope offers in place of one of the same name: it gives again what it gave before."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function

    def __call__(self) -> object:
        return self._function()


class Takes(NamedTuple):
    """The arguments that a function takes."""

    names: tuple[str, ...]
    #: how many of them it cannot do without
    needed: int
    #: whether any number may follow
    more: bool

    @classmethod
    def of(cls, function: object) -> Takes | None:
        """What a function takes; None where it does not say."""
        if isinstance(function, Own):
            return cls(function.args, len(function.args), False)
        if not isinstance(function, FunctionType):
            return None
        code = function.__code__
        names = code.co_varnames[: code.co_argcount]
        return cls(names, len(names) - len(function.__defaults__ or ()), bool(code.co_flags & CO_VARARGS))


def _is_in(value: object, container: object) -> bool:
    return not is_nothing(container) and value in cast(Container[object], container)


def _divisible(value: object, by: object) -> bool:
    return number(value) % number(by) == 0


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


#: callable by name: `join(' ', a, b)`
FUNCTIONS: Final[Mapping[str, Function]] = {
    "now": fn.now, "uuid": fn.uuid, "timestamp": timestamp, "duration": duration, "json": json,
    "from_json": fn.from_json, "base64": fn.base64, "urlencode": fn.urlencode, "sha256": fn.sha256,
    "hmac": fn.hmac, "number": number, "integer": integer, "boolean": boolean, "join": fn.join,
    "default": fn.default, "chunk": fn.chunk, "pluck": fn.pluck, "unique": fn.unique, "range": fn.range_,
    "link": reshaping.link, "concat": reshaping.concat, "decode": decode, "encode": encode,
}  # fmt: skip

#: usable behind a `|` as well: `records | pluck('id')`
FILTERS: Final[Mapping[str, Function]] = {
    **{name: function for name, function in FUNCTIONS.items() if name not in ("now", "uuid", "range")},
    "string": text, "without": fn.without, "merge": fn.merge, "items": fn.items, "groupby": fn.groupby,
    "snake_case": fn.snake_case, "snake_case_keys": fn.snake_case_keys, "replace": fn.replace,
    "escape": fn.escape, "round": fn.round_, "sum": fn.sum_, "abs": fn.abs_,
    "values": reshaping.values, "maps": reshaping.maps, "flatten": reshaping.flatten,
    "compact": reshaping.compact,
    "typed": reshaping.typed,
}  # fmt: skip

#: Jinja's own filters that stay
KEPT_FILTERS: Final = frozenset((
    "capitalize", "dictsort", "first", "last", "length", "list", "lower", "map", "max", "min", "reject",
    "rejectattr", "reverse", "select", "selectattr", "sort", "title", "trim", "truncate", "upper",
))  # fmt: skip

#: what works on one value, and lets null and absent through
THROUGH: Final = frozenset((
    "timestamp", "duration", "number", "integer", "boolean", "from_json", "base64", "urlencode", "string",
    "snake_case", "snake_case_keys", "replace", "escape", "round", "abs", "capitalize", "lower", "upper",
    "title", "trim", "truncate", "link", "flatten", "typed", "decode",
))  # fmt: skip

#: what goes through all that is within its first value, as it compares or writes it
DEEP: Final = frozenset(("sort", "min", "max", "dictsort", "eq", "ne", "lt", "le", "gt", "ge", "in"))

#: usable behind `is`, and by name in `select` and its like
TESTS: Final[Mapping[str, Function]] = {
    "defined": lambda value: not is_absent(value), "undefined": is_absent,
    "none": is_nothing, "present": lambda value: not is_nothing(value),
    "string": lambda value: isinstance(value, str), "number": _is_number,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, float), "boolean": lambda value: isinstance(value, bool),
    "mapping": lambda value: isinstance(value, Mapping),
    "sequence": lambda value: isinstance(value, (list, tuple)),
    "true": lambda value: value is True, "false": lambda value: value is False,
    "even": lambda value: _divisible(value, 2), "odd": lambda value: not _divisible(value, 2),
    "divisibleby": _divisible, "lower": lambda value: text(value).islower(),
    "upper": lambda value: text(value).isupper(), "in": _is_in, "eq": operator.eq, "ne": operator.ne,
    "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
}  # fmt: skip

#: methods of text that an expression may call
TEXT_METHODS: Final = frozenset((
    "startswith", "endswith", "lower", "upper", "strip", "lstrip", "rstrip", "split", "splitlines", "title",
    "capitalize", "removeprefix", "removesuffix", "find", "count", "isdigit",
))  # fmt: skip

#: what Jinja and Python call by another name
ELSEWHERE: Final[Mapping[str, str]] = {
    "int": "integer", "float": "number", "tojson": "json", "to_json": "json", "d": "default", "e": "escape",
    "count": "length", "len": "length", "str": "string", "equalto": "eq", "sameas": "eq", "==": "eq",
    "greaterthan": "gt", "lessthan": "lt", "iterable": "sequence", "dict": "mapping", "b64encode": "base64",
    "fromjson": "from_json", "batch": "chunk", "slice": "chunk", "combine": "merge", "null": "none",
    "format": "string", "from_csv": "decode", "from_ndjson": "decode", "from_xml": "decode",
    "from_base64": "decode", "b64decode": "decode", "unzip": "decode", "gunzip": "decode",
}  # fmt: skip
