"""Models as TypedDicts of Python (3.11 or later)."""

from __future__ import annotations

import json
import keyword
from collections.abc import Mapping, Sequence

from runner.definitions.shapes.models import Model
from runner.definitions.shapes.naming import NOTICE, Names
from runner.definitions.shapes.shape import Constant, ListShape, MapShape, Member, Scalar, Shape

_SCALARS: Mapping[str, str] = {
    "any": "object", "key": "str | int", "text": "str", "number": "float", "integer": "int",
    "boolean": "bool", "timestamp": "str",
}  # fmt: skip
_TYPING = ("Literal", "NotRequired", "TypeAlias", "TypedDict")


def python(models: Sequence[Model]) -> str:
    """A TypedDict for each model; of one that is stored in several shapes the union of them."""
    return _Module(models).text()


class _Module:
    def __init__(self, models: Sequence[Model]) -> None:
        self._models = models
        self._names = Names((*_TYPING, *keyword.kwlist))
        self._taken = {model.name: self._names.take(model.name) for model in models}
        self._parts: list[str] = []

    def text(self) -> str:
        for model in self._models:
            self._model(model, self._taken[model.name])
        body = "\n\n\n".join(self._parts)
        used = [name for name in _TYPING if name in body]
        imports = f"from typing import {', '.join(used)}\n\n\n" if used else ""
        return f'"""{NOTICE}"""\n\nfrom __future__ import annotations\n\n{imports}{body}\n'

    def _model(self, model: Model, name: str) -> None:
        if len(model.shapes) == 1:
            (shape,) = model.shapes.values()
            self._define(name, shape, model.description)
            return
        each = {self._names.take(f"{model.name} of {sync}"): shape for sync, shape in model.shapes.items()}
        for one, shape in each.items():
            self._define(one, shape, "")
        self._parts.append(f"{_comment(model.description)}{name}: TypeAlias = {_quoted(' | '.join(each))}")

    def _define(self, name: str, shape: MapShape, description: str) -> None:
        """Notes a type, behind those that it is made of."""
        if shape.is_open:
            # A TypedDict has no other keys than its own.
            self._parts.append(f"{_comment(description)}{name}: TypeAlias = dict[str, object]")
            return
        members = {key: self._member(member, f"{name} {key}") for key, member in shape.members.items()}
        if all(map(_is_plain, members)):
            lines = [f"    {_docstring(description)}\n"] if description else []
            lines += [f"    {key}: {kind}" for key, kind in members.items()]
            self._parts.append(f"class {name}(TypedDict):\n" + "\n".join(lines or ["    pass"]))
            return
        pairs = "".join(f"        {_quoted(key)}: {_quoted(kind)},\n" for key, kind in members.items())
        self._parts.append(
            f"{_comment(description)}{name} = TypedDict(\n    {_quoted(name)},\n    {{\n{pairs}    }},\n)"
        )

    def _member(self, member: Member, path: str) -> str:
        kind = self._shape(member.shape, path)
        if member.nullable and kind != "object":
            kind += " | None"
        return kind if member.required else f"NotRequired[{kind}]"

    def _shape(self, shape: Shape, path: str) -> str:
        if isinstance(shape, Scalar):
            return _SCALARS[shape.kind]
        if isinstance(shape, Constant):
            return _constant(shape.value)
        name = self._names.take(path)
        self._define(name, shape.item if isinstance(shape, ListShape) else shape, "")
        return f"list[{name}]" if isinstance(shape, ListShape) else name


def _constant(value: object) -> str:
    if value is None:
        return "None"
    if isinstance(value, str | int):
        return f"Literal[{_quoted(value) if isinstance(value, str) else value}]"
    return (
        "list[object]"
        if isinstance(value, list)
        else "dict[str, object]"
        if isinstance(value, dict)
        else "float"
    )


def _is_plain(name: str) -> bool:
    """Whether a key can be written as a class's attribute, unchanged by the class."""
    return name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("__")


def _quoted(text: str) -> str:
    """A text as a literal; what JSON writes is one of Python, too."""
    return json.dumps(text, ensure_ascii=False)


def _comment(description: str) -> str:
    return "".join(f"# {line}\n" for line in description.splitlines())


def _docstring(description: str) -> str:
    escaped = description.replace("\\", "\\\\").replace('"', '\\"')
    lines = escaped.splitlines()
    return '"""' + "\n    ".join(lines) + ('"""' if len(lines) == 1 else '\n    """')
