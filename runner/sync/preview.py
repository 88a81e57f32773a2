"""What a run would store, shown by its first page; nothing is written."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import NamedTuple

import orjson

from runner.calls.client import Client
from runner.calls.pages import Page
from runner.definitions.model import Sync
from runner.store import Store
from runner.sync.plan import Window, whole_of
from runner.sync.reading import Rows
from runner.sync.run import Result, key_of, state_of, window_for
from runner.sync.source import Source

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
    #: the first that do not fit, where the run would go on after them
    bad_records: Sequence[Mapping[str, object]]

    def as_data(self) -> dict[str, object]:
        samples = [sample._asdict() for sample in self.samples]
        more = {"more": self.more, "samples": samples, "bad_records": self.bad_records}
        return {**self.result.as_data(), **more}


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
    source = Source(sync, client, state, whole_of(window))
    page, rows = await _first(sync, source, window)
    stream = store.records.stream(key.integration, key.connection, key.model)
    changes = {**stream.preview(rows.kept), **dict.fromkeys(stream.preview_delete(rows.gone), "deleted")}
    counts = Counter(changes.values())
    result = Result(
        sync=sync.name,
        connection=key.connection,
        model=sync.model,
        status="dry-run",
        read=len(page.records),
        added=counts["added"],
        updated=counts["updated"],
        deleted=counts["deleted"],
        unchanged=counts["unchanged"],
        bad=len(rows.bad),
        checkpoint=state.checkpoint,
        requests=client.requests,
        seconds=round(time.monotonic() - began, 3),
    )
    bad = [one.as_data(1) for one in rows.bad[:_SAMPLES]]
    return Preview(result, page.next is not None, _samples(changes, dict(rows.kept)), bad)


async def _first(sync: Sync, source: Source, window: Window) -> tuple[Page, Rows]:
    """The first page that has records, or the last one."""
    page, rows = Page(records=[], next=None), Rows([], [], [])
    part = next((one for one in window.slices if not one.whole), None)
    if part is None:
        return page, rows
    reading = await source.reading(part)
    async with aclosing(reading.pages(part.position)) as pages:
        async for page in pages:
            if page.records:
                break
    for some in reading.rows(page.records, 1):
        rows.kept.extend(some.kept)
        rows.gone.extend(some.gone)
        rows.bad.extend(some.bad)
    return page, rows


def _samples(changes: Mapping[str, str], rows: Mapping[str, bytes]) -> list[Sample]:
    found: list[Sample] = []
    for kind in ("added", "updated", "deleted", "unchanged"):
        ids = [id for id, change in changes.items() if change == kind][:_SAMPLES]
        found += [Sample(kind, id, None if kind == "deleted" else orjson.loads(rows[id])) for id in ids]
    return found
