"""What differs between two definitions of a sync, said key by key."""

from __future__ import annotations

import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as st

from runner.definitions.comparing import compared

BEFORE = {
    "fetch": {"use": "list"},
    "vars": {"columns": "id, name"},
    "primary_key": "id",
    "cursor": {"cursor": "record.at"},
    "fields": {
        "id": "record.id",
        "name": {"from": "record.name", "type": "text"},
        "source": {"value": "shop"},
        "customer": {"fields": {"city": "record.city"}},
        "lines": {"foreach": "record.lines", "fields": {"sku": "item.sku"}},
    },
}

#: what is written instead → what is said of it
CASES: dict[str, list[tuple[str, str, object, object]]] = {
    "fields: {phone: record.phone}": [("added", "fields.phone", None, "record.phone")],
    "fields: {name: null}": [("removed", "fields.name", {"from": "record.name", "type": "text"}, None)],
    "fields: {name: record.name}": [("retyped", "fields.name", "text", "any")],
    "fields: {name: {from: record.name, type: number}}": [("retyped", "fields.name", "text", "number")],
    "fields: {name: {from: record.title, type: text}}": [("changed", "fields.name", "record.name", "record.title")],
    "fields: {source: {value: crm}}": [("changed", "fields.source", "shop", "crm")],
    "fields: {source: record.source}": [("retyped", "fields.source", "constant", "any")],
    "fields: {customer: record.customer}": [("retyped", "fields.customer", "map", "any")],
    "fields: {customer: {fields: {town: record.city}}}": [
        ("added", "fields.customer.town", None, "record.city"),
        ("removed", "fields.customer.city", "record.city", None),
    ],
    "fields: {lines: {foreach: record.rows, fields: {sku: item.sku}}}": [
        ("changed", "fields.lines", {"foreach": "record.lines"}, {"foreach": "record.rows"})
    ],
    "fields: {lines: {foreach: record.lines, fields: {sku: {from: item.sku, type: text}}}}": [
        ("retyped", "fields.lines.sku", "any", "text")
    ],
    "field_type: text": [
        ("retyped", "fields.id", "any", "text"),
        ("retyped", "fields.customer.city", "any", "text"),
        ("retyped", "fields.lines.sku", "any", "text"),
    ],
    "primary_key: name": [("changed", "primary_key", "id", "name")],
    "where: record.ok": [("changed", "where", None, "record.ok")],
    "cursor: {cursor: record.changed}": [("changed", "incremental.cursor", "record.at", "record.changed")],
    "cursor: {type: number}": [("changed", "incremental.type", None, "number")],
    "vars: {columns: id}": [("changed", "vars.columns", "id, name", "id")],
    "vars: {more: x}": [("changed", "vars.more", None, "x")],
    "fetch: {use: other}": [("changed", "fetch", {"use": "list"}, {"use": "other"})],
    "on_bad_record: skip": [("changed", "on_bad_record", None, "skip")],
}  # fmt: skip


def written(change: str) -> dict[str, object]:
    """The outline with some keys otherwise; those of a map are put into it, and taken out by null."""
    after: dict[str, object] = dict(BEFORE)
    for key, value in pyyaml.safe_load(change).items():
        old = after.get(key)
        merged = {**old, **value} if isinstance(old, dict) and key in ("fields", "vars", "cursor") else value
        after[key] = (
            {k: v for k, v in merged.items() if v is not None} if isinstance(merged, dict) else merged
        )
    return after


@pytest.mark.parametrize("change", CASES)
def test_each_difference_is_said(change: str) -> None:
    found = compared(BEFORE, written(change))
    assert [(one.change, one.key, one.before, one.after) for one in found] == CASES[change]


def test_fields_that_become_one_expression_are_said_as_one() -> None:
    (found,) = compared(BEFORE, {**BEFORE, "fields": "record"})
    assert (found.change, found.key, found.after) == ("changed", "fields", "record")


def test_a_field_type_that_no_field_takes_is_a_difference_all_the_same() -> None:
    before: dict[str, object] = {"fields": {"id": {"from": "record.id", "type": "text"}}}
    (found,) = compared(before, {**before, "field_type": "text"})
    assert (found.change, found.key, found.after) == ("changed", "field_type", "text")


FIELD = st.recursive(
    st.sampled_from(["record.a", "record.b", {"value": 1}, {"from": "record.a", "type": "number"}]),
    lambda inner: st.dictionaries(st.sampled_from("xy"), inner, min_size=1).map(lambda fields: {"fields": fields}),
    max_leaves=6,
)  # fmt: skip
OUTLINE = st.fixed_dictionaries(
    {"fields": st.dictionaries(st.sampled_from("abc"), FIELD)},
    optional={"field_type": st.sampled_from(["text", "number"]), "where": st.sampled_from(["x", "y"])},
)


@given(OUTLINE, OUTLINE)
def test_nothing_is_said_of_what_is_the_same_and_something_of_what_is_not(
    before: dict[str, object], after: dict[str, object]
) -> None:
    assert bool(compared(before, after)) == (before != after)
    assert compared(before, before) == []
