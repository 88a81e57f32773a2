"""Whether a failed run may be begun anew without doing anything twice."""

from __future__ import annotations

from runner.definitions.model import CallWorkflow, RunSync, Workflow, every_step
from runner.workflow.dry import writes
from runner.workflow.life import Result


def repeatable(result: Result) -> bool:
    """True where no step that writes was begun, or the API has certainly refused the first of them."""
    return not result.touched


def may_write(workflow: Workflow) -> bool:
    """Whether any of its steps may change something."""
    return any(
        writes(step) or isinstance(step.do, CallWorkflow | RunSync) for step in every_step(workflow.steps)
    )
