"""Models as columns of a table."""

from __future__ import annotations

from runner.definitions.shapes.models import Model
from runner.definitions.shapes.shape import Constant, Scalar, Shape

#: what a constant is, by its type
_CONSTANTS: dict[type, str] = {str: "text", bool: "boolean", int: "integer", float: "number"}


def columns(model: Model) -> dict[str, str | None]:
    """What each field is: text, number, integer, boolean, timestamp or json; None where that is not said."""
    found: dict[str, str | None] = {}
    for shape in model.shapes.values():
        for name, member in shape.members.items():
            kind = _kind(member.shape)
            found[name] = kind if found.get(name, kind) == kind else None
    return found


def _kind(shape: Shape) -> str | None:
    if isinstance(shape, Scalar):
        return shape.kind if shape.kind not in ("any", "key") else None
    if isinstance(shape, Constant):
        return _CONSTANTS.get(type(shape.value), "json") if shape.value is not None else None
    return "json"
