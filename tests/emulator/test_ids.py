"""Ids of 15 and 18 characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.emulator import ids

prefixes = st.sampled_from(["001", "003", "00Q", "500", "a01"])
numbers = st.integers(0, ids.BASE**ids.COUNTED - 1)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("001A0000006Vm9r", "001A0000006Vm9rIAC"),
        ("500D000000BFbjS", "500D000000BFbjSIAT"),
        ("000000000000000", "000000000000000AAA"),
        ("ZZZZZZZZZZZZZZZ", "ZZZZZZZZZZZZZZZ555"),
    ],
)
def test_the_checksum_says_which_letters_are_upper_case(short: str, long: str) -> None:
    assert short + ids.checksum(short) == long
    assert ids.normalise(short) == ids.normalise(long) == long


@given(prefixes, numbers)
def test_an_id_is_the_same_in_every_form(prefix: str, number: int) -> None:
    record_id = ids.make(prefix, number)
    forms = (record_id, record_id[:15], record_id.lower(), record_id.upper())
    assert {ids.normalise(form) for form in forms} == {record_id}


@given(prefixes, numbers, numbers)
def test_ids_sort_as_they_are_given_out(prefix: str, one: int, other: int) -> None:
    assert (ids.make(prefix, one) < ids.make(prefix, other)) == (one < other)


@given(prefixes, st.integers(0, 10**9), st.integers(0, 9000))
def test_a_series_is_what_makes_one_by_one(prefix: str, first: int, count: int) -> None:
    made = list(ids.series(prefix, first, count))
    assert len(made) == count
    assert (
        made[:1] + made[-1:]
        == [ids.make(prefix, n) for n in (first, first + count - 1) if count][: 2 * len(made)]
    )


@given(st.text(max_size=20))
def test_what_is_no_id_is_none(text: str) -> None:
    found = ids.normalise(text)
    assert found is None or (
        found[:15].lower() == text[:15].lower() and found[15:] == ids.checksum(found[:15])
    )


@pytest.mark.parametrize(
    "text", ["", "001", "001Hs0000000001IA", "001Hs0000000001ZZZ", "001Hs000000000é", "00Q" * 5 + "9AA"]
)
def test_a_wrong_length_letter_or_checksum_is_no_id(text: str) -> None:
    assert ids.normalise(text) is None
