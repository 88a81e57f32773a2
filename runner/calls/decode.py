"""What the bytes of an answer say."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import msgspec
import orjson

from runner.calls.raw import Path, split
from runner.definitions.exchange import Answer
from runner.definitions.formats import unpack
from runner.definitions.formats.xml import parse_xml
from runner.errors import CallError


def decoded(answer: Answer, steps: Sequence[str] = ("json",), unseen: Path | None = None) -> Answer:
    """The answer with its body decoded, as a format says (see `formats`).

    A refusal is JSON where it can be, else text, whatever was asked for: what it says matters more than its
    form.

    Args:
        unseen: where in a body of JSON a list is that may stay undecoded, as `RawRecords`.

    Raises:
        CallError: of kind `truncated`, `not_json` or `bad_answer`.
    """
    try:
        body = _refusal(answer) if answer.status >= 300 else _split(answer, unseen) or _body(answer, steps)
    except ValueError as exc:
        raise bad_answer(answer.address, exc) from exc
    return msgspec.structs.replace(answer, body=body)


def _split(answer: Answer, unseen: Path | None) -> object:
    """The body with its records undecoded; None where it is of another form, which decoding it tells."""
    if unseen is not None:
        with suppress(ValueError):
            return split(answer.content, unseen)
    return None


def _body(answer: Answer, steps: Sequence[str]) -> object:
    content = answer.content if len(steps) == 1 else unpack(steps, answer.content)
    if steps[-1] == "xml":
        return parse_xml(content)
    return _json(answer, content) if steps[-1] == "json" else text_of(content)


def _json(answer: Answer, content: bytes) -> object:
    if not content.strip():
        return None
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as exc:
        raise _not_json(answer, content) from exc


def _refusal(answer: Answer) -> object:
    try:
        return orjson.loads(answer.content) if answer.content.strip() else None
    except orjson.JSONDecodeError:
        return text_of(answer.content)


def text_of(content: bytes) -> str:
    """UTF-8; what is not, is shown as such."""
    return content.decode("utf-8", "replace")


def looks_like_html(content: bytes) -> bool:
    return content.lstrip()[:15].lower().startswith((b"<!doctype", b"<html", b"<head", b"<body"))


def bad_answer(address: str, error: ValueError) -> CallError:
    """What is told of an answer that is not what its format says."""
    message = f"{address} answered with something else than was expected: {error}"
    return CallError(message, kind="bad_answer")


def _not_json(answer: Answer, content: bytes) -> CallError:
    if looks_like_html(content):
        message = f"{answer.address} answered {answer.status} with an HTML page instead of JSON"
        hint = "a login or maintenance page, most likely: check the base URL, and whether the API is up"
        return CallError(message, kind="not_json", status=answer.status, hint=hint)
    if content.lstrip().startswith((b"{", b"[")):
        message = f"the JSON that {answer.address} answered ends too early or is broken"
        return CallError(message, kind="truncated", status=answer.status, transient=True)
    kind = answer.headers.get("content-type", "no content type").partition(";")[0]
    message = f"{answer.address} answered {answer.status} with something else than JSON ({kind})"
    hint = "check the path; an operation that gives text says `format: text`"
    return CallError(message, kind="not_json", status=answer.status, hint=hint)
