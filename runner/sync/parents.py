"""The parents of a sync with `foreach`, by key: stored records, a list, or what an operation tells."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import orjson

from runner.calls.client import Client
from runner.definitions.expressions import Expression
from runner.definitions.model import Foreach, Sync
from runner.definitions.values import describe, is_nothing
from runner.errors import RecordError
from runner.store import Store, Stream
from runner.sync.source import Source, arguments

#: parents that are held together
TOGETHER = 500


class Parent(NamedTuple):
    """What a sync fetches for once."""

    key: str
    #: what expressions know as `item`
    item: object


class Page(NamedTuple):
    """Parents that follow each other."""

    parents: list[Parent]
    #: the key behind which others follow; None where none do
    upto: str | None


class Parents(Protocol):
    """All parents of a sync, as they are told now."""

    def page(self, after: str) -> Page:
        """Those behind a key, in the order of their keys."""
        ...

    def named(self, keys: Iterable[str]) -> list[Parent]:
        """Those of some keys that are still there."""
        ...

    def count(self) -> int: ...


async def parents_of(sync: Sync, rules: Foreach, client: Client, store: Store, source: Source) -> Parents:
    """The parents of a sync for a connection.

    Raises:
        RecordError: they are no list, or one of them has no key.
        CallError: the operation that tells them failed.
    """
    scope = await source.looked_up()
    wanted = _wanted(rules.where, scope)
    if rules.records is not None:
        return _Stored(_stream(sync, rules.records, client, store), rules, wanted)
    if rules.call is not None:
        found = await client.call(rules.call.operation, arguments(rules.call, scope))
    else:
        found = rules.items.evaluate(scope) if rules.items is not None else None
    return _Listed(_keyed(rules, _listed(rules, found), scope), wanted)


def _stream(sync: Sync, model: str, client: Client, store: Store) -> Stream:
    """A variant's parents are those of the same variant, where the model is stored in such."""
    place = client.connection
    own = store.records.stream(place.integration, place.id, model, sync.variant)
    return own if own.number() is not None else store.records.stream(place.integration, place.id, model)


class _Stored:
    """The records of a model that are not deleted; read some at a time.

    Of one that was pruned nothing is known but its key.
    """

    def __init__(self, stream: Stream, rules: Foreach, wanted: Callable[[object], bool]) -> None:
        self._stream = stream
        self._where = rules.where
        self._wanted = wanted

    def page(self, after: str) -> Page:
        rows = self._stream.by_key(after, TOGETHER)
        upto = rows[-1][0] if len(rows) == TOGETHER else None
        return Page(self._parents(rows), upto)

    def named(self, keys: Iterable[str]) -> list[Parent]:
        wanted = list(keys)
        rows = self._stream.read(ids=wanted, limit=len(wanted), states=("added", "updated"))
        return self._parents((row.id, row.payload) for row in rows)

    def count(self) -> int:
        if self._where is None:
            states = self._stream.count()
            return states["added"] + states["updated"]
        total, after = 0, ""
        while (page := self.page(after)).upto is not None:
            total += len(page.parents)
            after = page.upto
        return total + len(page.parents)

    def _parents(self, rows: Iterable[tuple[str, bytes]]) -> list[Parent]:
        found = (Parent(id, self._item(id, payload)) for id, payload in rows)
        return [parent for parent in found if self._wanted(parent.item)]

    def _item(self, id: str, payload: bytes) -> object:
        if payload:
            return orjson.loads(payload)
        if self._where is not None:
            message = f"the parent `{id}` was pruned, so that nobody knows whether it counts"
            hint = "leave out `where`, or the `retention` of the sync that stores it"
            raise RecordError(message, where=self._where.place, hint=hint)
        return {"id": id}


class _Listed:
    """The items of a list; of two with one key the last counts."""

    def __init__(self, items: Mapping[str, object], wanted: Callable[[object], bool]) -> None:
        self._items = {key: items[key] for key in sorted(items) if wanted(items[key])}
        self._keys = list(self._items)

    def page(self, after: str) -> Page:
        start = bisect_right(self._keys, after)
        keys = self._keys[start : start + TOGETHER]
        return Page(self.named(keys), keys[-1] if start + TOGETHER < len(self._keys) else None)

    def named(self, keys: Iterable[str]) -> list[Parent]:
        return [Parent(key, self._items[key]) for key in keys if key in self._items]

    def count(self) -> int:
        return len(self._keys)


def _wanted(where: Expression | None, scope: Mapping[str, object]) -> Callable[[object], bool]:
    if where is None:
        return lambda item: True
    return lambda item: where.holds({**scope, "item": item})


def _listed(rules: Foreach, found: object) -> Sequence[object]:
    if is_nothing(found):
        return ()
    if not isinstance(found, (list, tuple)):
        message = f"`foreach` gave {describe(found)}, expected a list"
        raise RecordError(
            message, where=rules.place, hint="say where the list is, such as `items: params.mailboxes`"
        )
    return found


def _keyed(rules: Foreach, items: Sequence[object], scope: Mapping[str, object]) -> dict[str, object]:
    return dict(_keys(rules, items, scope))


def _keys(
    rules: Foreach, items: Sequence[object], scope: Mapping[str, object]
) -> Iterator[tuple[str, object]]:
    for number, item in enumerate(items, 1):
        if rules.key is not None:
            key = rules.key.evaluate({**scope, "item": item})
        else:
            key = item.get("id") if isinstance(item, Mapping) else item
        if isinstance(key, int) and not isinstance(key, bool):
            key = str(key)
        if not isinstance(key, str) or not key or "\0" in key:
            message = (
                f"item {number} of `foreach` has no key: found {describe(key)}, expected a text or a number"
            )
            where = rules.key.place if rules.key is not None else rules.place
            raise RecordError(
                message, where=where, hint="say with `key` what it is known by, such as `key: item.address`"
            )
        yield key, item
