"""Matrices: one definition that stands for many syncs, and how each of them is called."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from runner.definitions.expressions import Expression, Text
from runner.definitions.model.operation import Call
from runner.definitions.model.values import Fixed, Value
from runner.errors import ExpressionError, Place

#: the variant of what has none; it is not named in a sync's name
BASE: Final = "base"
#: the axis whose values keep their records apart
VARIANT: Final = "variant"
#: characters that a name of a value may have
MAX_NAME: Final = 100
_MODEL: Final = re.compile(r"[A-Z][A-Za-z0-9_-]+")
_SPLIT: Final = re.compile(r"\.|::")


class Axis(msgspec.Struct, frozen=True, kw_only=True):
    """One dimension of a matrix: what it is called, and where its values come from."""

    axis: str
    place: Place
    #: gives a list; of a call's `result` where there is one
    values: Value
    call: Call | None = None
    #: which `item` counts
    where: Expression | None = None
    #: what an `item` is called, where it is not its own name
    name: Expression | None = None

    @property
    def written_out(self) -> Sequence[object] | None:
        """The values, where they stand in the file as they are and need no name."""
        if not isinstance(self.values, Fixed) or self.where is not None or self.name is not None:
            return None
        return list(self.values.value) if isinstance(self.values.value, list) else None


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """One sync for each combination of the values of its axes."""

    axes: tuple[Axis, ...]
    #: gives the name of a combination's records
    model: Value
    #: how many of its syncs run at once
    concurrency: int = 4

    def written_out(self) -> list[dict[str, object]] | None:
        """The combinations as axis → value, where all values stand in the file."""
        found = [axis.written_out for axis in self.axes]
        each = [values for values in found if values is not None]
        if len(each) < len(found):
            return None
        names = [axis.axis for axis in self.axes]
        return [dict(zip(names, values, strict=True)) for values in itertools.product(*each)]

    def models(self) -> list[str]:
        """The models of the combinations, where the file says them; else nothing."""
        if isinstance(self.model, Fixed):
            return [str(self.model.value)]
        if not isinstance(self.model, Expression | Text) or not self.model.names <= {"matrix"}:
            return []
        try:
            found = [self.model.evaluate({"matrix": cell}) for cell in self.written_out() or ()]
        except ExpressionError:
            return []
        return list(dict.fromkeys(str(name) for name in found))

    def written_names(self, definition: str) -> list[str]:
        """The names of the combinations' syncs, where all values stand in the file; else nothing."""
        found = self.written_out() or []
        return [cell_name(definition, {axis: str(value) for axis, value in cell.items()}) for cell in found]


def misnamed(name: object) -> str | None:
    """Why a value cannot be a part of a sync's name; None where it can.

    A text or a whole number does that can be printed, is not blank at its ends, has no `::` in it and at most
    100 characters.
    """
    if isinstance(name, bool) or not isinstance(name, str | int):
        return "is neither a text nor a whole number"
    text = str(name)
    if not text or text != text.strip():
        return "is empty or has a blank at its end"
    if not text.isprintable() or "::" in text:
        return "has `::` in it" if "::" in text else "cannot be printed"
    return f"is longer than {MAX_NAME} characters" if len(text) > MAX_NAME else None


def is_model(name: object) -> bool:
    """Whether a value can be the name of a model: a capital first, then letters, digits, `_` and `-`."""
    return isinstance(name, str) and _MODEL.fullmatch(name) is not None


def cell_name(definition: str, cell: Mapping[str, str]) -> str:
    """The name of a combination's sync: `orders.EU.paid`, and behind `::` its variant, where it is one.

    Args:
        cell: axis → the name of its value.
    """
    variant = cell.get(VARIANT, BASE)
    values = [name for axis, name in cell.items() if axis != VARIANT]
    return ".".join([definition, *values]) + ("" if variant == BASE else f"::{variant}")


def definition_of(name: str) -> str:
    """The name of the definition that a sync's name begins with."""
    return _SPLIT.split(name, maxsplit=1)[0]


def is_meant(wanted: str, name: str) -> bool:
    """Whether a name that somebody gave means a sync: `orders.EU` means `orders.EU.paid::b`, too."""
    given, _, variant = wanted.partition("::")
    values, _, own = name.partition("::")
    return (values == given or values.startswith(f"{given}.")) and variant in ("", own or BASE)
