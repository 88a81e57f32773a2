"""Models as JSON Schemas (draft 2020-12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runner.definitions.shapes.models import Model
from runner.definitions.shapes.shape import Constant, ListShape, MapShape, Member, Scalar, Shape

Schema = dict[str, object]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_SCALARS: Mapping[str, Schema] = {
    "any": {},
    "key": {"type": ["string", "integer"]},
    "text": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "timestamp": {"type": "string", "format": "date-time"},
}


def json_schema(models: Sequence[Model]) -> Schema:
    """One model's schema; of several one document that has each under `$defs`, by its name."""
    if len(models) == 1:
        return {"$schema": _DRAFT, **_model(models[0])}
    return {"$schema": _DRAFT, "$defs": {model.name: _model(model) for model in models}}


def _model(model: Model) -> Schema:
    head: Schema = {"title": model.name}
    if model.description:
        head["description"] = model.description
    shapes = [_map(shape) for shape in model.shapes.values()]
    return head | (shapes[0] if len(shapes) == 1 else {"anyOf": shapes})


def _map(shape: MapShape) -> Schema:
    return {
        "type": "object",
        "properties": {name: _member(member) for name, member in shape.members.items()},
        "required": [name for name, member in shape.members.items() if member.required],
        "additionalProperties": shape.is_open,
    }


def _member(member: Member) -> Schema:
    schema = _shape(member.shape)
    if member.nullable and "type" in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return schema


def _shape(shape: Shape) -> Schema:
    if isinstance(shape, Scalar):
        return _SCALARS[shape.kind]
    if isinstance(shape, Constant):
        return {"const": shape.value}
    if isinstance(shape, ListShape):
        return {"type": "array", "items": _map(shape.item)}
    return _map(shape)
