"""Whatever comes with which page, and asked for in whatever batches: what is joined is what a join by hand gives."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Mapping
from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from runner.calls.pages import Page
from runner.definitions import yaml
from runner.definitions.expressions import Expression, Language
from runner.definitions.model import Call, Enrichment, Fixed, Match, Operation, Request
from runner.errors import Place
from runner.sync.enrich import Enriched, Enricher, Scope

NOWHERE = Place("orders.yaml")
LANGUAGE = Language()
CALL = Call(
    operation=Operation(name="list", place=NOWHERE, request=Request(place=NOWHERE)),
    arguments=Fixed({}),
    place=NOWHERE,
)


def expression(written: str) -> Expression:
    names = dict.fromkeys(("record", "item", "columns", "first"))
    found, findings = LANGUAGE.expression(yaml.blank(written), names)
    assert found is not None, findings
    return found


MATCH = Match(item=expression("item.of"), record=expression("record.key"))
MANY = Enrichment(name="first", call=CALL, match=MATCH, many=True)
#: matched by what the first has joined
SECOND = Enrichment(
    name="second", call=CALL, many=True,
    match=Match(item=expression("item.of"), record=expression("(first | last).of if first else none")),
)  # fmt: skip
MERGE = Enrichment(
    name="wide", call=CALL, merge=True, foreach=expression("columns"),
    match=Match(item=expression("item.of"), record=expression("record.id")),
)  # fmt: skip

keys = st.one_of(st.none(), st.integers(0, 5), st.integers(0, 5).map(str))
rows = st.lists(st.fixed_dictionaries({"key": keys}), max_size=12)
items = st.lists(st.fixed_dictionaries({"of": keys, "text": st.text(max_size=3)}), max_size=12)


def same(one: object, other: object) -> bool:
    return one is not None and other is not None and str(one) == str(other)


class Source:
    """Gives items for the keys that it is asked for, in the order in which it has them, late or soon."""

    def __init__(self, items: list[dict[str, object]], turns: list[int]) -> None:
        self.items = items
        self.turns = turns
        self.most = 0

    async def __call__(self, call: Call, scope: Scope) -> object:
        page = scope["page"]
        assert isinstance(page, Mapping)
        asked = [str(key) for key in page["keys"]]
        assert len(set(asked)) == len(asked)
        self.most = max(self.most, len(asked))
        for _ in range(self.turns.pop() if self.turns else 0):
            await asyncio.sleep(0)
        found = [item for item in self.items if str(item["of"]) in asked]
        if "item" not in scope:
            return copy.deepcopy(found)
        names = scope["item"]
        assert isinstance(names, list)
        return [{name: f"{name} of {item['of']}" for name in names} | {"of": item["of"]} for item in found]


def pages(records: list[dict[str, object]], cuts: list[int]) -> list[Page]:
    bounds = sorted({0, len(records), *(cut % (len(records) + 1) for cut in cuts)})
    return [Page(records=copy.deepcopy(records[start:end]), next=None) for start, end in pairwise(bounds)]


def enriched(
    rules: list[Enrichment], source: Source, pages: list[Page], scope: Mapping[str, object]
) -> list[Enriched]:
    async def inside() -> list[Enriched]:
        found: list[object] = []
        enricher = Enricher(rules, source, scope, lambda record: False)
        for page in pages:
            found += (await enricher.page(page)).records
        return found  # type: ignore[return-value]

    return asyncio.run(inside())


@given(
    rows, items, st.lists(st.integers(0, 12), max_size=4), st.integers(1, 4), st.integers(1, 3),
    st.lists(st.integers(0, 3), max_size=20),
)  # fmt: skip
def test_items_are_joined_as_by_hand(
    records: list[dict[str, object]],
    items: list[dict[str, object]],
    cuts: list[int],
    batch: int,
    concurrency: int,
    turns: list[int],
) -> None:
    rules = [msgspec.structs.replace(one, batch=batch, concurrency=concurrency) for one in (MANY, SECOND)]
    source = Source(items, turns)
    found = enriched(rules, source, pages(records, cuts), {})
    assert source.most <= batch
    assert [one.source for one in found] == records
    for one, record in zip(found, records, strict=True):
        first = [item for item in items if same(item["of"], record["key"])]
        last = first[-1]["of"] if first else None
        second = [item for item in items if same(item["of"], last)]
        assert (one.error, one.joined) == (None, {"first": first, "second": second})


@given(
    st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=4), max_size=4),
    st.sets(st.integers(0, 9)), st.lists(st.integers(0, 10), max_size=4), st.integers(1, 4),
    st.lists(st.integers(0, 3), max_size=20),
)  # fmt: skip
def test_chunks_are_merged_as_by_hand(
    columns: list[list[str]], there: set[int], cuts: list[int], batch: int, turns: list[int]
) -> None:
    records: list[dict[str, object]] = [{"id": n, "a": "its own"} for n in range(10)]
    rules = [msgspec.structs.replace(MERGE, batch=batch)]
    source = Source([{"of": str(n)} for n in there], turns)
    found = enriched(rules, source, pages(records, cuts), {"columns": columns})
    for n, one in enumerate(found):
        names = [name for part in columns for name in part] if n in there else []
        given = {name: f"{name} of {n}" for name in names} | (
            {"of": str(n)} if n in there and columns else {}
        )
        assert one.error is None
        assert one.record == {**given, **records[n]}
        assert list(one.record)[:2] == ["id", "a"]  # type: ignore[call-overload]
