"""The bounds on what expressions may do, so that none can hang or exhaust the process.

The outermost evaluation gets a number of steps, and all that happens in it spends them: each turn of a loop
costs what stands in the loop, each call its price and what it goes through, an item of a list one, a text one
for sixteen characters.
"""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from runner.definitions.values import describe

A = TypeVar("A")
R = TypeVar("R")

#: steps that one evaluation may take, its functions included; about a second of work
MAX_STEPS: Final = 5_000_000
#: steps of each call of a function, filter, test or method
CALL: Final = 20
#: steps of each part of an expression, where it is evaluated more than once
PART: Final = 10
#: steps of an evaluation within another, beside its parts
_NESTED: Final = 200
#: characters that one text built by an expression may have
MAX_TEXT: Final = 1_000_000
#: items that one list or map built by an expression may have
MAX_ITEMS: Final = 1_000_000
#: bits that a whole number may grow to
MAX_BITS: Final = 4096
_CHARACTERS_A_STEP: Final = 16


class TooMuch(Exception):
    """An expression would go past the bounds."""


class _Work(threading.local):
    #: steps that are left; None outside of an evaluation
    left: int | None = None


_WORK = _Work()


def within_bounds(run: Callable[[A], R], weight: int) -> Callable[[A], R]:
    """``run`` with its steps counted; within another evaluation it shares the other's.

    Args:
        weight: how many parts it has.
    """

    def bounded_run(scope: A) -> R:
        if _WORK.left is not None:
            spend(_NESTED + weight * PART)
            return run(scope)
        _WORK.left = MAX_STEPS
        try:
            return run(scope)
        finally:
            _WORK.left = None

    return bounded_run


def spend(steps: int) -> None:
    """Takes steps from the evaluation that goes on.

    Raises:
        TooMuch: none are left.
    """
    left = _WORK.left
    if left is not None:
        if left < steps:
            raise _exhausted()
        _WORK.left = left - steps


def _exhausted() -> TooMuch:
    return TooMuch(f"it takes more than {MAX_STEPS:,} steps")


def size(value: object) -> int:
    """The steps that it takes to go through a value, without what is within its items."""
    if isinstance(value, (str, bytes)):
        return len(value) // _CHARACTERS_A_STEP
    return len(value) if isinstance(value, (list, tuple, dict, range)) else 0


def weigh(value: object) -> None:
    """Spends the steps that it takes to go through a value and all that is within it.

    What is shared counts as often as it is reached, as it does for whoever writes or compares the value.
    """
    left = _WORK.left
    if left is None:
        return
    pending = [value]
    while pending:
        item = pending.pop()
        left -= 1 + size(item)
        if left < 0:
            raise _exhausted()
        if isinstance(item, dict):
            pending.extend(item.values())
        elif isinstance(item, (list, tuple)):
            pending.extend(item)
    _WORK.left = left


def bounded(value: R) -> R:
    """``value`` as it is, unless it has grown past the bounds; outside of an evaluation there are none.

    Raises:
        TooMuch: it has.
    """
    if _WORK.left is None:
        return value
    if isinstance(value, (str, bytes)) and len(value) > MAX_TEXT:
        raise TooMuch(f"a text longer than {MAX_TEXT:,} characters")
    if isinstance(value, (list, tuple, dict)) and len(value) > MAX_ITEMS:
        raise TooMuch(f"a list of more than {MAX_ITEMS:,} items")
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise TooMuch(f"a number of more than {MAX_BITS:,} bits")
    return value


def _times(left: object, right: object) -> object:
    for text, count in ((left, right), (right, left)):
        if isinstance(text, (str, list, tuple)) and isinstance(count, int):
            limit = MAX_TEXT if isinstance(text, str) else MAX_ITEMS
            if len(text) * count > limit:
                raise TooMuch(f"`*` would build something larger than {limit:,}")
    return operator.mul(left, right)


def _power(left: object, right: object) -> object:
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() * max(right, 0) > MAX_BITS:
        raise TooMuch(f"a number of more than {MAX_BITS:,} bits")
    result = operator.pow(left, right)
    if isinstance(result, complex):
        raise TypeError("`**` gives no number here")
    return result


def _remainder(left: object, right: object) -> object:
    # A text's `%` formats, and its widths know no bound.
    if isinstance(left, str):
        raise TypeError("`%` works on numbers; put texts together with `~` or in a template")
    return operator.mod(left, right)


_OPERATORS: Final[Mapping[str, Callable[[object, object], object]]] = {
    "+": operator.add, "-": operator.sub, "*": _times, "/": operator.truediv, "//": operator.floordiv,
    "%": _remainder, "**": _power,
}  # fmt: skip
OPERATORS: Final = frozenset(_OPERATORS)


def compute(symbol: str, left: object, right: object) -> object:
    """`left symbol right`, refused before it is built where it would be too large.

    Raises:
        TooMuch: it would be.
        TypeError: the two are not what the operator works on.
    """
    try:
        result = bounded(_OPERATORS[symbol](left, right))
    except TypeError as exc:
        if str(exc).startswith("`"):
            raise
        message = f"`{symbol}` does not work on {describe(left)} and {describe(right)}"
        raise TypeError(message) from exc
    spend(size(result))
    return result
