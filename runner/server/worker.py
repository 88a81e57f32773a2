"""Works through what was stored: deliveries, the syncs that somebody asked for, and runs of workflows that
may go on; and starts what is due.

One process at a time does so for a state; the kernel's lock says which. What it has in hand when it is killed
is worked through by the next.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Final

from runner.calls.access import Access
from runner.definitions.model.matrix import definition_of
from runner.errors import StoreError, TerapiError
from runner.server.runs import Runs, Wanted
from runner.store import Delivery, Run, SyncRequest, keep_of
from runner.sync.run import Options
from runner.webhooks.route import Router
from runner.webhooks.work import told, work_through
from runner.workflow.halt import Clock, WallClock
from runner.workflow.triggers.starter import DEATHS, Starter

#: connections that are worked for at once
_MOST = 8
#: runs of workflows that go on at once, of all connections and of one
_RUNS = 8
_RUNS_EACH = 4
#: seconds between two looks for what other processes have stored
_LOOK = 1.0
#: seconds until the state is tried again after a fault
_FAULT = 5.0
_OPTIONS: Final = {"changed": Options(), "full": Options(full=True), "empty": Options(empty=True)}


class Worker:
    """The work of one process.

    Args:
        log: takes a line for whoever runs it.
        began: called when it is this process that works.
    """

    def __init__(
        self,
        access: Access,
        log: Callable[[str], None],
        *,
        began: Callable[[], None] = lambda: None,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or WallClock()
        self._began = began
        self._project = access.project
        self._store = access.store
        self._router = Router(access.project, access.store)
        self._runs = Runs(access, log, self._clock)
        self._starter = Starter(access, self._clock.now, log)
        self._log = log
        self._housekeeping = access.store.housekeeping(keep_of(access.environ))
        #: whether there is more to forget
        self._old = False
        self._lock = access.store.lock("worker")
        self._holds = False
        #: what is under way, and the connection that it is for
        self._busy: dict[asyncio.Task[object], str] = {}
        #: the runs that go on
        self._going: dict[asyncio.Task[object], Run] = {}
        self._stopping = False
        self._woken = asyncio.Event()
        #: after a fault of the state nothing is taken up before this time
        self._resumes = 0.0

    @property
    def state(self) -> str:
        return "working" if self._holds else "waiting"

    def wake(self) -> None:
        self._woken.set()

    def stop(self) -> None:
        """Takes up nothing more, and lets go of the syncs; workflows rest before their next step."""
        self._stopping = True
        self._runs.stop()
        self.wake()

    def cut(self) -> None:
        """Ends what is under way where it is."""
        self.stop()
        for task in {**self._busy, **self._going}:
            task.cancel()

    async def work(self) -> None:
        """Works until it is stopped and what it had in hand has ended."""
        try:
            while not self._stopping:
                await self._pause(self._look())
            while under_way := {**self._busy, **self._going}:
                await asyncio.wait(under_way)
        finally:
            self._lock.release()
            self._holds = False

    def _look(self) -> float:
        """Takes up what there is to do; gives the seconds until the next look."""
        rest = self._resumes - time.monotonic()
        if rest > 0:
            return rest
        try:
            self._acquire()
            if self._holds:
                due = self._starter.look()
                self._take_up()
                self._take_runs()
                self._forget()
                return max(0.0, min(_LOOK, due - self._clock.now()))
        except StoreError as exc:
            self._fault(exc)
        return _LOOK

    def _forget(self) -> None:
        """Forgets some of what is old, and the rest at the next looks."""
        self._old = self._old or self._housekeeping.take_turn()
        self._old = self._old and self._housekeeping.step()

    def _acquire(self) -> None:
        if not self._holds and self._lock.acquire():
            self._holds = True
            self._began()

    def _fault(self, error: BaseException) -> None:
        """A fault of the state is not met again at once, with work done in between that cannot be noted."""
        self._log(f"error: {told(error) if isinstance(error, TerapiError) else repr(error)}")
        self._resumes = time.monotonic() + _FAULT

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()

    def _take_up(self) -> None:
        while len(self._busy) < _MOST:
            busy = set(self._busy.values())
            request = self._store.sync_requests.begin(busy)
            if request is not None:
                self._start(request.group, self._sync(request))
                continue
            delivery = self._store.deliveries.due(busy)
            if delivery is None:
                return
            self._start(delivery.group, self._deliver(delivery))

    def _take_runs(self) -> None:
        each = Counter(run.place for run in self._going.values())
        room, here = _RUNS - len(self._going), {run.id for run in self._going.values()}
        full = [place for place, count in each.items() if count >= _RUNS_EACH]
        if room < 1:
            return
        for run in self._store.runs.due(self._clock.now(), deaths=DEATHS, busy=full):
            if room > 0 and run.id not in here and each[run.place] < _RUNS_EACH:
                each[run.place] += 1
                room -= 1
                task: asyncio.Task[object] = asyncio.create_task(self._go_on(run))
                self._going[task] = run
                task.add_done_callback(self._ended)

    def _start(self, group: str, work: Coroutine[object, object, object]) -> None:
        task: asyncio.Task[object] = asyncio.create_task(work)
        self._busy[task] = group
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._busy.pop(task, None)
        self._going.pop(task, None)
        if not task.cancelled():
            fault = task.exception()
            if fault is not None:
                self._fault(fault)
            elif task.result() is False:
                return  # nothing was done, and looking at once would find the same again
        self.wake()

    async def _deliver(self, delivery: Delivery) -> None:
        name = f"webhook {delivery.id[:8]} of {delivery.integration} ({delivery.event or 'no event'})"
        try:
            status = await work_through(delivery, self._router, self._store, self._runs)
        except StoreError:
            raise
        except Exception as exc:  # noqa: BLE001 - the outermost door: one that breaks us must not do so again
            status, error = "failed", f"a fault in terapi itself: {type(exc).__name__}: {exc}"
            self._store.deliveries.finish(delivery, status, error)
        found = self._store.deliveries.get(delivery.id)
        reason = f": {found.error}" if found is not None and found.error else ""
        self._log(f"{name}: {'waits for another try' if status == 'received' else status}{reason}")

    async def _go_on(self, run: Run) -> bool:
        """False where another process has it."""
        try:
            return await self._runs.go_on(run)
        except StoreError:
            raise
        except Exception as exc:  # noqa: BLE001 - the outermost door; the run is noted as failed
            self._log(
                f"{run.name} for {run.connection}: failed: a fault in terapi itself: "
                f"{type(exc).__name__}: {exc} (run {run.id})"
            )
            return True

    async def _sync(self, request: SyncRequest) -> None:
        """Runs a sync that was asked for; what came of it is told when the request is no more."""
        outcome = await self._outcome(request)
        self._store.sync_requests.finish(request)
        self._log(f"{request.sync} of {request.connection}: {outcome}")

    async def _outcome(self, request: SyncRequest) -> str:
        connection = self._store.connections.get(request.integration, request.connection)
        if connection is None:
            return "the connection is gone"
        try:
            sync = self._project.sync(definition_of(request.sync), request.integration)
            wanted = Wanted(_OPTIONS[request.mode], name=request.sync)
            return await self._runs.sync(sync, connection, wanted) or "nothing to do"
        except StoreError:
            raise
        except TerapiError as exc:
            return f"failed: {told(exc)}"
        except Exception as exc:  # noqa: BLE001 - the outermost door
            return f"failed: a fault in terapi itself: {type(exc).__name__}: {exc}"
