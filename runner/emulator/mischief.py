"""What a fault does to a request: one function a kind, as `faults` names them."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable
from random import Random

import orjson
from starlette.responses import Response

from runner.emulator.bulk1.answers import AsyncError, refused
from runner.emulator.errors import ApiError, OAuthError
from runner.emulator.faults import ERROR_CODES, Fault
from runner.emulator.http import json
from runner.emulator.soap.envelope import fault as soap_fault
from runner.emulator.visit import Answer, Visit

OTHER_HOST = b"https://elsewhere.example.com"
JSON_TYPE, HTML_TYPE = (
    (b"content-type", kind) for kind in (b"application/json;charset=UTF-8", b"text/html;charset=UTF-8")
)
_LOGIN_PAGE = (
    b"<!doctype html><html><head><title>Login</title></head><body><h1>Log in to the org</h1></body></html>"
)
#: what may lead to a next page, in the order in which the first that is found is turned
_LINKS = (b'"nextRecordsUrl":"/', b'"resultUrl":"/')
ASKED_FOR = "This fault was asked for."

Rows = list[object]


async def strike(visit: Visit, fault: Fault) -> None:
    await _HAPPEN[fault.kind](visit, fault)


async def _status(visit: Visit, fault: Fault) -> None:
    status = int(fault.numbers["code"])
    code = fault.texts["errorCode"] or ERROR_CODES.get(status, "UNKNOWN_EXCEPTION")
    exc = ApiError(code, ASKED_FOR, status=status)
    if "/oauth2/" in visit.path:
        said = OAuthError(fault.texts["errorCode"] or "server_error", ASKED_FOR, status=status)
        await _respond(visit, json(said.body(), status), fault.texts["retry_after"])
    else:
        await _respond(visit, _refusal(visit, exc), fault.texts["retry_after"])


async def _error(visit: Visit, fault: Fault) -> None:
    await _respond(visit, _refusal(visit, fault.error()))


def _refusal(visit: Visit, exc: ApiError) -> Response:
    """An error in the shape of the API that was called."""
    if visit.path.startswith("/services/Soap/"):
        return soap_fault(exc)
    if visit.path.startswith("/services/async/"):
        code = exc.code.title().replace("_", "") if exc.status != 503 else "InternalServerError"
        as_json = visit.header(b"content-type").startswith("application/json")
        return refused(AsyncError(code, exc.message, status=exc.status), as_json=as_json)
    return json(exc.body(), exc.status)


async def _respond(visit: Visit, response: Response, retry_after: str = "") -> None:
    headers = [(name, value) for name, value in response.raw_headers if name != b"content-length"]
    if retry_after:
        headers.append((b"retry-after", retry_after.encode("latin-1", "replace")))
    await visit.answer(response.status_code, bytes(response.body), headers)


async def _html(visit: Visit, _fault: Fault) -> None:
    await visit.answer(200, _LOGIN_PAGE, [HTML_TYPE])


async def _invalid_json(visit: Visit, _fault: Fault) -> None:
    answer = await visit.caught()
    await visit.answer(answer.status, _half(answer) or b"{", answer.without_length())


async def _truncate(visit: Visit, _fault: Fault) -> None:
    await _begin(visit, await visit.caught())
    visit.hang_up(at_once=False)


async def _stall(visit: Visit, fault: Fault) -> None:
    await _begin(visit, await visit.caught())
    await asyncio.sleep(fault.numbers["seconds"])
    visit.hang_up(at_once=False)


async def _begin(visit: Visit, answer: Answer) -> None:
    """Sends half of what is announced."""
    length = (b"content-length", str(len(answer.body) + 1).encode())
    headers = [*answer.without_length(), length]
    await visit.send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await visit.send({"type": "http.response.body", "body": _half(answer), "more_body": True})


def _half(answer: Answer) -> bytes:
    return answer.body[: len(answer.body) // 2]


async def _reset(visit: Visit, _fault: Fault) -> None:
    visit.hang_up(at_once=True)


async def _expire(visit: Visit, _fault: Fault) -> None:
    tokens = visit.org.tokens
    tokens.spend(visit.header(b"authorization").partition(" ")[2].strip())
    tokens.spend(visit.header(b"x-sfdc-session").strip())
    await visit.proceed()


async def _locator(visit: Visit, _fault: Fault) -> None:
    await _respond(visit, json(ApiError("INVALID_QUERY_LOCATOR", "invalid query locator").body(), 400))


async def _foreign_page(visit: Visit, _fault: Fault) -> None:
    answer = await visit.caught()
    link = next((link for link in _LINKS if link in answer.body), b"/")
    body = answer.body.replace(link, link[:-1] + OTHER_HOST + b"/", 1) if link != b"/" else answer.body
    await visit.answer(answer.status, body, answer.without_length())


async def _duplicate(visit: Visit, fault: Fault) -> None:
    """Keeps the last rows of each page that it strikes for the beginning of the next."""
    faults, size = visit.org.faults, int(fault.numbers["rows"])
    await _with_rows(visit, lambda rows: [*faults.carry(rows[-size:]), *rows])


async def _shuffle(visit: Visit, fault: Fault) -> None:
    random = Random(fault.numbers["seed"])  # noqa: S311 - the same seed, the same order
    await _with_rows(visit, lambda rows: random.sample(rows, len(rows)))


async def _with_rows(visit: Visit, change: Callable[[Rows], Rows]) -> None:
    """The real answer, with other rows where it is a page of a query in JSON or of CSV."""
    answer = await visit.caught()
    body = answer.body
    if answer.status == 200 and answer.header(b"content-type").startswith("text/csv"):
        body = _csv_with(body.decode(), change)
    elif answer.status == 200 and b'"records":[' in body:
        page = orjson.loads(body)
        body = orjson.dumps(page | {"records": change(page["records"])})
    await visit.answer(answer.status, body, answer.without_length())


def _csv_with(text: str, change: Callable[[Rows], Rows]) -> bytes:
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([header, *change(list(rows))])  # type: ignore[list-item]
    return written.getvalue().encode()


async def _skew(visit: Visit, fault: Fault) -> None:
    visit.skew = fault.numbers["seconds"]
    await visit.proceed()


async def _move(visit: Visit, _fault: Fault) -> None:
    """The org moves before it answers."""
    visit.org.move()
    await visit.proceed()


_HAPPEN: dict[str, Callable[[Visit, Fault], Awaitable[None]]] = {
    "status": _status,
    "error": _error,
    "html": _html,
    "invalid_json": _invalid_json,
    "truncate": _truncate,
    "stall": _stall,
    "reset": _reset,
    "expire": _expire,
    "locator": _locator,
    "foreign_page": _foreign_page,
    "duplicate": _duplicate,
    "shuffle": _shuffle,
    "skew": _skew,
    "move": _move,
}
