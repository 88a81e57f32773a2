"""One look at all triggers: what is due is started."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runner.calls.access import Access
from runner.definitions.model import Workflow
from runner.store import StreamKey, TriggerKey, TriggerState
from runner.workflow.triggers.armed import Armed, armed, beginning, schedule_of, source_of
from runner.workflow.triggers.batches import start_batch
from runner.workflow.triggers.times import start_due

#: how often a run is taken up again with which its process has died
DEATHS = 5
_NEVER = float("inf")

Cursors = Mapping[StreamKey, int]
States = Mapping[TriggerKey, TriggerState]


class Starter:
    """Starts what is due.

    Args:
        clock: seconds since 1970.
        log: takes a line for each that is started.
    """

    def __init__(self, access: Access, clock: Callable[[], float], log: Callable[[str], None]) -> None:
        self._access = access
        self._store = access.store
        self._clock = clock
        self._log = log
        #: the state as it was at the last look, and when to look again though it has not changed
        self._seen: tuple[int, int] | None = None
        self._next = _NEVER

    def look(self) -> float:
        """Starts all that is due; gives when to look again though nothing changes, in seconds since 1970."""
        mark, now = self._store.database.changes(), self._clock()
        if mark == self._seen and now < self._next:
            return self._next
        found = armed(self._access.project, self._store.connections.places())
        cursors = self._store.records.cursors()
        states = self._states(found, cursors, now)
        found = {key: bound for key, bound in found.items() if key in states}
        self._seen, self._next = mark, self._times(found, states, now)
        if self._changes(found, states, cursors):
            self._next = now
        return self._next

    def _states(self, found: Armed, cursors: Cursors, now: float) -> States:
        """How far each has come; those that are new begin."""
        known = self._store.triggers.all()
        fresh = {key: beginning(key, found[key], cursors, now) for key in found if key not in known}
        if fresh:
            self._store.triggers.begin(fresh.items())
            known = self._store.triggers.all()
        return known

    def _times(self, found: Armed, states: States, now: float) -> float:
        """Starts what its schedule says; gives when the next is due."""
        soonest = _NEVER
        for key, bound in found.items():
            if key.kind == "records" or states[key].paused:
                continue
            self._tell(start_due(self._access, key, bound, states[key].reached, now))
            soonest = min(soonest, schedule_of(bound).after(now))
        return soonest

    def _changes(self, found: Armed, states: States, cursors: Cursors) -> bool:
        """Starts runs of changed records, where earlier ones leave room; whether there is more to see."""
        behind = {
            key: (bound, upto)
            for key, bound in found.items()
            if key.kind == "records" and isinstance(bound, Workflow) and not states[key].paused
            for upto in [cursors.get(source_of(bound, key), 0)]
            if upto > states[key].reached
        }
        under_way = self._store.triggers.batches_under_way(deaths=DEATHS) if behind else {}
        more = False
        for key, (workflow, upto) in behind.items():
            room = 1 if workflow.concurrency is None else workflow.concurrency.limit
            room -= under_way.get((key.name, key.integration, key.connection), 0)
            more = self._batches(key, workflow, states[key].reached, upto, room) or more
        return more

    def _batches(self, key: TriggerKey, workflow: Workflow, reached: float, upto: float, room: int) -> bool:
        """Starts as many batches as there is room for; whether there is more of both."""
        while room > 0 and reached < upto:
            reached, told = start_batch(self._access, key, workflow, reached, upto)
            if told is None:
                break
            self._tell(told)
            room -= 1
        return room > 0 and reached < upto

    def _tell(self, told: str | None) -> None:
        if told is not None:
            self._log(told)
