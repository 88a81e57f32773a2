"""Typed parameters, of operations and of syncs."""

from __future__ import annotations

from collections.abc import Collection

from runner.definitions import yaml
from runner.definitions.build.keys import below, data, items, mapping, text
from runner.definitions.build.reader import Reader
from runner.definitions.model import Param


def read_params(node: yaml.Mapping, reader: Reader, taken: Collection[str] = ()) -> dict[str, Param]:
    """Parameters by name.

    Args:
        taken: names that have a meaning of their own where these are used.
    """
    for name, key in node.keys.items():
        if name in taken:
            message, mend = f"a parameter cannot be called `{name}`", "the name has a meaning of its own"
            reader.problem(key, message, "param", mend)
    return {name: _param(name, mapping(child), reader) for name, child in node.entries.items()}


def _param(name: str, node: yaml.Mapping, reader: Reader) -> Param:
    has_default = "default" in node.entries
    param = Param(
        name=name,
        type=text(node, "type", "any"),
        description=text(node, "description"),
        required=data(node, "required", not has_default),
        default=data(node, "default", None),
        has_default=has_default,
        enum=tuple(item.data for item in items(node, "enum")),
    )
    _check_values(node, param, reader)
    return param


def _check_values(node: yaml.Mapping, param: Param, reader: Reader) -> None:
    """The default and the values of `enum`, held against what the parameter itself says."""
    for number, item in enumerate(items(node, "enum"), 1):
        wrong = param.mistyped(item.data)
        if wrong is not None:
            reader.problem(item, f"item {number} of `enum` {wrong}", "param")
    wrong = param.misfit(param.default)
    if wrong is not None:
        reader.problem(node.entries["default"], f"`default` {wrong}", "param")


def warn_unused(node: yaml.Mapping, key: str, mentioned: Collection[str], reader: Reader) -> None:
    """Warns of names that are given meaning below a key and never mentioned."""
    for name, where in below(node, key).keys.items():
        if name not in mentioned:
            reader.warning(where, f"`{name}` is never used", "unused", "remove it, or use it")
