"""Records enriched: further calls for those of a page, and what they give joined to each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar, cast

import msgspec

from runner.calls.pages import Page
from runner.definitions.conversions import text
from runner.definitions.expressions import Expression
from runner.definitions.model import NOT_THERE, Call, Enrichment, Match
from runner.definitions.values import describe, is_nothing
from runner.errors import (
    CallError,
    EnrichmentFailed,
    ExpressionError,
    RecordError,
    TerapiError,
    UsageError,
)  # fmt: skip
from runner.sync.together import side_by_side

T = TypeVar("T")
Scope = Mapping[str, object]
#: makes a call in a scope; gives what its operation does
Ask = Callable[[Call, Scope], Awaitable[object]]
#: what one call gives; None where the API says that there is no such thing
Items = list[object] | None

#: kinds of failure after which a call is made anew: the API knows no more how far it was read
_FORGOTTEN = frozenset({"cursor_expired", "job_lost"})
#: how often a call is made at the most
_TIMES = 3
_LEAVE_OUT = "where it may be missing, say `optional: true`: terapi explain sync.enrich.optional"


class Enriched:
    """A record, and what further calls gave for it."""

    __slots__ = ("error", "joined", "record", "source")

    def __init__(self, source: object) -> None:
        #: as it came with its page
        self.source = source
        #: with what is merged into it
        self.record = source
        #: items by the names of their enrichments; what is absent is not there
        self.joined: dict[str, object] = {}
        #: why it cannot be enriched
        self.error: TerapiError | None = None


class Enricher:
    """Enriches the records of one slice, page by page.

    Args:
        scope: what expressions know beside the records.
        spared: whether nothing is asked for a record, since it is not stored.
    """

    def __init__(
        self, enrichments: Sequence[Enrichment], ask: Ask, scope: Scope, spared: Callable[[object], bool]
    ) -> None:
        self._spared = spared
        self._left_out: dict[str, str] = {}
        self._joinings = [_Joining(one, ask, scope, self._left_out) for one in enrichments]

    async def page(self, page: Page) -> Page:
        """The page with each of its records as an `Enriched`; its own list of them is emptied.

        Raises:
            EnrichmentFailed: a call failed, and not by a kind that is passed over.
            ExpressionError, RecordError: what a call is given, or what it gives, is not usable.
        """
        found = [Enriched(record) for record in page.records]
        # Whoever gave the page still holds it while this one is stored.
        page.records.clear()
        wanted = [one for one in found if not self._spared(one.source)]
        for joining in self._joinings:
            await joining.join([one for one in wanted if one.error is None])
        return msgspec.structs.replace(page, records=found)

    def left_out(self) -> Mapping[str, str]:
        """The names of what was passed over so far, each with the reason."""
        return self._left_out


class _Keyed(NamedTuple):
    """The records that have a key."""

    #: as the first of them has it
    key: object
    records: list[Enriched]


class _Joining:
    """Makes the calls of one enrichment."""

    def __init__(self, rules: Enrichment, ask: Ask, scope: Scope, left_out: dict[str, str]) -> None:
        self._rules = rules
        self._ask = ask
        self._scope = scope
        self._left_out = left_out

    async def join(self, records: Sequence[Enriched]) -> None:
        """Joins to each record what the calls give for it."""
        wanted = [one for one in records if self._counts(one)]
        if self._rules.match is None:
            await self._each(wanted, self._for_one)
        elif wanted:
            await self._for_all(self._rules.match, wanted)

    def _known(self, one: Enriched) -> Scope:
        """What expressions know of a record."""
        return {**self._scope, **one.joined, "record": one.record}

    def _counts(self, one: Enriched) -> bool:
        when = self._rules.call.when
        if when is None:
            return True
        try:
            return when.holds(self._known(one))
        except ExpressionError as exc:
            one.error = exc
            return False

    async def _for_one(self, one: Enriched) -> None:
        """The calls for one record; what cannot be computed for it is wrong with it alone."""
        try:
            scopes = self._turns(self._known(one))
            self._give(one, [await self._items(scope) for scope in scopes])
        except (ExpressionError, RecordError, UsageError) as exc:
            one.error = exc

    async def _for_all(self, match: Match, records: Sequence[Enriched]) -> None:
        """The calls for the records of a page: some of their keys at a time, each of them in every turn."""
        turns = self._turns(self._scope)
        keyed = self._by_key(match.record, records)
        found: list[dict[str, list[object]]] = [{} for _ in turns]

        async def ask(call: tuple[int, list[str]]) -> None:
            turn, keys = call
            some = [keyed[key] for key in keys]
            asked = [record.record for one in some for record in one.records]
            page = {"keys": [one.key for one in some], "records": asked}
            items = await self._items({**turns[turn], "page": page})
            if items is not None:
                found[turn] |= {key: [] for key in keys}
                self._sort(match.item, items, found[turn])

        batches = list(_chunks(list(keyed), self._rules.batch))
        await self._each([(turn, keys) for turn in range(len(turns)) for keys in batches], ask)
        for key, one in keyed.items():
            for record in one.records:
                self._give_surely(record, [items.get(key) for items in found])

    def _by_key(self, of: Expression, records: Sequence[Enriched]) -> dict[str, _Keyed]:
        """The records by their keys; one without a key has no items."""
        keyed: dict[str, _Keyed] = {}
        for one in records:
            try:
                value = of.evaluate(self._known(one))
                key = _key(value, of)
            except (ExpressionError, RecordError) as exc:
                one.error = exc
                continue
            if key is None:
                self._give_surely(one, [[]])
            else:
                keyed.setdefault(key, _Keyed(value, [])).records.append(one)
        return keyed

    def _sort(self, of: Expression, items: list[object], found: dict[str, list[object]]) -> None:
        """Puts each item where its key belongs."""
        scope = dict(self._scope)
        for scope["item"] in items:
            key = _key(of.evaluate(scope), of)
            if key in found:
                found[key].append(scope["item"])

    def _turns(self, scope: Scope) -> list[Scope]:
        """What is known in each turn of `foreach`; without it there is one turn."""
        foreach = self._rules.foreach
        if foreach is None:
            return [scope]
        items = foreach.evaluate(scope)
        if is_nothing(items):
            return []
        if not isinstance(items, (list, tuple)):
            raise ExpressionError(f"`foreach` gave {describe(items)}, expected a list", where=foreach.place)
        return [{**scope, "item": item} for item in items]

    async def _items(self, scope: Scope) -> Items:
        """What one call gives, as a list.

        Raises:
            EnrichmentFailed: it failed, and not by a kind that is passed over.
            RecordError: it gives no list, and is for several records.
        """
        try:
            found = await self._surely(scope)
        except CallError as exc:
            if exc.kind in self._rules.optional and not exc.transient:
                self._left_out[self._rules.name] = exc.message
                return None
            hint = _LEAVE_OUT if exc.kind in NOT_THERE else None
            raise EnrichmentFailed(self._rules.name, exc, hint) from exc
        if is_nothing(found):
            return []
        if isinstance(found, (list, tuple)):
            return cast(list[object], list(found))
        if self._rules.match is not None:
            hint = "say in the operation where its records are: terapi explain provider.operations.records"
            message = f"`enrich.{self._rules.name}` gave {describe(found)}, expected a list"
            raise RecordError(message, where=self._rules.call.place, hint=hint)
        return [found]

    async def _surely(self, scope: Scope) -> object:
        """What a call gives; made anew where the API has forgotten how far it was."""
        for _ in range(_TIMES - 1):
            try:
                return await self._ask(self._rules.call, scope)
            except CallError as exc:
                if exc.kind not in _FORGOTTEN:
                    raise
        return await self._ask(self._rules.call, scope)

    def _give_surely(self, one: Enriched, answers: Sequence[Items]) -> None:
        try:
            self._give(one, answers)
        except RecordError as exc:
            one.error = exc

    def _give(self, one: Enriched, answers: Sequence[Items]) -> None:
        """Joins to a record what was given for it, turn by turn.

        Raises:
            RecordError: there are several items, and it may have one.
        """
        given = [items for items in answers if items is not None]
        if self._rules.merge:
            for items in given:
                one.record = _merged(one.record, self._only(items))
        elif self._rules.many:
            if given or not answers:
                one.joined[self._rules.name] = [item for items in given for item in items]
        elif (item := self._only([item for items in given for item in items])) is not None:
            one.joined[self._rules.name] = item

    def _only(self, items: list[object]) -> object | None:
        if len(items) > 1:
            name, found = self._rules.name, f"{len(items):,} items"
            hint = "with `many: true` the record has the list of them" if not self._rules.merge else None
            message = f"`enrich.{name}` found {found} for it, expected one"
            raise RecordError(message, where=self._rules.call.place, hint=hint)
        return items[0] if items else None

    async def _each(self, things: Sequence[T], ask: Callable[[T], Awaitable[None]]) -> None:
        """Asks for each thing, some at once; the first that fails ends the others."""
        await side_by_side(iter(things), min(len(things), self._rules.concurrency), ask)


def _key(value: object, of: Expression) -> str | None:
    """A key as it is compared: a text, or a number's digits; None where there is none.

    Raises:
        RecordError: it is neither.
    """
    if is_nothing(value):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        message = f"`{of.source}` gave {describe(value)}, expected a text or a number to match by"
        raise RecordError(message, where=of.place)
    return text(int(value) if isinstance(value, float) and value.is_integer() else value)


def _merged(record: object, item: object | None) -> object:
    """The record with the keys that it has not.

    Raises:
        RecordError: one of the two is no map.
    """
    if item is None:
        return record
    if isinstance(record, dict) and isinstance(item, dict):
        return {**record, **{key: value for key, value in item.items() if key not in record}}
    raise RecordError(
        f"`merge` works on maps, found {describe(item if isinstance(record, dict) else record)}"
    )


def _chunks(keys: list[str], size: int) -> Iterator[list[str]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))
