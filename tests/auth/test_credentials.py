"""When a token ends, as token answers tell it."""

from __future__ import annotations

import pytest

from runner.auth.credentials import Credentials, from_token_answer

NOW = 1_000_000.0


@pytest.mark.parametrize(
    ("answer", "lifetime", "ends"),
    [
        ({"expires_in": 3600}, None, NOW + 3600),
        ({"expires_in": "3600"}, None, NOW + 3600),
        ({"expires_in": 0.5}, None, NOW + 0.5),
        ({"expires_in": 3600}, 60.0, NOW + 3600),
        ({}, 60.0, NOW + 60),
        ({}, None, None),
        ({"expires_in": 0}, None, None),
        ({"expires_in": -1}, 60.0, NOW + 60),
        ({"expires_in": "soon"}, None, None),
        ({"expires_in": "²"}, None, None),
        ({"expires_in": True}, None, None),
        ({"expires_in": None, "expires_at": 1_003_600}, None, NOW + 3600),
        ({"expires_at": "1003600"}, None, NOW + 3600),
        ({"expires_at": "1970-01-12T14:46:40Z"}, None, NOW + 3600),
        ({"expires_at": "never"}, None, None),
        ({"expires_at": ["x"]}, 60.0, NOW + 60),
    ],
)
def test_the_end_of_a_token(answer: dict[str, object], lifetime: float | None, ends: float | None) -> None:
    found = from_token_answer({"access_token": "x", **answer}, Credentials(type="OAUTH2"), lifetime, NOW)
    assert found.expires_at == ends


def test_what_an_answer_does_not_repeat_stays() -> None:
    before = Credentials(type="OAUTH2", refresh_token="kept", values={"a": 1})
    after = from_token_answer({"access_token": "new"}, before, None, NOW)
    assert (after.access_token, after.refresh_token, after.values) == ("new", "kept", {"a": 1})
    assert repr(after) == "Credentials(OAUTH2)"
