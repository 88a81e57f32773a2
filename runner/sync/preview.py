"""What a run would store, shown by its first page; nothing is written."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing
from typing import NamedTuple

import orjson

from runner.calls.client import Client
from runner.definitions.model import Sync
from runner.store import Store
from runner.sync.plan import Window, advanced
from runner.sync.reading import Batch, Reading
from runner.sync.run import Result, key_of, state_of, window_for

_NOTHING = Batch(0, [], [], [], None)
#: how many records of each kind are shown
_SAMPLES = 2


class Sample(NamedTuple):
    """A record as it would be stored; one that would be deleted is only named."""

    #: added, updated, deleted or unchanged
    change: str
    id: str
    record: Mapping[str, object] | None


class Preview(NamedTuple):
    """What the first page would change."""

    result: Result
    #: whether other pages follow
    more: bool
    samples: list[Sample]

    def as_data(self) -> dict[str, object]:
        samples = [sample._asdict() for sample in self.samples]
        return {**self.result.as_data(), "more": self.more, "samples": samples}


async def preview_sync(sync: Sync, client: Client, store: Store, *, full: bool = False) -> Preview:
    """Reads the page with which a run would begin, or go on, and holds it against the store.

    Raises:
        UsageError: the connection's params do not fit.
        TerapiError: the page cannot be read or mapped.
    """
    began = time.monotonic()
    key = key_of(sync, client)
    state = state_of(sync, store, key, full=full)
    window = await window_for(sync, client, state)
    batch = await _first(Reading(sync, client, state, window), window)
    advanced(sync, window.reached, batch.cursors)
    stream = store.records.stream(key.integration, key.connection, key.model)
    changes = {**stream.preview(batch.rows), **dict.fromkeys(stream.preview_delete(batch.gone), "deleted")}
    counts = Counter(changes.values())
    result = Result(
        sync=sync.name,
        connection=key.connection,
        model=sync.model,
        status="dry-run",
        read=batch.read,
        added=counts["added"],
        updated=counts["updated"],
        deleted=counts["deleted"],
        unchanged=counts["unchanged"],
        checkpoint=state.checkpoint,
        requests=client.requests,
        seconds=round(time.monotonic() - began, 3),
    )
    return Preview(result, batch.next is not None, _samples(changes, dict(batch.rows)))


async def _first(reading: Reading, window: Window) -> Batch:
    if window.whole:
        return _NOTHING
    async with aclosing(reading.batches(window.position)) as batches:
        return await anext(batches, _NOTHING)


def _samples(changes: Mapping[str, str], rows: Mapping[str, bytes]) -> list[Sample]:
    found: list[Sample] = []
    for kind in ("added", "updated", "deleted", "unchanged"):
        ids = [id for id, change in changes.items() if change == kind][:_SAMPLES]
        found += [Sample(kind, id, None if kind == "deleted" else orjson.loads(rows[id])) for id in ids]
    return found
