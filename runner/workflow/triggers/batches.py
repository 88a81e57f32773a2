"""Batches of changed records: read in the order of the changes, and held against what a workflow wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, cast

import orjson

from runner.calls.access import Access
from runner.definitions.model import OnRecords, Workflow
from runner.errors import TerapiError
from runner.store import Record, Stream, TriggerKey
from runner.workflow.triggers.armed import source_of
from runner.workflow.triggers.start import Start, start

#: changes that are read at once, and looked at before something else has its turn
_PAGE = 1_000
_MOST = 10_000


class Batch(NamedTuple):
    """Changes that one run gets."""

    #: each `id`, `change`, `record`
    changes: list[dict[str, object]]
    #: the cursor of the last change that was looked at, whether or not it counts
    reached: float
    #: why one of them cannot be told to count or not; it is the last
    error: TerapiError | None = None


def read_batch(
    stream: Stream, rules: OnRecords, scope: Mapping[str, object], *, after: float, upto: float
) -> Batch:
    """The changes behind ``after`` that count, as many as a run gets at most.

    Args:
        scope: what `where` knows beside the record.
        upto: where the stream's cursor stood, or further back.
    """
    found: list[dict[str, object]] = []
    reached, looked = after, 0
    while looked < _MOST:
        page = stream.read(after=int(reached), limit=_PAGE, states=rules.changes)
        for row in page:
            reached, change = float(row.cursor), _change(row)
            try:
                counts = row.pruned_at is None and _counts(rules, scope, change)
            except TerapiError as exc:
                return Batch([*found, change], reached, exc)
            if counts:
                found.append(change)
            if len(found) == rules.batch:
                return Batch(found, reached)
        if len(page) < _PAGE:
            return Batch(found, max(reached, upto))
        looked += len(page)
    return Batch(found, reached)


def _change(row: Record) -> dict[str, object]:
    record = orjson.loads(row.payload) if row.pruned_at is None else None
    return {"id": row.id, "change": row.state, "record": record}


def _counts(rules: OnRecords, scope: Mapping[str, object], change: Mapping[str, object]) -> bool:
    if rules.where is None:
        return True
    return rules.where.holds({**scope, "record": change["record"], "change": change["change"]})


def start_batch(
    access: Access, key: TriggerKey, workflow: Workflow, reached: float, upto: float
) -> tuple[float, str | None]:
    """Starts a run of the next changes that count; gives how far that came, and what to tell of it.

    Args:
        reached: the cursor of the last change that was looked at.
        upto: where the stream's cursor stood, or further back.
    """
    rules, store = workflow.on.records, access.store
    place = store.connections.get(key.integration, key.connection)
    if rules is None or place is None:
        return upto, None
    scope = access.client(place).scope()
    batch = read_batch(
        store.records.stream(*source_of(workflow, key)), rules, scope, after=reached, upto=upto
    )
    if not batch.changes:
        store.triggers.move(key, reached, batch.reached)
        return batch.reached, None
    told = start(access, _start(key, workflow, rules, reached, batch))
    many = f"{len(batch.changes):,} change{'s' if len(batch.changes) > 1 else ''} of {rules.model}"
    return batch.reached, f"{key.name} for {key.connection}: {many}: {told}" if told is not None else None


def _start(key: TriggerKey, workflow: Workflow, rules: OnRecords, reached: float, batch: Batch) -> Start:
    records = [change["record"] for change in batch.changes]
    takes = "records" in cast("Mapping[str, object]", workflow.input["properties"])
    return Start(
        key=key,
        workflow=workflow,
        before=reached,
        reached=batch.reached,
        by={"by": "records", "model": rules.model, "after": int(reached), "to": int(batch.reached)},
        names={"records": records, "changes": batch.changes},
        input=rules.input,
        otherwise={"records": records} if takes else {},
        error=batch.error,
    )
