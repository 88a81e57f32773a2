"""Models as interfaces of TypeScript."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from runner.definitions.shapes.models import Model
from runner.definitions.shapes.naming import NOTICE, Names
from runner.definitions.shapes.shape import Constant, ListShape, MapShape, Member, Scalar, Shape

_SCALARS: Mapping[str, str] = {
    "any": "unknown", "key": "string | number", "text": "string", "number": "number", "integer": "number",
    "boolean": "boolean", "timestamp": "string",
}  # fmt: skip
_PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_INDENT = "  "


def typescript(models: Sequence[Model]) -> str:
    """An interface for each model; of one that is stored in several shapes the union of them."""
    names = Names(())
    taken = {model.name: names.take(model.name) for model in models}
    parts = [f"// {NOTICE}\n"]
    for model in models:
        parts += _model(model, taken[model.name], names)
    return "\n".join(parts)


def _model(model: Model, name: str, names: Names) -> Iterator[str]:
    comment = "".join(_comment(model.description))
    if len(model.shapes) == 1:
        (shape,) = model.shapes.values()
        yield f"{comment}export interface {name} {_map(shape, '')}\n"
        return
    each = {names.take(f"{model.name} of {sync}"): shape for sync, shape in model.shapes.items()}
    for one, shape in each.items():
        yield f"export interface {one} {_map(shape, '')}\n"
    yield f"{comment}export type {name} = {' | '.join(each)};\n"


def _comment(description: str) -> Iterator[str]:
    lines = description.replace("*/", "*\\/").splitlines()
    if len(lines) == 1:
        yield f"/** {lines[0]} */\n"
    elif lines:
        yield "/**\n"
        yield from (f" * {line}\n" for line in lines)
        yield " */\n"


def _map(shape: MapShape, indent: str) -> str:
    inner = indent + _INDENT
    lines = [_member(name, member, inner) for name, member in shape.members.items()]
    if shape.is_open:
        lines.append(f"{inner}[field: string]: unknown;\n")
    return "{\n" + "".join(lines) + indent + "}"


def _member(name: str, member: Member, indent: str) -> str:
    key = name if _PLAIN.fullmatch(name) else json.dumps(name, ensure_ascii=False)
    note = f"{indent}/** RFC 3339, in UTC. */\n" if member.shape == Scalar("timestamp") else ""
    kind = _shape(member.shape, indent)
    nothing = " | null" if member.nullable and kind != "unknown" else ""
    return f"{note}{indent}{key}{'' if member.required else '?'}: {kind}{nothing};\n"


def _shape(shape: Shape, indent: str) -> str:
    if isinstance(shape, Scalar):
        return _SCALARS[shape.kind]
    if isinstance(shape, Constant):
        # What JSON writes is a literal type.
        return json.dumps(shape.value, ensure_ascii=False)
    if isinstance(shape, ListShape):
        return f"Array<{_map(shape.item, indent)}>"
    return _map(shape, indent)
