"""The triggers of a project: one for each connection that a sync or a workflow runs on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runner.definitions.model import Sync, Workflow
from runner.definitions.project import Project
from runner.definitions.schedules import Schedule
from runner.store import StreamKey, TriggerKey

Armed = Mapping[TriggerKey, Sync | Workflow]


def armed(project: Project, places: Iterable[tuple[str, str]]) -> Armed:
    """What starts what.

    Args:
        places: integration and id of each connection.
    """
    by_integration = {name: list(_of(project, name)) for name in project.providers}
    return {
        TriggerKey(bound.name, kind, integration, connection): bound
        for integration, connection in places
        for kind, bound in by_integration.get(integration, ())
    }


def _of(project: Project, integration: str) -> Iterable[tuple[str, Sync | Workflow]]:
    """The triggers of an integration: kind, and what is started."""
    for name in project.syncs:
        if integration in project.sync(name).integrations:
            sync = project.sync(name, integration)
            if sync.schedule is not None:
                yield "sync", sync
    for name in project.workflows:
        if integration in project.workflow(name).integrations:
            workflow = project.workflow(name, integration)
            for kind, rules in (("schedule", workflow.on.schedule), ("records", workflow.on.records)):
                if rules is not None:
                    yield kind, workflow


def schedule_of(bound: Sync | Workflow) -> Schedule:
    """When it is due."""
    if isinstance(bound, Sync):
        found = bound.schedule
    else:
        found = None if bound.on.schedule is None else bound.on.schedule.schedule
    if found is None:
        raise AssertionError("only what has a schedule is due")
    return found


def source_of(workflow: Workflow, key: TriggerKey) -> StreamKey:
    """The stream of the records that start a workflow."""
    rules = workflow.on.records
    if rules is None:
        raise AssertionError("only a workflow that records start has a source")
    return StreamKey(rules.integration or key.integration, key.connection, rules.model, rules.variant)


def beginning(key: TriggerKey, bound: Sync | Workflow, cursors: Mapping[StreamKey, int], now: float) -> float:
    """Where a trigger begins that nobody has looked at yet; see `TriggerState.reached`.

    A sync is due at once, a workflow at its next time; of records those count that change from now on, unless
    the workflow says that existing ones do too.

    Args:
        cursors: of each stream.
        now: seconds since 1970.
    """
    if isinstance(bound, Sync):
        return 0.0
    if key.kind == "schedule":
        return now
    rules = bound.on.records
    existing = rules is not None and rules.existing
    return 0.0 if existing else float(cursors.get(source_of(bound, key), 0))
