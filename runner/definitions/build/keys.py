"""What stands under the keys of a map that the schema has checked."""

from __future__ import annotations

from typing import TypeVar, cast

from runner.definitions import yaml
from runner.definitions.conversions import byte_count, duration

T = TypeVar("T")


def mapping(node: yaml.Node | None) -> yaml.Mapping:
    """The map that the schema has already seen to be there; an empty one where there is none."""
    return node if isinstance(node, yaml.Mapping) else yaml.EMPTY


def below(node: yaml.Mapping, key: str) -> yaml.Mapping:
    """The map under a key; an empty one where there is none."""
    return mapping(node.entries.get(key))


def items(node: yaml.Mapping, key: str) -> list[yaml.Node]:
    """The list under a key; an empty one where there is none."""
    found = node.entries.get(key)
    return found.items if isinstance(found, yaml.Sequence) else []


def text(node: yaml.Mapping, key: str, default: str = "") -> str:
    found = node.entries.get(key)
    return found.text if isinstance(found, yaml.Scalar) else default


def data(node: yaml.Mapping, key: str, default: T) -> T:
    """The value under a key as data; the schema has seen to its type."""
    found = node.entries.get(key)
    return default if found is None else cast(T, found.data)


def texts(node: yaml.Mapping, key: str) -> tuple[str, ...]:
    """The list of texts under a key."""
    return tuple(str(item.data) for item in items(node, key))


def size(node: yaml.Mapping, key: str, default: int) -> int:
    """The bytes under a key."""
    found = node.entries.get(key)
    return byte_count(found.data) if found is not None else default


def seconds(node: yaml.Mapping, key: str, default: float) -> float:
    """The duration under a key."""
    found = node.entries.get(key)
    return duration(found.data) if found is not None else default
