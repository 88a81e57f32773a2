"""What an operation is given, held against its parameters."""

from __future__ import annotations

from collections.abc import Mapping

from runner.definitions.model import Operation
from runner.definitions.values import is_absent
from runner.errors import UsageError


def checked(operation: Operation, arguments: Mapping[str, object]) -> dict[str, object]:
    """The arguments with defaults, held against the operation's parameters.

    Raises:
        UsageError: one is missing, unknown or of another type.
    """
    unknown = sorted(set(arguments) - set(operation.params))
    if unknown:
        takes = ", ".join(operation.params) or "nothing"
        raise UsageError(f"`{operation.name}` takes no `{unknown[0]}`", hint=f"it takes: {takes}")
    result: dict[str, object] = {}
    for param in operation.params.values():
        value = arguments.get(param.name)
        if param.name in arguments and not is_absent(value):
            wrong = param.misfit(value)
            if wrong is not None:
                raise UsageError(f"`{param.name}` of `{operation.name}` {wrong}")
            result[param.name] = value
        elif param.has_default:
            result[param.name] = param.default
        elif param.required:
            raise UsageError(f"`{operation.name}` needs `{param.name}`", hint=param.description or None)
    return result
