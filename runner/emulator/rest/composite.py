"""Up to 25 calls in one, later ones with what earlier ones have answered; all or nothing where that is asked
for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from runner.emulator.errors import ApiError, EmulatorError
from runner.emulator.http import json
from runner.emulator.rest.call import Call, content, flag, listed
from runner.emulator.rest.dispatch import Part, perform
from runner.emulator.rest.references import Unresolved, resolved

MOST = 25
#: of them queries and collections
MOST_QUERIES = 5
_REFERENCE_ID = re.compile(r"[A-Za-z0-9]\w*", re.ASCII)
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
ROLLED_BACK = "The transaction was rolled back since another operation in the same transaction failed."
#: headers of an answer that a part of a composite answer has too
_SHOWN = ("Location", "ETag", "Last-Modified")

Json = dict[str, object]


class Undone(EmulatorError):
    """One call has failed where all had to succeed."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of one call."""

    reference_id: str
    status: int
    body: object
    headers: dict[str, str] = {}

    @property
    def failed(self) -> bool:
        return self.status >= 400

    def told(self) -> Json:
        return {
            "body": self.body,
            "httpHeaders": self.headers,
            "httpStatusCode": self.status,
            "referenceId": self.reference_id,
        }


def resources(call: Call) -> Response:
    names = ("tree", "batch", "sobjects", "graph")
    return json({name: f"{call.base_url}/composite/{name}" for name in names})


def composite(call: Call) -> Response:
    said = call.values()
    parts = checked(listed(said, "compositeRequest", MOST))
    queries = sum("/query" in part.url or "/composite/sobjects" in part.url for part in parts)
    if queries > MOST_QUERIES:
        message = f"at most {MOST_QUERIES} subrequests may be queries or collections"
        raise ApiError("LIMIT_EXCEEDED", message)
    outcomes = run(call, parts, all_or_none=flag(said, "allOrNone"))
    return json({"compositeResponse": [outcome.told() for outcome in outcomes]})


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One call as it was asked for, its references not yet put in."""

    method: str
    url: str
    reference_id: str
    headers: Mapping[str, object]
    body: object


def checked(said: list[Json]) -> list[Asked]:
    """Raises ApiError."""
    parts: list[Asked] = []
    seen: set[str] = set()
    for each in said:
        part = _asked(each)
        if part.reference_id in seen:
            raise ApiError("INVALID_INPUT", f"Duplicate reference id: {part.reference_id}")
        seen.add(part.reference_id)
        parts.append(part)
    return parts


def _asked(said: Json) -> Asked:
    missing = [name for name in ("method", "url", "referenceId") if not isinstance(said.get(name), str)]
    if missing:
        raise ApiError("INVALID_INPUT", f"A subrequest needs {', '.join(missing)}")
    method, url, reference_id = (str(said[name]) for name in ("method", "url", "referenceId"))
    if method.upper() not in _METHODS:
        raise ApiError("INVALID_INPUT", f"HTTP Method '{method[:20]}' is not supported in a subrequest")
    if not _REFERENCE_ID.fullmatch(reference_id):
        message = (
            f"Provided referenceId ('{reference_id[:80]}') must start with a letter or a number, and it can "
            "contain only letters, numbers and underscores ('_')."
        )
        raise ApiError("INVALID_INPUT", message)
    if not url.startswith("/services/data/v"):
        raise ApiError("INVALID_INPUT", f"The url of {reference_id} must begin with /services/data/v")
    if "/composite" in url and "/composite/sobjects" not in url:
        raise ApiError("INVALID_INPUT", f"The url of {reference_id} is not allowed in a composite request")
    headers = said.get("httpHeaders")
    return Asked(
        method=method,
        url=url,
        reference_id=reference_id,
        headers=headers if isinstance(headers, dict) else {},
        body=said.get("body"),
    )


def run(call: Call, parts: list[Asked], *, all_or_none: bool) -> list[Outcome]:
    """What became of each call; where all must succeed and one fails, nothing is changed."""
    outcomes: list[Outcome] = []
    if not all_or_none:
        _run_each(call, parts, outcomes, halt=False)
        return outcomes
    try:
        with call.org.database.atomic():
            _run_each(call, parts, outcomes, halt=True)
    except Undone:
        return [_rolled_back(part, outcomes) for part in parts]
    return outcomes


def _run_each(call: Call, parts: list[Asked], outcomes: list[Outcome], *, halt: bool) -> None:
    answers: dict[str, object] = {}
    for part in parts:
        outcome = _run_one(call, part, answers)
        outcomes.append(outcome)
        if not outcome.failed:
            answers[part.reference_id] = outcome.body
        elif halt:
            raise Undone(part.reference_id)


def _run_one(call: Call, part: Asked, answers: Mapping[str, object]) -> Outcome:
    try:
        ready = Part(
            method=part.method,
            url=str(resolved(part.url, answers)),
            headers={str(name).lower(): str(value) for name, value in part.headers.items()},
            body=resolved(part.body, answers),
        )
    except Unresolved as exc:
        return Outcome(part.reference_id, exc.status, exc.body())
    answer = perform(call, ready)
    headers = {name: answer.headers[name] for name in _SHOWN if name in answer.headers}
    return Outcome(part.reference_id, answer.status_code, content(answer), headers)


def _rolled_back(part: Asked, outcomes: list[Outcome]) -> Outcome:
    """The one that failed says why, all others that they were undone, or not begun."""
    for outcome in outcomes:
        if outcome.reference_id == part.reference_id and outcome.failed:
            return outcome
    return Outcome(part.reference_id, 400, ApiError("PROCESSING_HALTED", ROLLED_BACK).body())
