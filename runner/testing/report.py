"""What a test found, held against what it expects."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import unified_diff

import msgspec

from runner.definitions.model import DefinitionTest, Exchange
from runner.definitions.yaml.writing import write
from runner.testing.asked import Asked, recorded
from runner.testing.cassette import Miss
from runner.testing.trial import Outcome

#: characters of a request that a message shows
_LONGEST = 120
#: in which order a file says what came of it
ORDER = ("records", "deletes", "checkpoint", "requests", "output", "undone", "error")


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a test; the JSON of `terapi test --json`."""

    test: str
    #: what it tests, such as `sync contacts`
    definition: str
    #: passed, failed or updated
    status: str
    #: a unified diff of what was expected and what was found
    diff: str = ""
    #: requests that are not on the cassette, those on it that nobody sent, and what keeps it from running
    problems: list[str] = []

    @property
    def failed(self) -> bool:
        return self.status == "failed"

    def as_data(self) -> dict[str, object]:
        return msgspec.structs.asdict(self)


def reported(test: DefinitionTest, outcome: Outcome, base_url: str) -> Report:
    """Whether a test has found what it expects.

    Of one that missed an answer only that is told: what came of it afterwards says nothing.
    """
    difference = "" if outcome.missed else _diff(test, told(test.expect, outcome.found))
    problems = [line for miss in outcome.missed for line in _missed(miss)]
    problems += [
        f"never asked for: {_brief(recorded(one.request, base_url))} ({_line(one)})" for one in outcome.unused
    ]
    return Report(
        test=test.name,
        definition=f"{test.kind} {test.definition}",
        status="failed" if difference or problems else "passed",
        diff=difference,
        problems=problems,
    )


def told(expect: Mapping[str, object], found: Mapping[str, object]) -> dict[str, object]:
    """Of what was found, what a test asks for; a failure always."""
    kept = {key: found.get(key, {} if key in ("records", "deletes") else None) for key in expect}
    if isinstance(error := found.get("error"), Mapping):
        wanted = expect.get("error")
        keys = wanted if isinstance(wanted, Mapping) and wanted else error
        kept["error"] = {key: error.get(key) for key in keys}
    elif "error" in kept:
        del kept["error"]
    return {key: kept[key] for key in ORDER if key in kept}


def _diff(test: DefinitionTest, found: Mapping[str, object]) -> str:
    wanted = {key: test.expect[key] for key in ORDER if key in test.expect}
    if _same(wanted, found):
        return ""
    texts = (write(wanted).splitlines(), write(dict(found)).splitlines())
    lines = unified_diff(*texts, f"{test.name} expects", "found", lineterm="")
    return "\n".join(lines)


def _same(wanted: object, found: object) -> bool:
    """As JSON: `1` and `1.0` are the same, `1` and `true` are not."""
    return write(wanted) == write(found) or msgspec.json.encode(
        wanted, order="sorted"
    ) == msgspec.json.encode(found, order="sorted")


def _missed(miss: Miss) -> list[str]:
    lines = [f"not on the cassette: {_brief(miss.asked)}"]
    if miss.nearest is None:
        return [*lines, "  nothing is recorded"]
    if not miss.differs:
        return [*lines, f"  it is recorded, but was asked for already ({_line(miss.nearest)})"]
    return [*lines, f"  nearest: {_line(miss.nearest)}", *(f"    {one}" for one in miss.differs)]


def _brief(asked: Asked) -> str:
    whole = str(asked)
    return whole if len(whole) <= _LONGEST else f"{whole[:_LONGEST]}…"


def _line(exchange: Exchange) -> str:
    return f"{exchange.place.file}:{exchange.place.line}"
