"""What a connection has beside its tokens: keys below `connection_config` and `credentials`."""

from __future__ import annotations

import re

from msgspec.structs import replace

from runner.definitions import yaml
from runner.definitions.build.keys import data, mapping, text
from runner.definitions.build.reader import Reader
from runner.definitions.model import ConfigField
from runner.definitions.values import TYPE_WORDS, describe, fits


def read_config(node: yaml.Mapping, reader: Reader) -> dict[str, ConfigField]:
    """Values that a connection has: typed in, defaulted, or captured from a token's answer."""
    found = _fields(node, reader)
    return {
        name: replace(field, captured=reader.optional(mapping(node.entries[name]), "from", {"token": None}))
        for name, field in found.items()
    }


def read_credentials(node: yaml.Mapping, reader: Reader) -> dict[str, ConfigField]:
    """Values that a person enters."""
    found = _fields(node, reader)
    return {
        name: replace(field, secret=data(mapping(node.entries[name]), "secret", False))
        for name, field in found.items()
    }


def _fields(node: yaml.Mapping, reader: Reader) -> dict[str, ConfigField]:
    return {name: _field(name, mapping(child), reader) for name, child in node.entries.items()}


def _field(name: str, node: yaml.Mapping, reader: Reader) -> ConfigField:
    field = ConfigField(
        name=name,
        type=text(node, "type", "string"),
        title=text(node, "title", name),
        description=text(node, "description"),
        format=text(node, "format") or None,
        pattern=text(node, "pattern") or None,
        example=text(node, "example") or None,
        default=data(node, "default", None),
        optional=data(node, "optional", False),
    )
    _check(node, field, reader)
    return field


def _check(node: yaml.Mapping, field: ConfigField, reader: Reader) -> None:
    try:
        pattern = re.compile(field.pattern or "")
    except re.error:
        reader.problem(node.entries["pattern"], "`pattern` is no regular expression", "pattern")
        return
    if field.default is None:
        return
    if not fits(field.default, field.type):
        message = f"`default` must be {TYPE_WORDS[field.type]}, found {describe(field.default)}"
        reader.problem(node.entries["default"], message, "type")
    elif isinstance(field.default, str) and not pattern.search(field.default):
        reader.problem(node.entries["default"], f"`default` does not match {field.pattern}", "pattern")
