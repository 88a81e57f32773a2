"""What the scripts share: the org they are told of, and a run of all their checks."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable, Mapping
from typing import TypeVar

Refusal = TypeVar("Refusal", bound=Exception)

ORG: dict[str, str] = json.loads(os.environ["ORG"])
PREFIX = "check_"


def refused(kind: type[Refusal], call: Callable[[], object]) -> Refusal:
    """The exception with which a call ends."""
    try:
        call()
    except kind as exc:
        return exc
    raise AssertionError("the call was not refused")


def run(names: Mapping[str, object]) -> None:
    """Calls each function that is a check; prints for each "" or why it failed, as JSON in one line."""
    told = {}
    for name, check in names.items():
        if name.startswith(PREFIX) and callable(check):
            told[name.removeprefix(PREFIX)] = _said(check)
    print(json.dumps(told))


def _said(check: Callable[[], object]) -> str:
    try:
        check()
    except Exception:  # noqa: BLE001 - a check may fail in any way, and the others go on
        return traceback.format_exc()
    return ""
