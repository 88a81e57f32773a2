"""What an answer means: a success, nothing, or a failure with its kind, its retry and its hint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import orjson

from runner.auth.vault import mask
from runner.calls.formats import unpack
from runner.calls.formats.xml import parse_xml
from runner.calls.retry_after import seconds_of
from runner.definitions.conversions import text
from runner.definitions.exchange import Answer
from runner.definitions.model import ErrorRule, Operation, Provider, Value
from runner.definitions.values import is_nothing
from runner.errors import CallError, ExpressionError, Place

#: HTTP's own kinds, for what a provider's `errors` do not name (RFC 9110 §15)
_KINDS = {
    400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "bad_request",
    408: "timeout", 409: "conflict", 410: "not_found", 412: "conflict", 413: "too_large", 422: "bad_request",
    429: "rate_limited", 500: "server_error", 502: "server_error", 503: "unavailable", 504: "timeout",
}  # fmt: skip
#: kinds that another try may mend
TRANSIENT = frozenset({"rate_limited", "unavailable", "server_error", "timeout", "network", "truncated"})
_EXCERPT = 300


def decoded(answer: Answer, steps: Sequence[str] = ("json",)) -> Answer:
    """The answer with its body decoded, as a format says (see `formats`); a refusal in whatever it came.

    Raises:
        CallError: of kind `truncated`, `not_json` or `bad_answer`.
    """
    try:
        body = _body(answer, steps)
    except ValueError as exc:
        if answer.status < 400:
            raise bad_answer(answer.url, exc) from exc
        body = _json(answer)
    return msgspec.structs.replace(answer, body=body)


def _body(answer: Answer, steps: Sequence[str]) -> object:
    form = steps[-1]
    if form == "json" or (form != "xml" and answer.status >= 400):
        return _json(answer if len(steps) == 1 else _unpacked(answer, steps))
    if form == "xml":
        return parse_xml(unpack(steps, answer.content))
    return unpack(steps, answer.content).decode("utf-8", "replace")


def _unpacked(answer: Answer, steps: Sequence[str]) -> Answer:
    return msgspec.structs.replace(answer, content=unpack(steps, answer.content))


def bad_answer(url: str, error: ValueError) -> CallError:
    """What is told of an answer that is not what its format says."""
    return CallError(
        f"{_place(url)} answered with something else than was expected: {error}", kind="bad_answer"
    )


def _json(answer: Answer) -> object:
    if not answer.content.strip():
        return None
    try:
        return orjson.loads(answer.content)
    except orjson.JSONDecodeError as exc:
        if answer.status >= 400:
            return answer.content.decode("utf-8", "replace")
        raise _not_json(answer) from exc


def _not_json(answer: Answer) -> CallError:
    start = answer.content.lstrip()[:15].lower()
    if start.startswith((b"<!doctype", b"<html")):
        message = f"{_where(answer)} answered {answer.status} with an HTML page instead of JSON"
        hint = "a login or maintenance page, most likely: check the base URL, and whether the API is up"
        return CallError(message, kind="not_json", status=answer.status, hint=hint)
    if start.startswith((b"{", b"[")):
        message = f"the JSON that {_where(answer)} answered ends too early or is broken"
        return CallError(message, kind="truncated", status=answer.status, transient=True)
    return CallError(
        f"{_where(answer)} answered {answer.status} with something else than JSON", kind="not_json"
    )


def failure(
    provider: Provider, answer: Answer, scope: Mapping[str, object], where: Place | None, secrets: list[str]
) -> CallError | None:
    """The failure that an answer is, or None."""
    if answer.status < 300:
        return None
    return _failed(provider, answer, {**scope, **answer.scope()}, where, secrets)


def judged(
    provider: Provider, operation: Operation, answer: Answer, scope: Mapping[str, object], secrets: list[str]
) -> tuple[CallError | None, bool]:
    """What an operation's answer is: its failure if it is one, and whether it says that nothing was found."""
    full = {**scope, **answer.scope()}
    for rule in operation.responses:
        if not _holds(rule.when.evaluate, full):
            continue
        if rule.means == "error":
            kind = rule.kind or kind_of(answer.status)
            found = _error(answer, kind, full, None, rule.hint, operation.place, secrets)
            return found, False
        return None, rule.means == "empty"
    return failure(provider, answer, scope, operation.place, secrets), False


def _failed(
    provider: Provider, answer: Answer, scope: Mapping[str, object], where: Place | None, secrets: list[str]
) -> CallError:
    for rule in provider.errors:
        if _holds(rule.when.evaluate, scope):
            return _by_rule(provider, rule, answer, scope, where, secrets)
    return _retryable(
        provider, _error(answer, kind_of(answer.status), scope, None, None, where, secrets), answer
    )


def _by_rule(
    provider: Provider,
    rule: ErrorRule,
    answer: Answer,
    scope: Mapping[str, object],
    where: Place | None,
    secrets: list[str],
) -> CallError:
    found = _error(answer, rule.kind, scope, rule.message, rule.hint, where, secrets)
    if rule.retry is not None:
        found.transient = rule.retry
    return _retryable(provider, found, answer)


def _retryable(provider: Provider, error: CallError, answer: Answer) -> CallError:
    asked = answer.headers.get(provider.retry.respect)
    error.retry_after = None if asked is None else seconds_of(asked, answer.headers.get("date"))
    return error


def _holds(evaluate: object, scope: Mapping[str, object]) -> bool:
    """A rule that cannot be computed for this answer, since its body has another shape, does not hold."""
    try:
        return bool(evaluate(scope))  # type: ignore[operator]
    except ExpressionError:
        return False


def _error(
    answer: Answer,
    kind: str,
    scope: Mapping[str, object],
    message: Value | None,
    hint: Value | None,
    where: Place | None,
    secrets: list[str],
) -> CallError:
    said = _text(message, scope) or _said(answer)
    return CallError(
        mask(f"{_where(answer)} answered {answer.status}: {said}", secrets),
        kind=kind,
        status=answer.status,
        body=answer.body,
        headers=dict(answer.headers),
        transient=kind in TRANSIENT,
        where=where,
        hint=_text(hint, scope),
    )


def _text(value: Value | None, scope: Mapping[str, object]) -> str | None:
    if value is None:
        return None
    try:
        found = value.evaluate(scope)
    except ExpressionError:
        return None
    return None if is_nothing(found) else text(found)


def _said(answer: Answer) -> str:
    """What the answer says of itself: its message where it has one in a usual place, else its beginning."""
    body = answer.body[0] if isinstance(answer.body, list) and answer.body else answer.body
    if isinstance(body, dict):
        nested = body.get("error")
        inner = nested if isinstance(nested, dict) else body
        parts = [
            inner.get(key) for key in ("errorCode", "error", "code", "message", "error_description", "detail")
        ]
        told = [str(part) for part in parts if isinstance(part, (str, int))]
        if told:
            return ": ".join(dict.fromkeys(told))
    excerpt = " ".join(answer.content[:_EXCERPT].decode("utf-8", "replace").split())
    return excerpt or "an empty body"


def _where(answer: Answer) -> str:
    return _place(answer.url)


def _place(url: str) -> str:
    """The address without its query, which may hold what nobody should see."""
    return url.partition("?")[0]


def kind_of(status: int) -> str:
    if status in _KINDS:
        return _KINDS[status]
    return "server_error" if status >= 500 else "redirect" if status < 400 else "bad_request"
