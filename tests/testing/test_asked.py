"""A request that was recorded is the same when it is sent again, whatever is in it, and no other is."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.auth.credentials import Credentials
from runner.definitions import yaml
from runner.definitions.build.aliases import resolve_aliases
from runner.definitions.build.keys import items, mapping
from runner.definitions.build.provider import build_providers
from runner.definitions.build.tests import exchange_of
from runner.definitions.exchange import Outgoing
from runner.definitions.model import Provider, RecordedAnswer
from runner.definitions.yaml.writing import write
from runner.testing.asked import Asked, differences, likeness, recorded, sent
from runner.testing.masks import Replacing
from runner.testing.record import told_exchange

BASE = "https://api.example/v1"
PROVIDER = """
desk:
  auth_mode: API_KEY
  base_url: https://api.example/v1
  hosts: [api.example]
"""


def provider() -> Provider:
    node, _ = yaml.read(PROVIDER, "providers.yaml")
    return build_providers(resolve_aliases(mapping(node), []), [])["desk"]


DESK = provider()
NOTHING = Replacing(DESK, {}, Credentials(type="NONE"))
texts = st.text(max_size=12)
pairs = st.lists(st.tuples(st.sampled_from(["a", "b", "with space"]) | texts, texts), max_size=4)
scalars = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False) | texts
bodies = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
contents = (
    st.none()
    | bodies.map(lambda body: json.dumps(body).encode())
    | pairs.map(lambda form: urlencode(form).encode())
    | st.sampled_from([b"NaN", b"", b"<xml/>", b"plain", b"1"])
)
kinds = st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain"])


@st.composite
def requests(draw: st.DrawFn) -> Outgoing:
    path = draw(st.sampled_from(["/tickets", "/tickets/7", "/t%20t", ""]))
    query = urlencode(draw(pairs))
    base = draw(st.sampled_from([BASE, BASE, "https://other.example"]))
    return Outgoing(
        method=draw(st.sampled_from(["GET", "POST", "PATCH", "DELETE"])),
        url=f"{base}{path}{'?' if query else ''}{query}",
        headers={"Content-Type": draw(kinds), **draw(st.sampled_from([{}, {"Prefer": "count"}]))},
        content=draw(contents),
    )


def as_recorded(request: Outgoing) -> Asked:
    """What is on a cassette of it, written and read again."""
    told = told_exchange(sent(request), RecordedAnswer(), NOTHING, BASE)
    node, problems = yaml.read(write({"http": [told]}).encode(), "f.yaml")
    assert node is not None, problems
    return recorded(exchange_of(items(mapping(node), "http")[0]).request, BASE)


@settings(max_examples=300)
@given(requests())
def test_what_was_recorded_is_the_same_when_it_is_sent_again(request: Outgoing) -> None:
    assert differences(as_recorded(request), sent(request)) == []


@settings(max_examples=300)
@given(requests(), requests())
def test_another_one_is_another(one: Outgoing, other: Outgoing) -> None:
    same = differences(as_recorded(one), sent(other)) == []
    wanted, found = sent(one), sent(other)
    equal = all(
        getattr(wanted, part) == getattr(found, part)
        for part in ("method", "address", "query", "form", "body")
    )
    assert same == (equal and ("prefer" not in wanted.headers or "prefer" in found.headers))
    assert 0 <= likeness(wanted, found) <= 1
