"""Whether a failed run may be begun anew without doing anything twice."""

from __future__ import annotations

from runner.calls.retry import NOT_DONE, SAFE
from runner.definitions.model import Step, Workflow
from runner.errors import CallError
from runner.workflow.run import Result


def repeatable(workflow: Workflow, result: Result) -> bool:
    """True where no step that writes was begun, or the API has certainly refused the first of them."""
    writing = {step.place.line: step for step in workflow.steps if _writes(step)}
    begun = [entry for entry in result.steps if entry["line"] in writing and entry["status"] != "skipped"]
    if not begun:
        return True
    step = writing[int(str(begun[0]["line"]))]
    refused = (
        begun[0]["status"] == "failed"
        and isinstance(result.cause, CallError)
        and result.cause.kind in NOT_DONE
    )
    return refused and step.foreach is None


def writes(workflow: Workflow) -> bool:
    """Whether any of its steps may change something."""
    return any(_writes(step) for step in workflow.steps)


def _writes(step: Step) -> bool:
    if step.call is not None:
        return step.call.operation.writes
    return step.request is not None and step.request.method not in SAFE
