"""`@{ref.field}` in a composite call: what an earlier call of it has answered."""

from __future__ import annotations

import re
from collections.abc import Mapping

from runner.emulator.errors import ApiError

_REFERENCE = re.compile(r"@\{([^{}]*)\}")
_STEP = re.compile(r"[^.\[\]]+|\[\d+\]")


class Unresolved(ApiError):
    """A reference leads nowhere."""

    def __init__(self, path: str) -> None:
        name = path.partition(".")[0].partition("[")[0]
        super().__init__(
            "PROCESSING_HALTED", f"Invalid reference specified. No value for {path} found in {name}"
        )


def resolved(value: object, answers: Mapping[str, object]) -> object:
    """The value, each reference in its texts put in; one that is a whole text keeps its kind. Raises
    Unresolved.
    """
    match value:
        case str():
            whole = _REFERENCE.fullmatch(value)
            if whole:
                return _found(whole[1], answers)
            return _REFERENCE.sub(lambda found: _text(_found(found[1], answers)), value)
        case dict():
            return {_text(resolved(key, answers)): resolved(part, answers) for key, part in value.items()}
        case list():
            return [resolved(part, answers) for part in value]
        case _:
            return value


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _found(path: str, answers: Mapping[str, object]) -> object:
    name, *steps = _STEP.findall(path)[:100] or [""]
    if name not in answers:
        raise Unresolved(path)
    found = answers[name]
    for step in steps:
        if step.startswith("["):
            place = int(step[1:-1])
            if not isinstance(found, list) or place >= len(found):
                raise Unresolved(path)
            found = found[place]
        else:
            if not isinstance(found, dict) or step not in found:
                raise Unresolved(path)
            found = found[step]
    if found is None:
        raise Unresolved(path)
    return found
