"""The values that definitions meet beside JSON's own, and how a message names a value.

`null` is a value; *absent* is the lack of one: a key that a mapping does not have. Absent vanishes from a
query, a header, a body or a record; null is sent and stored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final, NoReturn

from jinja2 import Undefined
from jinja2.exceptions import TemplateRuntimeError, UndefinedError


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


_JSON_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "string": str, "number": (int, float), "integer": int, "boolean": bool, "object": dict, "array": list,
}  # fmt: skip
#: JSON's types in the words of messages
TYPE_WORDS: Final[Mapping[str, str]] = {
    "string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
    "array": "a list", "object": "a map", "null": "null",
}  # fmt: skip


def fits(value: object, kind: str) -> bool:
    """Whether a value is of a JSON type, or of `any`; true and false are no numbers."""
    if kind == "any":
        return True
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _JSON_TYPES[kind])


def describe(value: object) -> str:
    """A value in words, for messages: `the text 'many'`, `a list`, `12`."""
    if isinstance(value, str):
        return f"the text '{short(value)}'"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, Mapping):
        return "a map"
    if is_absent(value):
        return "an absent value"
    return "nothing" if value is None else short(value)


def short(value: object) -> str:
    """A value in one line that fits a message."""
    shown = value if isinstance(value, str) else json.dumps(value, default=lambda one: type(one).__name__)
    shown = re.sub(r"\s+", " ", shown)
    return shown if len(shown) <= 50 else shown[:49] + "…"
