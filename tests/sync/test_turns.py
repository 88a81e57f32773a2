"""Whose turn it is: parents by their keys, many pages of them, held against those that are known."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import orjson
import pytest

from runner.calls.access import Access
from runner.definitions.project import Project
from runner.store import Connection, Parent, SyncState
from runner.store.parents import BEGUN, GONE, WHOLE
from runner.sync.parents import TOGETHER, Parents, parents_of
from runner.sync.plan import Slice, Window
from runner.sync.round import Round
from runner.sync.source import Source
from runner.sync.turns import Turn, Turns
from tests.conftest import ENVIRON, Waits
from tests.sync.test_foreach import KEY, folder, write

__all__ = ["folder"]

#: more than two pages
COUNT = 2 * TOGETHER + 100
KEYS = [f"p{number:04}" for number in range(COUNT)]


@pytest.fixture
def stored(access: Access) -> None:
    stream = access.store.records.stream("shop", "demo", "Account")
    stream.write([(key, orjson.dumps({"id": key, "name": n})) for n, key in enumerate(KEYS)], 1.0)


class Told:
    """The turns of a round, and who was told to be gone."""

    def __init__(self, access: Access, connection: Connection, round: Round) -> None:
        self.gone: list[str] = []
        access = Access(Project.load(access.project.root).checked(), access.store, ENVIRON, Waits())
        sync = access.project.sync("notes")

        async def parents() -> Parents:
            async with access:
                client = access.client(connection)
                source = Source(sync, client, SyncState(), Slice())
                assert sync.foreach is not None
                return await parents_of(sync, sync.foreach, client, access.store, source)

        found = asyncio.run(parents())
        self.count = found.count()
        turns = Turns(sync, KEY, access.store.parents, last_run=7.0, now=lambda: 1_800_000_000.0)
        self.turns: Iterator[Turn] = turns.of(round, found, self.gone.extend)

    def keys(self) -> list[str]:
        return [turn.parent.key for turn in self.turns]


def new(**more: object) -> Round:
    return Round(noting=False, full=False, began=1.0, **more)  # type: ignore[arg-type]


@pytest.mark.usefixtures("stored")
def test_every_parent_has_its_turn_by_key(access: Access, connection: Connection) -> None:
    told = Told(access, connection, new())
    assert (told.keys(), told.gone, told.count) == (KEYS, [], COUNT)


@pytest.mark.usefixtures("stored")
def test_those_that_are_known_and_not_there_are_gone(access: Access, connection: Connection) -> None:
    gone = ["a", "p0000x", f"{KEYS[TOGETHER - 1]}x", "p0550x", "z"]
    known = dict.fromkeys([*gone, *KEYS[::7]], Parent(state=WHOLE, checkpoint="2026-01-01T00:00:00Z"))
    access.store.parents.put(KEY, {**known, "y": Parent(state=GONE)})
    told = Told(access, connection, new())
    states = {turn.parent.key: turn.state for turn in told.turns}
    assert list(states) == KEYS
    assert told.gone == gone
    assert (states["p0007"].checkpoint, states["p0007"].last_run) == ("2026-01-01T00:00:00Z", 7.0)
    assert (states["p0008"].checkpoint, states["p0008"].last_run) == (None, None)


@pytest.mark.usefixtures("stored")
def test_one_that_was_begun_or_gone_is_read_from_its_beginning(
    access: Access, connection: Connection
) -> None:
    known = {"p0001": Parent(state=BEGUN, checkpoint="x"), "p0002": Parent(state=GONE, checkpoint="x")}
    access.store.parents.put(KEY, known)
    states = {turn.parent.key: turn.state.checkpoint for turn in Told(access, connection, new()).turns}
    assert (states["p0001"], states["p0002"]) == (None, None)


@pytest.mark.usefixtures("stored")
def test_whole_pages_may_not_count(access: Access, connection: Connection) -> None:
    write(access, "records: Account", f"records: Account, where: item.name == 3 or item.name == {COUNT - 1}")
    told = Told(access, connection, new())
    assert (told.keys(), told.count) == (["p0003", KEYS[-1]], 2)


@pytest.mark.usefixtures("stored")
def test_a_round_goes_on_with_those_under_way_and_those_behind(
    access: Access, connection: Connection
) -> None:
    window = Window(noting=False, began=1.0, slices=[Slice(position={"next": "x"})])
    access.store.records.stream("shop", "demo", "Account").delete(["p0777"], 2.0)
    cut = new(after="p0800", under_way={"p0777": window, "p0790": window})
    told = Told(access, connection, cut)
    first = next(told.turns)
    assert (first.parent.key, first.fresh, first.window) == ("p0790", False, window)
    assert told.gone == ["p0777"]
    assert told.keys() == KEYS[801:]
