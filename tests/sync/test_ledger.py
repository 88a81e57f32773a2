"""What a run stores: a page with its progress, or neither."""

from __future__ import annotations

import asyncio

import pytest

from runner.calls.access import Access
from runner.calls.pages import Page
from runner.errors import RecordError
from runner.store import Connection, NewRun, SyncState
from runner.sync.ledger import Ledger
from runner.sync.plan import Window, whole_of, window_of
from runner.sync.source import Source
from tests.sync.test_run import KEY, order


def test_a_page_that_is_not_stored_leaves_no_progress_to_keep(access: Access, connection: Connection) -> None:
    """A slice beside it may keep the window before the run has ended."""
    sync, store = access.project.sync("orders"), access.store

    async def inside() -> Window:
        async with access:
            client, state = access.client(connection), SyncState(digest="x")
            window = window_of(sync, state, 1_800_000_000.0)
            part = window.slices[0]
            reading = await Source(sync, client, state, whole_of(window)).reading(part)
            new = NewRun(kind="sync", name="orders", integration="shop", connection="demo")
            with store.runs.begin(new) as run:
                ledger = Ledger(sync, client, store, run)
                ledger.page(reading, window, part, page(order("1", "2026-01-01T00:00:00Z"), start=1))
                bad = page(order("2", "2026-01-02T00:00:00Z", total="much"), start=2)
                with pytest.raises(RecordError):
                    ledger.page(reading, window, part, bad)
                ledger.keep(window)
            return window

    window = asyncio.run(inside())
    assert (window.reached, window.slices[0].position) == ("2026-01-01T00:00:00.000Z", {"start": 1})
    assert store.states.get(KEY).progress == window.as_data()


def page(*records: object, start: int) -> Page:
    return Page(records=list(records), next={"start": start})
