"""What is stored of a record."""

from __future__ import annotations

from typing import NamedTuple

from runner.definitions import yaml
from runner.definitions.build.keys import below, text
from runner.definitions.build.reader import Reader
from runner.definitions.expressions import Expression, Names
from runner.definitions.model import Field, FieldFrom, FieldMap, Fixed


class _Reading(NamedTuple):
    """What is the same for all fields of a sync."""

    reader: Reader
    #: the type of those that name none
    type: str | None


def read_record(top: yaml.Mapping, reader: Reader, names: Names) -> dict[str, Field] | Expression:
    """A sync's `fields`: a map in which the primary key stands, or one expression."""
    node = top.entries["fields"]
    if not isinstance(node, yaml.Mapping):
        if "field_type" in top.entries:
            message = "`field_type` is for fields that stand in a map, and here one expression gives them all"
            reader.problem(
                top.keys["field_type"], message, "field_type", "remove it, or write the fields out"
            )
        return reader.expression(node, names)
    if text(top, "primary_key") not in node.entries:
        reader.one_of(top.entries["primary_key"], node.entries, "field")
    return _fields(node, _Reading(reader, text(top, "field_type") or None), names)


def _fields(node: yaml.Mapping, reading: _Reading, names: Names) -> dict[str, Field]:
    return {name: _field(child, reading, names) for name, child in node.entries.items()}


def _field(node: yaml.Node, reading: _Reading, names: Names) -> Field:
    reader = reading.reader
    if not isinstance(node, yaml.Mapping):
        return FieldFrom(source=reader.expression(node, names), type=reading.type)
    if "value" in node.entries:
        return Fixed(node.entries["value"].data)
    if "from" in node.entries:
        kind = text(node, "type") or reading.type
        return FieldFrom(source=reader.expression(node.entries["from"], names), type=kind)
    inner = {**names, "item": None} if "foreach" in node.entries else names
    return FieldMap(
        fields=_fields(below(node, "fields"), reading, inner),
        foreach=reader.optional(node, "foreach", names),
        where=reader.optional(node, "where", inner),
        sort=reader.optional(node, "sort", inner),
    )
