"""A run named by the beginning of its id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.errors import UsageError

if TYPE_CHECKING:
    from runner.store import Run, Store


def find_run(store: Store, id: str) -> Run:
    """The one run whose id begins so.

    Raises:
        UsageError: there is none, or there are several.
    """
    runs = store.runs.beginning_with(id.lower())
    if len(runs) == 1:
        return runs[0]
    if not runs:
        raise UsageError(f"there is no run `{id}`", hint="terapi runs list")
    named = ", ".join(f"{run.id[:12]} ({run.name})" for run in runs)
    raise UsageError(f"several runs begin with `{id}`", hint=f"write more of it: {named}")
