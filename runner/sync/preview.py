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
from runner.sync.foreach import ForeachRun
from runner.sync.ledger import stream_of
from runner.sync.plan import Cursor, Window, whole_of
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
    #: the parent that it is of, where the sync has parents
    parent: str | None

    def as_data(self) -> dict[str, object]:
        samples = [sample._asdict() for sample in self.samples]
        more = {"more": self.more, "samples": samples, "bad_records": self.bad_records}
        return {**self.result.as_data(), "parent": self.parent, **more}


async def preview_sync(sync: Sync, client: Client, store: Store, *, full: bool = False) -> Preview:
    """Reads the page with which a run would begin, or go on, and holds it against the store.

    Raises:
        UsageError: the connection's params do not fit.
        TerapiError: the page cannot be read or mapped.
    """
    began = time.monotonic()
    key = key_of(sync, client)
    begins = await _beginning(sync, client, store, full=full)
    page, rows = await _first(begins)
    stream = stream_of(sync, client, store)
    changes = {**stream.preview(rows.kept), **dict.fromkeys(stream.preview_delete(rows.gone), "deleted")}
    counts = Counter(changes.values())
    result = Result(
        sync=sync.name,
        connection=key.connection,
        model=sync.model,
        variant=sync.variant,
        status="dry-run",
        read=len(page.records),
        added=counts["added"],
        updated=counts["updated"],
        deleted=counts["deleted"],
        unchanged=counts["unchanged"],
        bad=len(rows.bad),
        checkpoint=begins.checkpoint,
        requests=client.requests,
        seconds=round(time.monotonic() - began, 3),
    )
    bad = [one.as_data(1) for one in rows.bad[:_SAMPLES]]
    samples = _samples(changes, dict(rows.kept))
    return Preview(result, page.next is not None, samples, bad, begins.parent)


class _Beginning(NamedTuple):
    """Where a run would begin, or go on."""

    source: Source
    #: None where there is nothing to read, as without parents
    window: Window | None
    checkpoint: Cursor | None
    parent: str | None = None


async def _beginning(sync: Sync, client: Client, store: Store, *, full: bool) -> _Beginning:
    if sync.foreach is None:
        state = state_of(sync, store, key_of(sync, client), full=full)
        window = await window_for(sync, client, state)
        return _Beginning(Source(sync, client, state, whole_of(window)), window, state.checkpoint)
    source, turn = await ForeachRun(sync, sync.foreach, client, store, lambda: None).first(full=full)
    if turn is None:
        return _Beginning(source, None, None)
    return _Beginning(source, turn.window, turn.state.checkpoint, turn.parent.key)


async def _first(begins: _Beginning) -> tuple[Page, Rows]:
    """The first page that has records, or the last one."""
    page, rows, window = Page(records=[], next=None), Rows([], [], []), begins.window
    part = next((one for one in window.slices if not one.whole), None) if window is not None else None
    if window is None or part is None:
        return page, rows
    reading = await begins.source.reading(part)
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
