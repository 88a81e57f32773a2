"""Faults that the real service has now and then, called up at will.

A fault is written `KIND[:key=value,…]`, such as `status:code=503,path=/query,count=2,retry_after=1`:

    latency        ms                              waits first
    status         code, errorCode, retry_after    an error of the API
    html                                           a login page with status 200
    invalid_json                                   a body that is cut in the middle, but whole as HTTP sees it
    truncate                                       fewer bytes than announced, then the end of the connection
    reset                                          the end of the connection before any answer
    expire                                         the access token's time is over
    foreign_page                                   a next page on another host
    job            becomes, message                a bulk job that this request starts is failed, aborted,
                                                   stuck or vanished

and each takes path (a part of the path; where it is not given any for job, /services/data for the others),
method, count (how often at most), after (how many matching requests pass first), probability (0 to 1), seed.
"""

from __future__ import annotations

from random import Random

import msgspec

from runner.emulator.errors import OptionError

_COMMON = frozenset({"path", "method", "count", "after", "probability", "seed"})
KINDS: dict[str, frozenset[str]] = {
    "latency": frozenset({"ms"}),
    "status": frozenset({"code", "errorCode", "retry_after"}),
    "html": frozenset(),
    "invalid_json": frozenset(),
    "truncate": frozenset(),
    "reset": frozenset(),
    "expire": frozenset(),
    "foreign_page": frozenset(),
    "job": frozenset({"becomes", "message"}),
}
#: what may become of a bulk job
FATES = ("failed", "aborted", "stuck", "vanished")
#: where a fault strikes that names no path
DEFAULT_PATH = "/services/data"
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


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    path: str = DEFAULT_PATH
    method: str = ""
    count: int | None = None
    after: int = 0
    probability: float = 1.0
    seed: int = 0
    #: of latency
    ms: float = 0.0
    #: of status
    code: int = 503
    error_code: str = ""
    retry_after: str | None = None
    #: of job
    becomes: str = ""
    message: str = ""
    #: as it was written
    spec: str = ""

    def matches(self, method: str, path: str) -> bool:
        return self.path in path and self.method in ("", method)


def parse(spec: str) -> Fault:
    """Raises OptionError, which tells what would be right."""
    kind, _, rest = spec.strip().partition(":")
    if kind not in KINDS:
        raise OptionError(f"{kind!r} is no fault; there are {', '.join(sorted(KINDS))}")
    return _fault(spec, kind, dict(_pair(spec, part, kind) for part in rest.split(",") if part.strip()))


def _pair(spec: str, part: str, kind: str) -> tuple[str, str]:
    key, equals, value = part.partition("=")
    key = key.strip()
    known = KINDS[kind] | _COMMON
    if not equals or key not in known:
        raise OptionError(
            f"{key!r} in the fault {spec!r} is not known; {kind} takes {', '.join(sorted(known))}"
        )
    return key, value.strip()


def _fault(spec: str, kind: str, said: dict[str, str]) -> Fault:
    try:
        fault = Fault(
            kind=kind,
            path=said.get("path", "" if kind == "job" else DEFAULT_PATH),
            method=said.get("method", "").upper(),
            count=int(said["count"]) if "count" in said else None,
            after=int(said.get("after", 0)),
            probability=float(said.get("probability", 1)),
            seed=int(said.get("seed", 0)),
            ms=float(said.get("ms", 0)),
            code=int(said.get("code", 503)),
            error_code=said.get("errorCode", ""),
            retry_after=said.get("retry_after"),
            becomes=said.get("becomes", FATES[0]),
            message=said.get("message", ""),
            spec=spec,
        )
    except ValueError as exc:
        raise OptionError(f"A number in the fault {spec!r} is none: {exc}") from exc
    if not (0 <= fault.probability <= 1 and 200 <= fault.code <= 599 and 0 <= fault.ms < 600_000):
        raise OptionError(
            f"The fault {spec!r} is out of range: probability 0 to 1, code 200 to 599, ms from 0"
        )
    if fault.becomes not in FATES:
        raise OptionError(f"A job becomes {', '.join(FATES)}, not {fault.becomes!r} as in {spec!r}")
    return fault


class Faults:
    """The faults that are on, and how often each has struck."""

    def __init__(self, specs: tuple[str, ...] = ()) -> None:
        self._armed: list[_Armed] = [_Armed(parse(spec)) for spec in specs]

    def add(self, spec: str) -> None:
        self._armed.append(_Armed(parse(spec)))

    def clear(self) -> None:
        self._armed = []

    def listed(self) -> list[dict[str, object]]:
        return [{"fault": armed.fault.spec, "struck": armed.struck} for armed in self._armed]

    def strike(self, method: str, path: str) -> tuple[float, Fault | None]:
        """How many seconds a request waits, and what happens to it then; at most one thing."""
        seconds = 0.0
        for armed in self._armed:
            if armed.fault.kind == "job" or not armed.fault.matches(method, path) or not armed.strikes():
                continue
            if armed.fault.kind != "latency":
                return seconds, armed.fault
            seconds += armed.fault.ms / 1_000
        return seconds, None

    def fate(self, method: str, path: str) -> tuple[str, str]:
        """What becomes of a bulk job that a request starts, and why; "" where no fault says so."""
        for armed in self._armed:
            if armed.fault.kind == "job" and armed.fault.matches(method, path) and armed.strikes():
                return armed.fault.becomes, armed.fault.message
        return "", ""


class _Armed:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.struck = 0
        self._passed = 0
        self._random = Random(fault.seed)  # noqa: S311 - the same seed, the same faults

    def strikes(self) -> bool:
        """Whether it strikes this request, one that it matches."""
        self._passed += 1
        spent = self.fault.count is not None and self.struck >= self.fault.count
        if spent or self._passed <= self.fault.after or self._random.random() >= self.fault.probability:
            return False
        self.struck += 1
        return True
