"""The store of a sync with `foreach` held against its source, parent by parent or all at once."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from runner.calls.access import Access
from runner.definitions.project import Project
from runner.store import Connection
from runner.sync.audit import AuditResult, audit_sync
from tests.api import Api, Reply
from tests.conftest import ENVIRON, Waits
from tests.sync.test_foreach import Shop, both, folder, run, shop, stored, there, write

__all__ = ["folder", "shop"]

BY_PARENT = """audit:
  use: list_notes
  with: {account: "{{ item.id }}"}
  id: record.id
  deleted: record.gone
  repair: {use: list_notes, with: {account: "{{ item.id }}"}}
deletes:"""
AT_ONCE = """audit: {use: all_notes, id: record.id}
deletes:"""
ALL_NOTES = """
    all_notes: {request: {path: /all}, records: response.body.notes}
"""


def audit(access: Access, connection: Connection, *, repair: bool = False) -> AuditResult:
    access = Access(Project.load(access.project.root).checked(), access.store, ENVIRON, Waits())

    async def inside() -> AuditResult:
        async with access:
            sync = access.project.sync("notes")
            return await audit_sync(sync, access.client(connection), access.store, repair=repair)

    return asyncio.run(inside())


def spoil(access: Access) -> None:
    """Takes a note out of the store, and puts one in that no account has."""
    stream = access.store.records.stream("shop", "demo", "Note")
    stream.delete(["a1"], 1.0)
    stream.write([("stray", orjson.dumps({"id": "stray", "account": "c"}))], 1.0)


def test_an_audit_lists_each_parent(access: Access, connection: Connection, shop: Shop) -> None:
    write(access, "deletes:", BY_PARENT)
    both(access, connection)
    assert audit(access, connection).status == "equal"
    spoil(access)
    found = audit(access, connection)
    assert (found.status, found.missing.ids, found.extra.ids) == ("different", ["a1"], ["stray"])
    assert audit(access, connection, repair=True).repaired == 2
    assert stored(access) == there(shop)
    assert audit(access, connection).status == "equal"


def test_what_the_next_run_will_read_of_a_parent_is_pending(
    access: Access, connection: Connection, shop: Shop
) -> None:
    write(access, "deletes:", BY_PARENT)
    both(access, connection)
    shop.account("d")
    shop.note("d", "d0", "2019-01-01T00:00:00Z")
    shop.note("a", "a9", "2026-01-09T00:00:00Z")
    run(access, connection, "accounts")
    found = audit(access, connection)
    assert (found.status, found.pending, found.listed) == ("equal", 2, 11)


def test_a_parent_that_is_not_found_lists_nothing(
    access: Access, connection: Connection, shop: Shop, api: Api
) -> None:
    write(access, "deletes:", BY_PARENT)
    both(access, connection)
    api.on("/notes/b", Reply({}, 404))
    assert audit(access, connection).extra.ids == ["b0", "b1", "b2"]


@pytest.mark.parametrize("more", ["", "vars: {mine: '{{ item.id }}', since: '{{ slice.from }}'}\n"])
def test_an_audit_may_list_all_at_once(
    more: str, access: Access, connection: Connection, shop: Shop, api: Api
) -> None:
    (access.project.root / "providers.yaml").write_text(
        (access.project.root / "providers.yaml").read_text() + ALL_NOTES
    )
    write(access, "deletes:", more + AT_ONCE)
    if more:
        write(
            access,
            'account: "{{ item.id }}", since: "{{ slice.from }}"',
            "account: '{{ mine }}', since: '{{ since }}'",
        )
    api.on(
        "/all",
        lambda seen: Reply({"notes": [one for notes in shop.notes.values() for one in notes.values()]}),
    )
    both(access, connection)
    spoil(access)
    shop.note("a", "a9", "2036-01-09T00:00:00Z")
    api.seen.clear()
    found = audit(access, connection)
    assert (found.missing.ids, found.extra.ids, found.pending) == (["a1"], ["stray"], 1)
    assert api.paths() == ["GET /ping", "GET /all"]
