"""What a workflow is given: keys below `input`, made a JSON Schema (draft 2020-12)."""

from __future__ import annotations

from runner.definitions import yaml
from runner.definitions.build.keys import below, data, items, mapping
from runner.definitions.build.reader import Reader
from runner.definitions.refusals import Checker
from runner.definitions.schema import KindSchema

#: what is not the same in a JSON Schema
_OURS = ("optional", "properties", "items")


def read_input(node: yaml.Mapping, reader: Reader) -> dict[str, object]:
    """A closed JSON Schema; a property is required unless it has a default or is optional."""
    children = {name: mapping(child) for name, child in node.entries.items()}
    required = [name for name, child in children.items() if _must_be_given(child)]
    properties = {name: _property(child, reader) for name, child in children.items()}
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _must_be_given(node: yaml.Mapping) -> bool:
    return "default" not in node.entries and not data(node, "optional", False)


def _property(node: yaml.Mapping, reader: Reader) -> dict[str, object]:
    schema: dict[str, object] = {key: child.data for key, child in node.entries.items() if key not in _OURS}
    if "properties" in node.entries:
        schema.update(read_input(below(node, "properties"), reader))
    if "items" in node.entries:
        schema["items"] = _property(below(node, "items"), reader)
    if _is_pattern(node, reader):
        _check_values(node, schema, reader)
    return schema


def _is_pattern(node: yaml.Mapping, reader: Reader) -> bool:
    """Whether `pattern`, where it is there, is one to those who will hold values against it."""
    pattern = node.entries.get("pattern")
    if pattern is None:
        return True
    import jsonschema_rs

    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern.data})
    except ValueError:
        reader.problem(pattern, "`pattern` is no regular expression", "pattern")
        return False
    return True


def _check_values(node: yaml.Mapping, schema: dict[str, object], reader: Reader) -> None:
    """The default and the values of `enum`, held against what the input itself says."""
    typed = {key: value for key, value in schema.items() if key != "enum"}
    for number, item in enumerate(items(node, "enum"), 1):
        _check_value(item, typed, f"item {number} of `enum`", reader)
    if "default" in node.entries:
        _check_value(node.entries["default"], schema, "`default`", reader)


def _check_value(node: yaml.Node, schema: dict[str, object], subject: str, reader: Reader) -> None:
    for problem in Checker(KindSchema("workflow", schema)).check(node, subject):
        reader.problems.append(problem._replace(see=None, code="input"))
