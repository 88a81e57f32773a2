"""What a workflow is given: checked against its `input`, with its defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from runner.definitions.model import Workflow
from runner.definitions.values import describe
from runner.errors import UsageError


def checked_input(workflow: Workflow, given: Mapping[str, object]) -> dict[str, object]:
    """The input with its defaults, those of what stands within it among them.

    Raises:
        UsageError: it does not fit the workflow's `input`.
    """
    full = cast("dict[str, object]", _with_defaults(workflow.input, given))
    # Imported late: a program that only reads definitions needs no second validator.
    import jsonschema_rs

    validator = jsonschema_rs.Draft202012Validator(dict(workflow.input), validate_formats=True)
    errors = sorted(
        validator.iter_errors(full), key=lambda error: [str(part) for part in error.instance_path]
    )
    if errors:
        first = errors[0]
        where = ".".join(["input", *(str(part) for part in first.instance_path)])
        takes = ", ".join(cast("Mapping[str, object]", workflow.input["properties"])) or "nothing"
        message = f"`{where}` of `{workflow.name}`: {_said(first, full)}"
        raise UsageError(message, hint=f"it takes: {takes}")
    return full


def _said(error: object, full: object) -> str:
    from jsonschema_rs import ValidationErrorKind as Kind

    kind = getattr(error, "kind", None)
    found: object = getattr(error, "instance", full)
    match kind:
        case Kind.Required(property=name):
            return f"`{name}` is missing"
        case Kind.AdditionalProperties(unexpected=names):
            return f"there is no `{names[0]}`"
        case Kind.Type(types=types):
            return f"expected {' or '.join(types)}, found {describe(found)}"
    return str(getattr(error, "message", "it does not fit"))


def _with_defaults(schema: Mapping[str, object], value: object) -> object:
    if isinstance(value, Mapping):
        properties = cast("Mapping[str, Mapping[str, object]]", schema.get("properties", {}))
        defaults = {name: rules["default"] for name, rules in properties.items() if "default" in rules}
        return {
            key: _with_defaults(properties.get(key, {}), item) for key, item in {**defaults, **value}.items()
        }
    if isinstance(value, list):
        items = cast("Mapping[str, object]", schema.get("items", {}))
        return [_with_defaults(items, item) for item in value]
    return value
