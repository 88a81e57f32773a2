"""Faults that the real service has now and then, called up at will.

A fault is written `KIND[:key=value,…]`, such as `status:code=503,path=/query,count=2,retry_after=1`:

    latency       ms, jitter                    waits first, so long and up to so much longer
    status        code, errorCode, retry_after  an error of the API
    error         code                          one of the real service's errors, in its own words
    html                                        a login page with status 200
    invalid_json                                a body that is cut in the middle, but whole as HTTP sees it
    truncate                                    fewer bytes than announced, then the end of the connection
    stall         seconds                       half of the body, then nothing for so long, then the end
    reset                                       the end of the connection before any answer
    expire                                      the access token's time is over
    locator                                     a next page whose locator has expired
    foreign_page                                a next page on another host
    duplicate     rows                          a page begins with the last rows of the page before
    shuffle                                     the rows of a page in another order
    skew          seconds                       the clock of the answer, not of the records, is so much ahead
    move                                        the org gets another instance URL; at the old one it is gone
    job           becomes, message              a bulk job is failed, aborted, stuck or vanished
    row           code, object                  single records cannot be written
    late          seconds                       what is written is seen so much later, with the stamp of now

and each takes path (a part of the path; where it is not given each kind has its own), method, count (how
often at most), after (how many matching requests pass first), probability (0 to 1), seed.
"""

from __future__ import annotations

import re
from random import Random
from typing import NamedTuple

import msgspec

from runner.emulator.errors import ApiError, OptionError

#: errors that the real service has, with their status and words
ERRORS = {
    "REQUEST_LIMIT_EXCEEDED": (403, "TotalRequests Limit exceeded."),
    "UNABLE_TO_LOCK_ROW": (400, "unable to obtain exclusive access to this record or 1 records"),
    "QUERY_TIMEOUT": (400, "Your query request was running for too long."),
    "SERVER_UNAVAILABLE": (503, "Server Too Busy"),
    "INVALID_SESSION_ID": (401, "Session expired or invalid"),
    "UNKNOWN_EXCEPTION": (500, "An unexpected error occurred."),
    "API_DISABLED_FOR_ORG": (403, "API is not enabled for this Organization or Partner"),
    "INVALID_QUERY_LOCATOR": (400, "invalid query locator"),
    "DUPLICATES_DETECTED": (400, "Use one of these records?"),
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": (400, "A validation rule refused the record."),
}
#: what may become of a bulk job
FATES = ("failed", "aborted", "stuck", "vanished")
#: errorCodes of a status fault that names none
ERROR_CODES = {
    400: "MALFORMED_QUERY",
    401: "INVALID_SESSION_ID",
    403: "REQUEST_LIMIT_EXCEEDED",
    404: "NOT_FOUND",
    429: "REQUEST_LIMIT_EXCEEDED",
    500: "UNKNOWN_EXCEPTION",
    503: "SERVER_UNAVAILABLE",
}


class Number(NamedTuple):
    """A key whose value is a number within bounds."""

    default: float
    least: float
    most: float


class Text(NamedTuple):
    """A key whose value is a text; one of the choices where there are any."""

    default: str = ""
    choices: tuple[str, ...] = ()


Key = Number | Text

_DAY = 86_400
COMMON: dict[str, Key] = {
    "path": Text(),
    "method": Text(),
    "count": Number(10**9, 0, 10**9),
    "after": Number(0, 0, 10**9),
    "probability": Number(1, 0, 1),
    "seed": Number(0, -(2**63), 2**63),
}
KINDS: dict[str, dict[str, Key]] = {
    "latency": {"ms": Number(0, 0, 600_000), "jitter": Number(0, 0, 600_000)},
    "status": {"code": Number(503, 200, 599), "errorCode": Text(), "retry_after": Text()},
    "error": {"code": Text("SERVER_UNAVAILABLE", tuple(ERRORS))},
    "html": {},
    "invalid_json": {},
    "truncate": {},
    "stall": {"seconds": Number(60, 0, _DAY)},
    "reset": {},
    "expire": {},
    "locator": {},
    "foreign_page": {},
    "duplicate": {"rows": Number(1, 1, 2_000)},
    "shuffle": {},
    "skew": {"seconds": Number(-60, -_DAY, _DAY)},
    "move": {},
    "job": {"becomes": Text(FATES[0], FATES), "message": Text()},
    "row": {"code": Text("UNABLE_TO_LOCK_ROW", tuple(ERRORS)), "object": Text()},
    "late": {"seconds": Number(120, 0, 30 * _DAY)},
}
#: where a fault strikes that names no path; /services/data where it does not stand here
PATHS = {"job": "/", "row": "/", "late": "/", "locator": "/", "move": "/services/oauth2/token"}
DEFAULT_PATH = "/services/data"
#: a request for a page that is not the first
_NEXT_PAGE = re.compile(r"/query(All)?/[^/?]+$|[?&]locator=", re.IGNORECASE)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    #: as it was written
    spec: str
    numbers: dict[str, float]
    texts: dict[str, str]

    def matches(self, method: str, target: str) -> bool:
        """``target`` is a path, with its query where there is one."""
        path = self.texts["path"] or PATHS.get(self.kind, DEFAULT_PATH)
        if self.kind == "locator" and not _NEXT_PAGE.search(target):
            return False
        return path in target and self.texts["method"].upper() in ("", method)

    def error(self) -> ApiError:
        """The real service's error that it names."""
        code = self.texts["code"]
        status, message = ERRORS[code]
        return ApiError(code, message, status=status, fields=[])


