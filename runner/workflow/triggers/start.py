"""A workflow started by a trigger: how far that has come moves in the very transaction that keeps the run.

Whoever is killed wherever, and however many look at once, each time and each change starts exactly one run.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from runner.calls.access import Access
from runner.definitions.expressions import Expression
from runner.definitions.model import Workflow
from runner.definitions.values import is_absent
from runner.errors import RunningAlready, StoreError, TerapiError
from runner.store import Connection, NewRun, Store, TriggerKey
from runner.workflow.given import checked_input
from runner.workflow.run import new_run
from runner.workflow.turns import refused


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be started."""

    key: TriggerKey
    workflow: Workflow
    #: how far the trigger had come, and how far it comes
    before: float
    reached: float
    #: what the run's `started_by` says
    by: Mapping[str, object]
    #: what the run is started with: names that the input's expressions know
    names: Mapping[str, object]
    input: Mapping[str, Expression]
    #: what the run gets where no expressions say it
    otherwise: Mapping[str, object] = {}
    #: why it cannot begin; it is kept as failed
    error: TerapiError | None = None


def start(access: Access, wanted: Start) -> str | None:
    """Keeps a run that whoever comes next takes up; gives what to tell of it, None where nothing is started:
    somebody else was first."""
    store, key = access.store, wanted.key
    connection = store.connections.get(key.integration, key.connection)
    if connection is None:
        return None
    new, error = _new(access, connection, wanted)
    refusal = _refusal(store, wanted.workflow, new)
    with store.atomic(durable=True):
        if not store.triggers.move(key, wanted.before, wanted.reached):
            return None
        if refusal is not None:
            return f"not started: {refusal.message}"
        run = store.runs.add(new)
        if error is not None:
            store.runs.finish(run, "failed", error=error.as_data())
    return f"run {run.id[:8]}" + (f" failed: {error.message}" if error is not None else "")


def _new(access: Access, connection: Connection, wanted: Start) -> tuple[NewRun, TerapiError | None]:
    """The run, and why it cannot begin."""
    try:
        if wanted.error is not None:
            raise wanted.error
        given = checked_input(wanted.workflow, _input(access, connection, wanted))
        return new_run(access, wanted.workflow, connection, given, wanted.by), None
    except StoreError:
        raise
    except TerapiError as exc:
        key = wanted.key
        unfit = NewRun(
            kind="workflow", name=key.name, integration=key.integration, connection=key.connection,
            input=wanted.names, definition=wanted.workflow.text, durable=True, started_by=wanted.by,
        )  # fmt: skip
        return unfit, exc


def _input(access: Access, connection: Connection, wanted: Start) -> dict[str, object]:
    """The input; what is absent vanishes."""
    if not wanted.input:
        return dict(wanted.otherwise)
    scope = {**access.client(connection).scope(), **wanted.names}
    found = {key: given.evaluate(scope) for key, given in wanted.input.items()}
    return {key: value for key, value in found.items() if not is_absent(value)}


def _refusal(store: Store, workflow: Workflow, new: NewRun) -> RunningAlready | None:
    rules = workflow.concurrency
    if rules is None or rules.busy != "refuse" or new.turns is None:
        return None
    others = store.runs.having(new.turns)
    return refused(workflow.name, others) if len(others) >= rules.limit else None
