"""A run while it is under way in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from runner.errors import StoreError, TerapiError
from runner.store.locks import Lock

if TYPE_CHECKING:
    from runner.store.run import Run
    from runner.store.runs import Runs

_INTERRUPTED = {"kind": "cancelled", "message": "it was interrupted", "where": None, "hint": None}
_INTERRUPTED_DURABLE = {
    **_INTERRUPTED,
    "hint": "it goes on after the last step that ended: terapi runs resume ID",
}


class Underway:
    """A run that is under way until its `with` block ends.

    Left without `finish` it is a success; by an error it is failed, by an interruption cancelled.
    """

    def __init__(self, runs: Runs, run: Run, lock: Lock) -> None:
        self.run = run
        #: what is known of the result and of the steps so far; kept however the run ends
        self.output: object = None
        self.steps: Sequence[Mapping[str, object]] | None = None
        self._runs = runs
        self._lock = lock
        self._left = False

    def log(self, level: str, message: str, data: object = None) -> None:
        """Adds to the run's log; level is info, warning or error."""
        self._runs.log(self.run, level, message, data)

    def finish(self, status: str, error: Mapping[str, object] | None = None) -> None:
        """Writes how it ended, with `output` and `steps` as they are now."""
        self._runs.finish(self.run, status, output=self.output, error=error, steps=self.steps)

    def park(self, due_at: float | None, woken: int) -> bool:
        """Lets it wait, under way in no process; see `Runs.park`."""
        self._left = self._runs.park(self.run, due_at, woken)
        return self._left

    def leave(self) -> None:
        """Lets it be taken up by whoever comes next."""
        self._runs.requeue(self.run)
        self._left = True

    def __enter__(self) -> Underway:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._end(error)
        except StoreError:
            # Where the state cannot be written any more, the first error says it better.
            if error is None:
                raise
        finally:
            self._lock.remove()

    def _end(self, error: BaseException | None) -> None:
        if self._left:
            return
        if error is None:
            self.finish("success")
        elif isinstance(error, TerapiError):
            self.log("error", error.message)
            self.finish("failed", error.as_data())
        elif isinstance(error, Exception):
            message = f"a fault in terapi itself: {type(error).__name__}"
            self.finish("failed", {"kind": "internal", "message": message, "where": None, "hint": None})
        else:
            self.log("warning", "interrupted")
            self.finish("cancelled", _INTERRUPTED_DURABLE if self.run.durable else _INTERRUPTED)
