"""Workflows: what to do, step by step."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from runner.definitions.expressions import Expression
from runner.definitions.model.operation import Call, Request
from runner.definitions.model.values import Value
from runner.definitions.model.webhook import Trigger
from runner.errors import Place


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a workflow; exactly one of call, request, set, returns and fail is there."""

    place: Place
    id: str | None = None
    when: Expression | None = None
    foreach: Expression | None = None
    call: Call | None = None
    request: Request | None = None
    set: Value | None = None
    returns: Value | None = None
    fail: Value | None = None
    output: Value | None = None


class Workflow(msgspec.Struct, frozen=True, kw_only=True):
    """What to do, step by step, bound to one provider."""

    name: str
    place: Place
    description: str
    integrations: tuple[str, ...]
    #: a JSON Schema of the input
    input: Mapping[str, object]
    steps: tuple[Step, ...]
    output: Value | None = None
    trigger: Trigger | None = None
    text: str = ""
