"""Tests of definitions: what a sync or a workflow must do with what an API once answered."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from runner.errors import Place

#: when a test runs that says no time, in seconds since 1970
LONG_AGO = 1_767_225_600.0


class RecordedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it must be sent."""

    method: str = "GET"
    #: below the provider's base URL; None where `url` has all of it
    path: str | None = None
    url: str | None = None
    query: Mapping[str, object] = {}
    #: those that must be sent, by their names in small letters
    headers: Mapping[str, str] = {}
    #: what the body is given as: json, form or text; None where there is none
    form: str | None = None
    body: object = None


class RecordedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is answered to it."""

    status: int = 200
    headers: Mapping[str, str] = {}
    #: what the body is given as: json, text or base64; None where there is none
    form: str | None = None
    body: object = None
    #: why no answer comes
    fault: str | None = None


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """A request of a cassette, and its answer."""

    request: RecordedRequest
    response: RecordedAnswer
    place: Place


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What is there before the run."""

    #: seconds since 1970
    now: float = LONG_AGO
    config: Mapping[str, object] = {}
    metadata: Mapping[str, object] = {}
    params: Mapping[str, object] = {}
    full: bool = False
    #: of a sync with `foreach` parent → its own, null where nothing was stored of it
    checkpoint: str | int | float | Mapping[str, str | int | float | None] | None = None
    #: seconds since 1970
    last_run: float | None = None
    #: model, or `Model::variant` → its records
    records: Mapping[str, list[Mapping[str, object]]] = {}
    #: path in the project's folder → text
    files: Mapping[str, str] = {}
    input: Mapping[str, object] = {}
    #: step → what it gives
    mock: Mapping[str, object] = {}


class DefinitionTest(msgspec.Struct, frozen=True, kw_only=True):
    """One file of tests/."""

    #: its file
    name: str
    place: Place
    #: sync or workflow
    kind: str
    #: the name of what it tests
    definition: str
    integration: str
    description: str = ""
    given: Given = Given()
    #: None where nothing is asked of an API
    http: tuple[Exchange, ...] | None = None
    #: what must come of it, as far as it is said
    expect: Mapping[str, object] = {}
    #: the file's text
    text: str = ""
    #: the lines of its `expect`, from the first to the one behind the last, both counted from 1
    expect_lines: tuple[int, int] = (0, 0)
