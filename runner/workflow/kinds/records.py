"""`records`: what is stored is read."""

from __future__ import annotations

from itertools import islice
from typing import cast

import orjson

from runner.definitions.conversions import text
from runner.definitions.model import ReadRecords, Step
from runner.workflow.context import Context


async def records(step: Step, context: Context) -> object:
    wanted = cast(ReadRecords, step.do)
    place, store = context.client.connection, context.running.access.store
    scope = context.scope()
    variant = text(wanted.variant.evaluate(scope))
    stream = store.records.stream(place.integration, place.id, wanted.model, variant)
    found = (
        payload
        for record in stream.all(states=wanted.changes)
        if record.pruned_at is None
        for payload in (orjson.loads(record.payload),)
        if wanted.where is None or wanted.where.holds({**scope, "record": payload})
    )
    return list(islice(found, wanted.limit))
