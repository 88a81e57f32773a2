"""A request as a cassette compares it: what it asks for, in whatever order it says so."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from itertools import takewhile
from urllib.parse import parse_qsl

import msgspec

from runner.definitions.conversions import text
from runner.definitions.exchange import Outgoing, join_url
from runner.definitions.model import RecordedRequest
from runner.definitions.values import ABSENT, is_nothing, short

_FORM = "application/x-www-form-urlencoded"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a request asks for."""

    method: str
    #: the URL without its query
    address: str
    #: name and value, in the order of the names
    query: tuple[tuple[str, str], ...] = ()
    #: by their names in small letters
    headers: Mapping[str, str] = {}
    #: what the body is: json, form or text; None where there is none
    form: str | None = None
    body: object = None

    def __str__(self) -> str:
        return f"{self.method} {self.address}{_shown_query(self.query)}"


def sent(request: Outgoing) -> Asked:
    """What a request asks for that goes out."""
    address, _, query = request.url.partition("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    form, body = _content(request.content, headers.get("content-type", ""))
    pairs = tuple(sorted(parse_qsl(query, keep_blank_values=True)))
    return Asked(method=request.method, address=address, query=pairs, headers=headers, form=form, body=body)


def _content(content: bytes | None, kind: str) -> tuple[str | None, object]:
    if content is None:
        return None, None
    said = content.decode("utf-8", "replace")
    if kind.startswith(_FORM):
        return "form", grouped(parse_qsl(said, keep_blank_values=True))
    try:
        return "json", parsed(said)
    except ValueError:
        return "text", said


def parsed(said: str) -> object:
    """JSON; ValueError for what is none (RFC 8259), `NaN` among it."""
    found: object = json.loads(said, parse_constant=_no_constant)
    return found


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def recorded(request: RecordedRequest, base_url: str) -> Asked:
    """What a request of a cassette asks for.

    Args:
        base_url: where its path begins.
    """
    address = request.url if request.url is not None else join_url(base_url, request.path or "")
    return Asked(
        method=request.method,
        address=address,
        query=tuple(sorted(_pairs(request.query))),
        headers=request.headers,
        form=request.form,
        body=grouped(_pairs(request.body)) if isinstance(request.body, dict) and request.form == "form"
        else request.body,
    )  # fmt: skip


def _pairs(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        for one in value if isinstance(value, list) else [value]:
            yield name, "" if one is None else text(one)


def grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, object]:
    """Pairs as a map; a name that comes several times has a list."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def differences(wanted: Asked, found: Asked) -> list[str]:
    """What is another in a request than a cassette has it; nothing where it is the same."""
    parts: list[tuple[str, object, object]] = [
        ("method", wanted.method, found.method),
        ("address", wanted.address, found.address),
        *_of_maps("query", grouped(wanted.query), grouped(found.query)),
        *((f"header {name}", value, found.headers.get(name)) for name, value in wanted.headers.items()),
    ]
    if isinstance(wanted.body, dict) and isinstance(found.body, dict) and wanted.form == found.form:
        parts += _of_maps("body", wanted.body, found.body)
    else:
        parts.append(("body", wanted.body, found.body))
        if wanted.body == found.body:
            parts.append(("kind of body", wanted.form, found.form))
    return [_difference(name, one, other) for name, one, other in parts if one != other]


def _of_maps(
    name: str, one: Mapping[str, object], other: Mapping[str, object]
) -> list[tuple[str, object, object]]:
    keys = dict.fromkeys([*one, *other])
    return [(f"{name} {key}", one.get(key, ABSENT), other.get(key, ABSENT)) for key in keys]


def _difference(name: str, wanted: object, found: object) -> str:
    if isinstance(wanted, str) and isinstance(found, str) and len(wanted) + len(found) > 80:
        return f"{name}: {_apart(wanted, found)}"
    return f"{name}: recorded {_said(wanted)}, sent {_said(found)}"


def _said(value: object) -> str:
    return "nothing" if is_nothing(value) else short(value)


def _apart(wanted: str, found: str) -> str:
    """Where two long texts part: some of what they share, then what each has."""
    begin = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(wanted, found, strict=False)))
    head = max(0, begin - 20)
    dots = "…" if head else ""
    return f"recorded `{dots}{wanted[head : begin + 60]}`, sent `{dots}{found[head : begin + 60]}`"


def likeness(one: Asked, other: Asked) -> float:
    """How much two requests are alike, from 0 to 1; the address counts most."""
    address = SequenceMatcher(None, one.address, other.address, autojunk=False).ratio()
    told, asked = f"{one.query}{one.body}"[:2_000], f"{other.query}{other.body}"[:2_000]
    rest = SequenceMatcher(None, told, asked, autojunk=False).ratio()
    return 0.5 * address + 0.3 * rest + 0.2 * (one.method == other.method)


def _shown_query(query: tuple[tuple[str, str], ...]) -> str:
    shown = "&".join(f"{name}={value}" for name, value in query)
    return f"?{shown}" if shown else ""
