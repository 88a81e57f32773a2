"""What is stored of a record."""

from __future__ import annotations

from runner.definitions import yaml
from runner.definitions.build.keys import below, text
from runner.definitions.build.reader import Reader
from runner.definitions.expressions import Expression, Names
from runner.definitions.model import Field, FieldFrom, FieldMap, Fixed


def read_record(top: yaml.Mapping, reader: Reader, names: Names) -> dict[str, Field] | Expression:
    """A sync's `fields`: a map in which the primary key stands, or one expression."""
    node = top.entries["fields"]
    if not isinstance(node, yaml.Mapping):
        return reader.expression(node, names)
    if text(top, "primary_key") not in node.entries:
        reader.one_of(top.entries["primary_key"], node.entries, "field")
    return _fields(node, reader, names)


def _fields(node: yaml.Mapping, reader: Reader, names: Names) -> dict[str, Field]:
    return {name: _field(child, reader, names) for name, child in node.entries.items()}


def _field(node: yaml.Node, reader: Reader, names: Names) -> Field:
    if not isinstance(node, yaml.Mapping):
        return FieldFrom(source=reader.expression(node, names))
    if "value" in node.entries:
        return Fixed(node.entries["value"].data)
    if "from" in node.entries:
        kind = text(node, "type") or None
        return FieldFrom(source=reader.expression(node.entries["from"], names), type=kind)
    inner = {**names, "item": None} if "foreach" in node.entries else names
    return FieldMap(
        fields=_fields(below(node, "fields"), reader, inner),
        foreach=reader.optional(node, "foreach", names),
        where=reader.optional(node, "where", inner),
        sort=reader.optional(node, "sort", inner),
    )