def parse(spec: str) -> Fault:
    """Raises OptionError, which tells what would be right."""
    kind, _, rest = spec.strip().partition(":")
    if kind not in KINDS:
        raise OptionError(f"{kind!r} is no fault; there are {', '.join(sorted(KINDS))}")
    known = COMMON | KINDS[kind]
    said = dict(_pair(spec, part, kind, known) for part in rest.split(",") if part.strip())
    return Fault(
        kind=kind,
        spec=spec,
        numbers={
            name: _number(spec, name, key, said.get(name))
            for name, key in known.items()
            if isinstance(key, Number)
        },
        texts={
            name: _text(spec, name, key, said.get(name))
            for name, key in known.items()
            if isinstance(key, Text)
        },
    )


def _pair(spec: str, part: str, kind: str, known: dict[str, Key]) -> tuple[str, str]:
    name, equals, value = part.partition("=")
    name = name.strip()
    if not equals or name not in known:
        raise OptionError(
            f"{name!r} in the fault {spec!r} is not known; {kind} takes {', '.join(sorted(known))}"
        )
    return name, value.strip()


def _number(spec: str, name: str, key: Number, said: str | None) -> float:
    if said is None:
        return key.default
    try:
        number = float(said)
    except ValueError as exc:
        raise OptionError(f"{name} in the fault {spec!r} is no number: {said!r}") from exc
    if not key.least <= number <= key.most:
        raise OptionError(f"{name} in the fault {spec!r} must be {key.least:,} to {key.most:,}")
    return number


def _text(spec: str, name: str, key: Text, said: str | None) -> str:
    if said is None:
        return key.default
    if key.choices and said not in key.choices:
        raise OptionError(f"{name} in the fault {spec!r} must be one of {', '.join(key.choices)}")
    return said


class Faults:
    """The faults that are on, and how often each has struck."""

    #: kinds that do not strike a request as it comes in
    LATER = frozenset({"job", "row", "late"})

    def __init__(self, specs: tuple[str, ...] = ()) -> None:
        self._armed: list[_Armed] = [_Armed(parse(spec)) for spec in specs]
        self._carried: list[object] = []

    def add(self, spec: str) -> None:
        self._armed.append(_Armed(parse(spec)))

    def clear(self) -> None:
        self._armed, self._carried = [], []

    def listed(self) -> list[dict[str, object]]:
        return [{"fault": armed.fault.spec, "struck": armed.struck} for armed in self._armed]

    def strike(self, method: str, target: str) -> tuple[float, Fault | None]:
        """How many seconds a request waits, and what happens to it then; at most one thing."""
        seconds = 0.0
        for armed in self._armed:
            if armed.fault.kind in self.LATER or not armed.strikes(method, target):
                continue
            if armed.fault.kind != "latency":
                return seconds, armed.fault
            seconds += armed.delay()
        return seconds, None

    def job(self, method: str, target: str) -> Fault | None:
        """What becomes of a bulk job that a request starts."""
        return self._first("job", method, target)

    def late(self, method: str, target: str) -> Fault | None:
        """Whether what a request writes is seen later."""
        return self._first("late", method, target)

    def check_row(self, name: str) -> None:
        """Raises the ApiError of a fault that has a record of this object not written."""
        for armed in self._armed:
            fault = armed.fault
            meant = fault.kind == "row" and fault.texts["object"].lower() in ("", name.lower())
            if meant and armed.strikes("", "/"):
                raise fault.error()

    def carry(self, rows: list[object]) -> list[object]:
        """Keeps the last rows of a page; gives those of the page before."""
        before, self._carried = self._carried, rows
        return before

    def _first(self, kind: str, method: str, target: str) -> Fault | None:
        for armed in self._armed:
            if armed.fault.kind == kind and armed.strikes(method, target):
                return armed.fault
        return None


class _Armed:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.struck = 0
        self._passed = 0
        self._random = Random(fault.numbers["seed"])  # noqa: S311 - the same seed, the same faults

    def strikes(self, method: str, target: str) -> bool:
        """Whether it strikes this request."""
        if not self.fault.matches(method, target):
            return False
        numbers = self.fault.numbers
        self._passed += 1
        if self.struck >= numbers["count"] or self._passed <= numbers["after"]:
            return False
        if self._random.random() >= numbers["probability"]:
            return False
        self.struck += 1
        return True

    def delay(self) -> float:
        """In seconds, of a latency."""
        numbers = self.fault.numbers
        return (numbers["ms"] + numbers["jitter"] * self._random.random()) / 1_000
