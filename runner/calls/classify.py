"""What an answer means: a success, nothing, or a failure with its kind, its retry and its hint."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping

import msgspec

from runner.calls.decode import looks_like_html, text_of
from runner.calls.retry_after import seconds_of
from runner.definitions.conversions import text
from runner.definitions.exchange import Answer
from runner.definitions.expressions import Scope
from runner.definitions.model import ErrorRule, Operation, Provider, Value
from runner.definitions.values import is_nothing
from runner.errors import CallError, ExpressionError, Place

#: HTTP's own kinds, for what a provider's `errors` do not name (RFC 9110 §15)
_KINDS = {
    400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "bad_request",
    408: "timeout", 409: "conflict", 410: "not_found", 412: "conflict", 413: "too_large", 414: "too_large",
    422: "bad_request", 429: "rate_limited", 431: "too_large", 500: "server_error", 502: "server_error",
    503: "unavailable", 504: "timeout",
}  # fmt: skip
#: kinds that another try may mend
TRANSIENT = frozenset(
    {"rate_limited", "unavailable", "server_error", "timeout", "network", "disconnected", "truncated"}
)
_EXCERPT = 300
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_TAGS = re.compile(r"<(style|script)\b.*?</\1>|<[^>]*>", re.IGNORECASE | re.DOTALL)


class Judge(msgspec.Struct, frozen=True):
    """Tells what the answers to one request mean."""

    provider: Provider
    #: what the rules' expressions know beside the answer
    scope: Scope
    #: takes secrets out of a text, before it is cut short
    masked: Callable[[str], str]
    #: where the request stands
    where: Place | None = None

    def failure(self, answer: Answer) -> CallError | None:
        """The failure that an answer is by its status, or None."""
        if answer.status < 300:
            return None
        full = {**self.scope, **answer.scope()}
        rule = next((rule for rule in self.provider.errors if _holds(rule.when.evaluate, full)), None)
        return self._by_status(answer) if rule is None else self._by_rule(rule, answer, full)

    def judged(self, operation: Operation, answer: Answer) -> tuple[CallError | None, bool]:
        """What an operation's answer is: its failure if it is one, and whether nothing was found."""
        full = {**self.scope, **answer.scope()} if operation.responses else {}
        for rule in operation.responses:
            if not _holds(rule.when.evaluate, full):
                continue
            if rule.means != "error":
                return None, rule.means == "empty"
            kind = rule.kind or kind_of(answer.status)
            return self._error(answer, kind, self._said(answer), _text(rule.hint, full)), False
        return self.failure(answer), False

    def _by_status(self, answer: Answer) -> CallError:
        kind = kind_of(answer.status)
        return self._error(answer, kind, self._said(answer), None)

    def _by_rule(self, rule: ErrorRule, answer: Answer, full: Scope) -> CallError:
        said = _text(rule.message, full) or self._said(answer)
        found = self._error(answer, rule.kind, said, _text(rule.hint, full))
        if rule.retry is not None:
            found.transient = found.repeatable = rule.retry
        return found

    def _error(self, answer: Answer, kind: str, said: str, hint: str | None) -> CallError:
        message = f"{answer.address} answered {answer.status}: {said}"
        error = CallError(
            message, kind=kind, status=answer.status, transient=kind in TRANSIENT, where=self.where, hint=hint
        )
        error.body, error.headers = answer.body, dict(answer.headers)
        asked = answer.headers.get(self.provider.retry.respect)
        error.retry_after = None if asked is None else seconds_of(asked, answer.headers.get("date"))
        return error

    def _said(self, answer: Answer) -> str:
        """What the answer says of itself: its message, else its beginning."""
        if 300 <= answer.status < 400 and "location" in answer.headers:
            said = f"see {answer.headers['location'].partition('?')[0]}"
        else:
            said = _message(answer.body) or _plain(answer.content)
        short = " ".join(self.masked(said).split())
        return (short if len(short) <= _EXCERPT else f"{short[:_EXCERPT]}…") or "an empty body"


def kind_of(status: int) -> str:
    """The kind that HTTP itself gives a status."""
    if status in _KINDS:
        return _KINDS[status]
    return "server_error" if status >= 500 else "redirect" if status < 400 else "bad_request"


def _holds(evaluate: object, scope: Scope) -> bool:
    """A rule that cannot be computed for this answer, since its body has another shape, does not hold."""
    try:
        return bool(evaluate(scope))  # type: ignore[operator]
    except ExpressionError:
        return False


def _text(value: Value | None, scope: Scope) -> str | None:
    if value is None:
        return None
    try:
        found = value.evaluate(scope)
    except ExpressionError:
        return None
    return None if is_nothing(found) else text(found)


def _message(body: object) -> str | None:
    """The message of a refusal, where it has one in a usual place."""
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, Mapping):
        return None
    nested = first.get("error")
    inner = nested if isinstance(nested, Mapping) else first
    keys = ("errorCode", "error", "code", "message", "error_description", "title", "detail")
    told = [str(inner[key]) for key in keys if isinstance(inner.get(key), (str, int))]
    return ": ".join(dict.fromkeys(told)) or None


def _plain(content: bytes) -> str:
    """The text of a body, without the tags of a page; of a long one its beginning."""
    said = text_of(content[: 100 * _EXCERPT])
    if not looks_like_html(content):
        return said
    title = _TITLE.search(said)
    return html.unescape(title[1] if title else _TAGS.sub(" ", said))
