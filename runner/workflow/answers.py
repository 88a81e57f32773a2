"""What comes for runs from outside: a person's answer, the event of a webhook."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from runner.definitions.conversions import format_instant, instant
from runner.errors import UsageError
from runner.store import NewSignal, Run, StepRow, Store


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A person's yes or no."""

    approved: bool
    #: in seconds since 1970
    at: float
    comment: str | None = None

    def as_data(self) -> dict[str, object]:
        found = {"approved": self.approved, "at": format_instant(instant(self.at))}
        return {**found, **({"comment": self.comment} if self.comment else {})}


def answer(store: Store, run: Run, given: Answer, step: str | None = None) -> Run:
    """Answers the step that waits for an approval, of a run or a workflow that it called; gives the run that
    goes on for it.

    Args:
        step: which one, by its path; may be left out where one alone waits.

    Raises:
        UsageError: none waits, several do, or that one does not.
    """
    asking = [(one, row) for one, row in _asking(store, run) if step is None or row.path == step]
    if not asking:
        what = f"the step `{step}`" if step else "no step"
        does = "does not wait" if step else "waits"
        raise UsageError(
            f"{what} of run {run.id[:8]} {does} for an approval", hint=f"terapi runs show {run.id[:8]}"
        )
    if len(asking) > 1:
        named = ", ".join(row.path for _, row in asking)
        raise UsageError("several steps wait for an approval", hint=f"name one with --step: {named}")
    [(owner, row)] = asking
    if not store.steps.of(owner.id).answer(row.path, given.as_data()):
        raise UsageError(f"`{row.path}` of run {run.id[:8]} was answered already")
    return store.runs.wake(owner.id)


def _asking(store: Store, run: Run) -> Iterator[tuple[Run, StepRow]]:
    for row in store.steps.of(run.id).all():
        if row.status == "waiting" and row.kind == "approve" and row.answer is None:
            yield run, row
    for child in store.runs.children(run.id):
        yield from _asking(store, child)


def offer(store: Store, run: Run, signal: NewSignal) -> Run:
    """Gives a run an event that it may wait for; gives the run that goes on for it."""
    store.steps.of(run.id).signal(signal)
    return store.runs.wake(run.id)
