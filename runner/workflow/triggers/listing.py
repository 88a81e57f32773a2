"""The triggers as people see them: what is due when, for whom; paused, and let go on."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from runner.definitions.model import Sync, Workflow
from runner.definitions.project import Project
from runner.definitions.words import did_you_mean, there_are
from runner.errors import UsageError
from runner.store import BASE, Store, TriggerKey, TriggerState
from runner.workflow.triggers.armed import armed, beginning, schedule_of, source_of


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One trigger of one connection."""

    key: TriggerKey
    #: its schedule as it is written, or the model whose records start it
    what: str
    #: when it is due, in seconds since 1970; None for records, and for what is paused
    due_at: float | None
    #: changed records that no run has got yet, and that may not all count
    behind: int | None
    paused: bool

    @property
    def kind(self) -> str:
        """Of what it starts: sync or workflow."""
        return "sync" if self.key.kind == "sync" else "workflow"

    @property
    def on(self) -> str:
        """What starts it: schedule or records."""
        return "records" if self.key.kind == "records" else "schedule"


def listed(project: Project, store: Store, now: float, *, connection: str | None = None) -> list[Listed]:
    """All triggers, what is due next first.

    Args:
        now: seconds since 1970.
        connection: only those of connections of that id.
    """
    cursors, known = store.records.cursors(), store.triggers.all()
    found = []
    for key, bound in armed(project, store.connections.places()).items():
        if connection in (None, key.connection):
            state = known.get(key) or TriggerState(beginning(key, bound, cursors, now), paused=False)
            upto = (
                cursors.get(source_of(bound, key), 0)
                if key.kind == "records" and isinstance(bound, Workflow)
                else 0
            )
            found.append(_listed(key, bound, state, now, upto))
    return sorted(found, key=lambda one: (one.due_at is None, one.due_at or 0.0, one.key))


def _listed(key: TriggerKey, bound: Sync | Workflow, state: TriggerState, now: float, upto: int) -> Listed:
    if key.kind == "records" and isinstance(bound, Workflow):
        behind = max(0, upto - int(state.reached))
        source = source_of(bound, key)
        what = source.model if source.variant == BASE else f"{source.model}::{source.variant}"
        return Listed(key=key, what=what, due_at=None, behind=behind, paused=state.paused)
    schedule = schedule_of(bound)
    due = now if schedule.last(now) > state.reached else schedule.after(now)
    return Listed(
        key=key, what=schedule.text, due_at=None if state.paused else due, behind=None, paused=state.paused
    )


def pause(project: Project, store: Store, name: str, connection: str | None, now: float) -> list[TriggerKey]:
    """Keeps the triggers of a sync or a workflow from starting anything; gives those that did until now.

    Raises:
        UsageError: nothing starts it by itself, or not for that connection.
    """
    cursors, bounds = store.records.cursors(), armed(project, store.connections.places())
    wanted = _wanted(list(bounds), project, name, connection)
    with store.atomic():
        store.triggers.begin((key, beginning(key, bounds[key], cursors, now)) for key in wanted)
        return [key for key in wanted if store.triggers.pause(key)]


def resume(project: Project, store: Store, name: str, connection: str | None, now: float) -> list[TriggerKey]:
    """Lets triggers start again; gives those that were paused.

    Times that were due meanwhile have passed, records that changed meanwhile have not.
    """
    wanted = _wanted(list(armed(project, store.connections.places())), project, name, connection)
    with store.atomic():
        return [key for key in wanted if store.triggers.resume(key, None if key.kind == "records" else now)]


def _wanted(
    keys: Sequence[TriggerKey], project: Project, name: str, connection: str | None
) -> list[TriggerKey]:
    found = [key for key in keys if key.name == name and connection in (None, key.connection)]
    if found:
        return found
    names = sorted({key.name for key in keys})
    if name in names:
        there = sorted({key.connection for key in keys if key.name == name})
        raise UsageError(f"`{name}` is not started for `{connection}`", hint=f"it is for: {', '.join(there)}")
    if name in (*project.syncs, *project.workflows):
        hint = "give it a `schedule`, or `on`, and a connection: terapi explain workflow.on"
        raise UsageError(f"nothing starts `{name}` by itself", hint=hint)
    mend = did_you_mean(name, names, there_are(names) if names else "terapi schedule list")
    raise UsageError(f"there is no sync or workflow `{name}`", hint=mend)
