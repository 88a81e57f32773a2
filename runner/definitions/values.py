"""The values that expressions meet beside JSON's own, and the bounds on what they may build.

`null` is a value; *absent* is the lack of one: a key that a mapping does not have. Absent vanishes from a
query, a header, a body or a record; null is sent and stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NoReturn

from jinja2 import Undefined
from jinja2.exceptions import SecurityError, TemplateRuntimeError, UndefinedError

#: characters that one text built by an expression may have
MAX_TEXT = 1_000_000
#: items that one list built by an expression may have
MAX_ITEMS = 1_000_000
#: turns that all loops of one template may take together
MAX_TURNS = 100_000
#: bits that a whole number may grow to
MAX_BITS = 4096


class Absent(Undefined):
    """What a path gives where there is nothing: false, empty, and an error in text or arithmetic."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: object = None,
        name: str | None = None,
        exc: type[TemplateRuntimeError] = UndefinedError,
    ) -> None:
        super().__init__(hint, obj, name, exc)

    def _fail_with_undefined_error(self, *args: object, **kwargs: object) -> NoReturn:
        raise UndefinedError(f"{self.label} is absent")

    @property
    def label(self) -> str:
        return f"`{self._undefined_name}`" if self._undefined_name else "the value"

    def __getattr__(self, name: str) -> Absent:
        if name[:2] == "__":
            raise AttributeError(name)
        return Absent(name=f"{self._undefined_name}.{name}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Absent)

    def __ne__(self, other: object) -> bool:
        return not isinstance(other, Absent)

    def __hash__(self) -> int:
        return id(Absent)

    def __iter__(self) -> Iterator[object]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return False

    __str__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _fail_with_undefined_error
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = (
        _fail_with_undefined_error
    )
    __lt__ = __le__ = __gt__ = __ge__ = __int__ = __float__ = __neg__ = __pos__ = _fail_with_undefined_error
    __call__ = __getitem__ = __pow__ = __rpow__ = _fail_with_undefined_error


#: the one that stands for "nothing here" outside of expressions
ABSENT = Absent(name=None)


def is_absent(value: object) -> bool:
    return isinstance(value, Undefined)


def is_nothing(value: object) -> bool:
    """Null or absent."""
    return value is None or isinstance(value, Undefined)


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
    return left * right  # type: ignore[operator]


def power(left: object, right: object) -> object:
    """``left ** right``, refused before it is built where it would be too large."""
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() * max(right, 0) > MAX_BITS:
        raise SecurityError(f"a number of more than {MAX_BITS:,} bits")
    return left**right  # type: ignore[operator]


def plus(left: object, right: object) -> object:
    """``left + right`` of numbers, texts or lists, within the bounds."""
    return bounded(left + right)  # type: ignore[operator]


def remainder(left: object, right: object) -> object:
    """``left % right`` of numbers; a text's `%` is an error, since its widths know no bound."""
    if isinstance(left, str):
        raise TypeError("`%` works on numbers; put texts together with `~` or in a template")
    return left % right  # type: ignore[operator]


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
