"""A failed run opened again: what failed is forgotten, so that it is done when the run goes on."""

from __future__ import annotations

from collections.abc import Iterable

from runner.errors import UsageError
from runner.store import Run, StepRow, Store


def reopen(store: Store, run: Run) -> None:
    """Forgets what failed of a run, and of the workflows that it called, unless it was caught.

    Of a run that was rolled back only what could not be undone is forgotten, and tried again.

    Raises:
        UsageError: all that it did is undone.
    """
    steps = store.steps.of(run.id)
    rows = steps.all()
    undone = [row for row in rows if row.path.endswith(":undo")]
    if undone:
        failed = [row.path for row in undone if row.status == "failed"]
        if not failed:
            hint = f"run it anew: terapi run {run.name}"
            raise UsageError(f"what {run.id[:8]} did is undone", hint=hint)
        steps.forget(failed)
        return
    steps.forget([row.path for row in rows if row.status == "failed" and not _caught(row, rows)])
    for child in store.runs.children(run.id):
        if child.status in ("failed", "cancelled"):
            reopen(store, child)
            store.runs.reopen(child)


def _caught(row: StepRow, rows: Iterable[StepRow]) -> bool:
    return any(
        one.status == "caught"
        and (
            row.path == one.path
            or row.path.startswith((one.path + "/", one.path + "^", one.path + "(", one.path + "["))
        )
        for one in rows
    )
