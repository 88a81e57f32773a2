"""What a person enters for a connection, held against what its provider says of it."""

from __future__ import annotations

import pytest

from runner.definitions.entered import check_complete, entered
from runner.definitions.model import ConfigField
from runner.errors import UsageError

FIELDS = {
    field.name: field
    for field in (
        ConfigField(name="url", title="Address", format="uri", example="https://acme.shop.example"),
        ConfigField(name="host", format="hostname", optional=True),
        ConfigField(name="mail", format="email", optional=True),
        ConfigField(name="region", title="Region", pattern="^[a-z]{2}$", description="Where it is hosted.", default="eu"),
        ConfigField(name="year", type="integer", optional=True),
        ConfigField(name="test", type="boolean", optional=True),
        ConfigField(name="pin", title="PIN", pattern="^[0-9]+$", secret=True, optional=True),
    )
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"url": "https://acme.shop.example/eu"}, {"url": "https://acme.shop.example/eu"}),
        ({"url": "http://127.0.0.1:8870"}, {"url": "http://127.0.0.1:8870"}),
        ({"host": "shop.example.com", "mail": "ada@example.com"}, {"host": "shop.example.com", "mail": "ada@example.com"}),
        ({"year": "2026", "test": "true"}, {"year": 2026, "test": True}),
        ({"year": 2026, "region": "us"}, {"year": 2026, "region": "us"}),
        ({}, {}),
    ],
)  # fmt: skip
def test_what_fits_is_brought_to_its_type(given: dict[str, object], kept: dict[str, object]) -> None:
    assert entered(FIELDS, given, "config") == kept


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ({"ulr": "x"}, "there is no config `ulr`", "did you mean `url`?"),
        ({"zzz": "x"}, "there is no config `zzz`", "there are: host, mail, pin, region, test, url, year"),
        ({"url": "shop"}, "the config `url` (Address) cannot be the text 'shop'", "such as https://acme.shop.example"),
        ({"host": "https://x"}, "the config `host` cannot be the text 'https://x'", "write one such as shop.example.com"),
        ({"mail": "ada"}, "the config `mail` cannot be the text 'ada'", "write one such as ada@example.com"),
        ({"region": "EU"}, "the config `region` (Region) cannot be the text 'EU'", "Where it is hosted"),
        ({"year": "soon"}, "the config `year`: the text 'soon' is no number", None),
        ({"test": "yes"}, "the config `test`: the text 'yes' is neither true nor false", None),
        ({"pin": "s3cret"}, "the config `pin` (PIN) cannot be what was given", "it must match ^[0-9]+$"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(given: dict[str, object], message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as refused:
        entered(FIELDS, given, "config")
    assert (refused.value.message, refused.value.hint) == (message, hint)


def test_what_lacks_is_told_with_what_it_is() -> None:
    check_complete(FIELDS, {"url": "https://x"}, "config")
    with pytest.raises(UsageError) as refused:
        check_complete(FIELDS, {"region": "eu"}, "config")
    assert refused.value.message == "the config `url` (Address) is missing"
    assert refused.value.hint == "such as https://acme.shop.example"
