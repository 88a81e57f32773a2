"""Masking: nothing of a secret is left, in whatever form a text has it."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.auth.masking import mask

SECRET = 'p&ss/w+rd="x" <é>'


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("token abcd1234 refused", "token ••• refused"),
        ("abcd1234", "•••"),
        ("abcd1234abcd1234", "••••••"),
        ("nothing of it", "nothing of it"),
        ("Authorization: Basic dXNlcjphYmNkMTIzNA==, next", "Authorization: Basic •••, next"),
        ("Basic YWJjZDEyMzQ6cGFzcw==", "Basic •••"),
        ("?token=YWJjZDEyMzQ&x=1", "?token=•••&x=1"),
    ],
)
def test_what_is_left_of_a_text(text: str, seen: str) -> None:
    assert mask(text, ["abcd1234"]) == seen


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        quote_plus(SECRET),
        quote(quote(SECRET, safe=""), safe=""),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        json.dumps(SECRET)[1:-1].replace("/", "\\/"),
        html.escape(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
    ],
)
def test_every_form_is_found(form: str) -> None:
    assert mask(f"({form})", [SECRET]) == "(•••)"


def test_a_secret_within_another_leaves_no_rest() -> None:
    assert mask("abcdefgh", ["cdef", "abcdefgh"]) == "•••"


@pytest.mark.parametrize("secret", ["", "a", "abc"])
def test_what_is_too_short_to_be_a_secret_hides_nothing(secret: str) -> None:
    assert mask("abc of a", [secret]) == "abc of a"


@given(st.text(min_size=8, max_size=40), st.binary(max_size=5), st.binary(max_size=5))
def test_wherever_it_stands_in_base64_it_is_gone(secret: str, before: bytes, after: bytes) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(before + secret.encode() + after).decode()
        assert mask(f"Basic {whole}!", [secret]) == "Basic •••!"


@given(st.text(max_size=30), st.text(min_size=4, max_size=20), st.text(max_size=30))
def test_no_secret_comes_through(before: str, secret: str, after: str) -> None:
    masked = mask(f"{before}{secret}{after}", [secret])
    assert secret not in masked.replace("•••", "\0") or "•" in secret
