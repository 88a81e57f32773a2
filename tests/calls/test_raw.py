"""Records that stay JSON: they say the same as decoded ones, and only where nobody else looks at them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.calls.raw import RawRecords, split, unseen_records
from runner.definitions import yaml
from runner.definitions.exchange import Request
from runner.definitions.expressions import Expression, Language
from runner.definitions.model import Operation, Paginate
from runner.errors import CallError

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
BODY = ("response", "body")


def expression(text: str) -> Expression:
    found, findings = Language().expression(yaml.blank(text), dict.fromkeys(("response", "page", "records")))
    assert findings == []
    return found


def decoded(value: object) -> object:
    if isinstance(value, RawRecords):
        return list(value)
    if isinstance(value, dict):
        return {name: decoded(inner) for name, inner in value.items()}
    return value


@given(st.lists(VALUES, max_size=5), st.dictionaries(st.text(max_size=6), VALUES, max_size=3))
@pytest.mark.parametrize("path", [("rows",), ("data", "rows"), ()])
def test_a_split_body_says_what_a_decoded_one_says(
    path: tuple[str, ...], rows: list[object], beside: dict[str, object]
) -> None:
    body: object = rows
    for key in reversed(path):
        body = {**beside, key: body}
    content = json.dumps(body).encode()
    assert decoded(split(content, path)) == json.loads(content)


@pytest.mark.parametrize(
    ("content", "path"),
    [
        (b'{"rows": {"a": 1}}', ("rows",)),
        (b'{"rows": null}', ("rows",)),
        (b"[1, 2]", ("rows",)),
        (b'{"rows": [1, 2', ("rows",)),
        (b'{"rows": [{"a": nul}]}', ("rows",)),
        (b"<html></html>", ("rows",)),
        (b"", ()),
    ],
)
def test_what_is_of_another_form_is_not_split(content: bytes, path: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"."):
        split(content, path)


def test_records_are_a_sequence_that_can_be_emptied() -> None:
    records = split(b'[{"n": 1}, {"n": 2}, {"n": 3}]', ())
    assert isinstance(records, RawRecords)
    assert (len(records), records[0], records[1:]) == (3, {"n": 1}, [{"n": 2}, {"n": 3}])
    records.clear()
    assert list(records) == []


def test_broken_text_within_a_record_shows_when_it_is_looked_at() -> None:
    records = split(b'["fine", "\xff"]', ())
    assert isinstance(records, RawRecords)
    assert records[0] == "fine"
    with pytest.raises(CallError, match="a record of the answer is broken JSON") as caught:
        list(records)
    assert caught.value.kind == "truncated"


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ({}, ("orders",)),
        ({"next_url": "response.body.next"}, ("orders",)),
        ({"cursor": "response.headers['x-next']", "until": "page.cursor == 'end'"}, ("orders",)),
        ({"next_url": "response.body.next", "total": "response.body.orders.total"}, None),
        ({"cursor": "response.body.orders"}, None),
        ({"cursor": "response.body"}, None),
        ({"cursor": "records"}, None),
        ({"page": True, "until": "records | length < 2"}, None),
        ({"page": True, "until": "not response.body.more"}, None),
    ],
)
def test_records_at_which_an_expression_looks_are_decoded(
    rules: dict[str, object], found: tuple[str, ...] | None
) -> None:
    paginate = Paginate(
        **{name: rule if isinstance(rule, bool) else expression(str(rule)) for name, rule in rules.items()}  # type: ignore[arg-type]
    )
    assert unseen_records(operation("response.body.orders", paginate)) == found


def test_only_a_plain_path_in_a_json_body_is_left_undecoded() -> None:
    assert unseen_records(operation("response.body")) == ()
    assert unseen_records(operation("response.body.a.b")) == ("a", "b")
    assert unseen_records(operation("response.body.a | list")) is None
    assert unseen_records(operation("response.headers.a")) is None
    assert unseen_records(operation("response.body.a", form=("gzip", "json"))) is None


def operation(records: str, paginate: Paginate | None = None, form: tuple[str, ...] = ("json",)) -> Operation:
    place = expression(records).place
    request = Request(place=place)
    return Operation(
        name="list", place=place, request=request, format=form, records=expression(records), paginate=paginate
    )
