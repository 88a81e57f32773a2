"""A webhook as it came in, and as expressions see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qsl

import orjson

from runner.definitions.exchange import Headers
from runner.store import Delivery

_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A request that somebody sent to us."""

    method: str = "POST"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Headers = field(default_factory=lambda: Headers({}))
    raw: bytes = b""

    @classmethod
    def of(cls, delivery: Delivery) -> Incoming:
        """The request that a kept delivery was."""
        return cls(query=delivery.query, headers=Headers(delivery.headers), raw=delivery.body)

    @cached_property
    def scope(self) -> Mapping[str, object]:
        """The names `body`, `headers` and `request`.

        `request.raw` is the body as text from which its very bytes can be had again, whatever they are.
        """
        body = self._body()
        request = {
            "method": self.method,
            "query": self.query,
            "headers": self.headers,
            "body": body,
            "raw": self.raw.decode("utf-8", "surrogateescape"),
        }
        return {"body": body, "headers": self.headers, "request": request}

    def _body(self) -> object:
        """A form as a map, JSON as what it says, anything else as text."""
        if self.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM:
            return dict(parse_qsl(self.raw.decode("utf-8", "replace"), keep_blank_values=True))
        try:
            return orjson.loads(self.raw)
        except orjson.JSONDecodeError:
            return self.raw.decode("utf-8", "replace")
