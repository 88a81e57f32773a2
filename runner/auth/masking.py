"""Masking: secrets kept out of everything that people see, in whatever form a text has them."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from urllib.parse import quote, quote_plus

from runner.errors import CallError, TerapiError

_MASK = "•••"
#: shorter ones are no secrets, and would hide half of every text
_SHORTEST = 4
#: a shorter trace in base64 is found in innocent words
_SHORTEST_TRACE = 6
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")


class Mask:
    """Replaces every secret in a text by `•••`, of which nothing stays, nor its length.

    Found are the secret itself, and how it looks in a URL, in JSON, in HTML and in base64, also where it is a
    part of what was encoded (as in `Basic …`, RFC 7617).
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = {secret for secret in secrets if len(secret) >= _SHORTEST}

    @cached_property
    def _forms(self) -> list[str]:
        """The longest first, so that no rest of one is left."""
        forms = {form for secret in self._secrets for form in _forms(secret)}
        return sorted(forms, key=len, reverse=True)

    @cached_property
    def _traces(self) -> set[str]:
        return {trace for secret in self._secrets for trace in _traces(secret)}

    def __call__(self, text: str) -> str:
        for trace in self._traces:
            text = _without_word(text, trace)
        for form in self._forms:
            text = text.replace(form, _MASK)
        return text


def mask(text: str, secrets: Iterable[str]) -> str:
    """``text`` without the secrets; see `Mask`."""
    return Mask(secrets)(text)


def hide(error: TerapiError, masked: Mask) -> None:
    """Takes the secrets out of all that an error tells; if it told one, no traceback shows its cause."""
    said = (error.message, error.hint)
    error.message = masked(error.message)
    error.hint = masked(error.hint) if error.hint is not None else None
    error.args = (error.message,)
    if (error.message, error.hint) != said:
        error.__cause__, error.__suppress_context__ = None, True
    if isinstance(error, CallError):
        error.headers = {name: masked(value) for name, value in error.headers.items()}
        error.body = _hidden(error.body, masked)


def _hidden(value: object, masked: Mask) -> object:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {masked(str(name)): _hidden(inner, masked) for name, inner in value.items()}
    if isinstance(value, list):
        return [_hidden(inner, masked) for inner in value]
    return value


def _forms(secret: str) -> Iterator[str]:
    escaped = json.dumps(secret)[1:-1]
    yield from (secret, html.escape(secret), html.escape(secret, quote=False))
    # What a server makes of a header that is not ASCII.
    yield secret.encode(errors="replace").decode("latin-1")
    yield from (escaped, json.dumps(secret, ensure_ascii=False)[1:-1], escaped.replace("/", "\\/"))
    yield re.sub(r"[<>&='+]", lambda sign: f"\\u{ord(sign[0]):04x}", escaped)
    for url in (
        quote(secret, safe="", errors="replace"),
        quote(secret, errors="replace"),
        quote_plus(secret, errors="replace"),
    ):
        yield from (url, re.sub("%..", lambda code: code[0].lower(), url), quote(url, safe=""))
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(secret.encode(errors="replace")).decode()
        yield from (whole, whole.rstrip("="))


def _traces(secret: str) -> Iterator[str]:
    """What stays the same of the secret's base64, whatever stands before and after it (RFC 4648 §4, §5)."""
    raw = secret.encode(errors="replace")
    for before in range(3):
        first, last = -(-8 * before // 6), 8 * (before + len(raw)) // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            trace = encode(b"\0" * before + raw).decode()[first:last]
            if len(trace) >= _SHORTEST_TRACE:
                yield trace


def _without_word(text: str, trace: str) -> str:
    """The whole base64 word goes: the letters beside the trace hold the secret's ends."""
    while (start := text.find(trace)) >= 0:
        end = start + len(trace)
        while start and text[start - 1] in _BASE64:
            start -= 1
        while end < len(text) and text[end] in _BASE64:
            end += 1
        text = text[:start] + _MASK + text[end:].lstrip("=")
    return text
