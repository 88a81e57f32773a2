"""A request as it goes out, and the answer as it came back: plain data, no I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import cast
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from runner.definitions.conversions import text
from runner.definitions.expressions import Scope
from runner.definitions.model import Provider, Request
from runner.definitions.values import is_absent, is_nothing
from runner.errors import ExpressionError, Place, UsageError


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where calls may go: a provider, and what a connection says of it."""

    provider: Provider
    config: Mapping[str, object]
    allow_local: bool = False


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A request, wholly computed."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    content: bytes | None = None
    #: seconds
    timeout: float = 120.0
    where: Place | None = None
    #: texts in it that nobody may see
    secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Outgoing({self.method} {self.url.partition('?')[0]})"

    def with_headers(self, headers: Mapping[str, str]) -> Outgoing:
        """With these too, except those that it has already, in whatever case."""
        own = {name.lower() for name in self.headers}
        new = {name: value for name, value in headers.items() if name.lower() not in own}
        return msgspec.structs.replace(self, headers={**new, **self.headers})


class Headers(Mapping[str, str]):
    """Headers by name, whatever its case (RFC 9110 §5.1)."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {name.lower(): value for name, value in values.items()}

    @classmethod
    def joined(cls, pairs: Iterable[tuple[str, str]]) -> Headers:
        """Of a name that comes more than once, the values with commas between (RFC 9110 §5.3)."""
        found = cls({})
        for name, value in pairs:
            key = name.lower()
            found._values[key] = f"{found._values[key]}, {value}" if key in found._values else value
        return found

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, wholly read."""

    status: int
    headers: Headers
    url: str
    content: bytes = b""
    #: what the content says, once decoded
    body: object = None

    def __repr__(self) -> str:
        return f"Answer({self.status} {self.address})"

    @property
    def address(self) -> str:
        """The URL without its query, which may hold what nobody should see."""
        return self.url.partition("?")[0]

    def scope(self) -> dict[str, object]:
        response = {"status": self.status, "headers": self.headers, "body": self.body, "url": self.url}
        return {"response": response}


def build(request: Request, scope: Scope, base_url: str) -> Outgoing:
    """The request in a scope.

    Args:
        base_url: where a `path` begins.

    Raises:
        ExpressionError: a part of it cannot be computed, or cannot be sent.
    """
    content, kind = _content(request, scope)
    headers = _texts(request.headers.evaluate(scope))
    if kind and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = kind
    return Outgoing(
        method=request.method,
        url=_with_query(_address(request, scope, base_url), request.query.evaluate(scope)),
        headers=checked_headers(headers, request.place),
        content=content,
        timeout=request.timeout,
        where=request.place,
    )


def _address(request: Request, scope: Scope, base_url: str) -> str:
    if request.url is not None:
        return _whole(request.url.evaluate(scope), "url", request.place)
    path = request.path.evaluate(scope) if request.path is not None else ""
    return join_url(base_url, _whole(path, "path", request.place))


def _whole(value: object, key: str, where: Place) -> str:
    if is_nothing(value):
        raise ExpressionError(f"the `{key}` is {'absent' if is_absent(value) else 'null'}", where=where)
    return text(value)


def join_url(base_url: str, path: str) -> str:
    """``path`` below ``base_url``; what a URL cannot hold as it is gets percent-encoded (RFC 3986 §2.1)."""
    if not base_url:
        raise UsageError("the connection does not know its base URL yet", hint="connect it again")
    return f"{base_url.rstrip('/')}/{quote(path.lstrip('/'), safe=_SAFE)}"


_SAFE = "/%:?#[]@!$&'()*+,;=~-._"


def _with_query(url: str, query: object) -> str:
    if is_nothing(query) or not query:
        return url
    pairs = [(name, text(one)) for name, value in _pairs(query) for one in _each(value)]
    joiner = "&" if urlsplit(url).query else "?"
    return f"{url}{joiner}{urlencode(pairs)}" if pairs else url


def _pairs(query: object) -> list[tuple[str, object]]:
    return list(cast(Mapping[str, object], query).items())


def _each(value: object) -> list[object]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return ["" if one is None else one for one in values]


def _content(request: Request, scope: Scope) -> tuple[bytes | None, str | None]:
    if request.json is not None:
        body = request.json.evaluate(scope)
        return (None if is_absent(body) else _json(body, request.place)), "application/json"
    if request.form is not None:
        return urlencode(_form(request.form.evaluate(scope))).encode(), "application/x-www-form-urlencoded"
    if request.body is not None:
        body = request.body.evaluate(scope)
        return (None if is_nothing(body) else text(body).encode()), "text/plain; charset=utf-8"
    return None, None


def _json(body: object, where: Place) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode()
    except ValueError as exc:
        message = "the body holds a number that JSON cannot say"
        raise ExpressionError(message, where=where) from exc


def _form(form: object) -> list[tuple[str, str]]:
    return [(name, text(one)) for name, value in _pairs(form) for one in _each(value)]


def _texts(values: object) -> dict[str, str]:
    return (
        {}
        if is_nothing(values)
        else {name: text(value) for name, value in _pairs(values) if value is not None}
    )


def checked_headers(headers: Mapping[str, str], where: Place | None) -> dict[str, str]:
    """The headers, unless one would end its line and begin another (RFC 9110 §5.5)."""
    for name, value in headers.items():
        if any(char in f"{name}{value}" for char in "\r\n\0"):
            raise ExpressionError(f"the header `{name}` cannot hold a line break", where=where)
    return dict(headers)
