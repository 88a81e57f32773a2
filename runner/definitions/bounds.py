"""The bounds on what expressions may build, so that none can hang or exhaust the process."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator

from jinja2.exceptions import SecurityError

#: characters that one text built by an expression may have
MAX_TEXT = 1_000_000
#: items that one list built by an expression may have
MAX_ITEMS = 1_000_000
#: turns that all loops of one template may take together
MAX_TURNS = 100_000
#: bits that a whole number may grow to
MAX_BITS = 4096


def bounded(value: object) -> object:
    """``value`` as it is, unless it has grown past the bounds.

    Raises:
        SecurityError: it has.
    """
    if isinstance(value, (str, bytes)) and len(value) > MAX_TEXT:
        raise SecurityError(f"a text longer than {MAX_TEXT:,} characters")
    if isinstance(value, (list, tuple)) and len(value) > MAX_ITEMS:
        raise SecurityError(f"a list of more than {MAX_ITEMS:,} items")
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise SecurityError(f"a number of more than {MAX_BITS:,} bits")
    return value


def times(left: object, right: object) -> object:
    """``left * right``, refused before it is built where it would be too large."""
    for text, count in ((left, right), (right, left)):
        if isinstance(text, (str, bytes, list, tuple)) and isinstance(count, int):
            limit = MAX_TEXT if isinstance(text, (str, bytes)) else MAX_ITEMS
            if len(text) * count > limit:
                raise SecurityError(f"`*` would build something larger than {limit:,}")
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > MAX_BITS:
        raise SecurityError(f"a number of more than {MAX_BITS:,} bits")
    return operator.mul(left, right)


def power(left: object, right: object) -> object:
    """``left ** right``, refused before it is built where it would be too large."""
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() * max(right, 0) > MAX_BITS:
        raise SecurityError(f"a number of more than {MAX_BITS:,} bits")
    return operator.pow(left, right)


def plus(left: object, right: object) -> object:
    """``left + right`` of numbers, texts or lists, within the bounds."""
    return bounded(operator.add(left, right))


def remainder(left: object, right: object) -> object:
    """``left % right`` of numbers; a text's `%` is an error, since its widths know no bound."""
    if isinstance(left, str):
        raise TypeError("`%` works on numbers; put texts together with `~` or in a template")
    return operator.mod(left, right)


class Turns:
    """Counts the turns of all loops of one rendering, so that no nesting of loops can run for ever."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_TURNS

    def over(self, items: Iterable[object]) -> Iterator[object]:
        for item in items:
            self.left -= 1
            if self.left < 0:
                raise SecurityError(f"loops that take more than {MAX_TURNS:,} turns")
            yield item
