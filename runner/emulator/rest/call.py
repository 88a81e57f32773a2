"""A call of the REST API, as its handlers see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
import orjson
from starlette.datastructures import QueryParams
from starlette.responses import Response

from runner.emulator.errors import ApiError, not_found
from runner.emulator.org import Org
from runner.emulator.rest import formats
from runner.emulator.schema import ObjectType

Handler = Callable[["Call"], Response]


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    #: parts of the path behind the version; one in braces is open
    path: tuple[str, ...]
    #: by method
    handlers: dict[str, Handler]
    #: the element around an answer in XML
    root: str = "Result"

    def match(self, parts: list[str]) -> dict[str, str] | None:
        if len(parts) != len(self.path):
            return None
        opened = {}
        for pattern, part in zip(self.path, parts, strict=True):
            if pattern.startswith("{"):
                opened[pattern[1:-1]] = part
            elif pattern != part:
                return None
        return opened


class Call(msgspec.Struct, frozen=True, kw_only=True):
    org: Org
    method: str
    #: such as 62.0
    version: str
    user_id: str
    #: the parts of the path that the route leaves open, by their names
    path: dict[str, str]
    query: Mapping[str, str]
    #: names in lower case
    headers: Mapping[str, str]
    body: bytes
    #: what the calls inside this one may be for
    resources: tuple[Resource, ...] = ()

    @property
    def base_url(self) -> str:
        return f"/services/data/v{self.version}"

    def item(self) -> ObjectType:
        """The object that the path names. Raises ApiError NOT_FOUND."""
        item = self.org.visible.get(self.path["object"])
        if item is None:
            raise not_found()
        return item

    def said(self) -> object:
        """The body, whichever form it has. Raises ApiError."""
        return formats.read(self.body, self.headers.get("content-type", ""))

    def values(self) -> dict[str, object]:
        """The JSON object of the body. Raises ApiError JSON_PARSER_ERROR."""
        return checked_object(self.said())

    def every(self, name: str) -> list[str]:
        """All values that the query gives under a name."""
        if isinstance(self.query, QueryParams):
            return self.query.getlist(name)
        return [self.query[name]] if name in self.query else []

    def numbered(self, name: str, default: int, most: int) -> int:
        """A whole number from 1 that the query gives; the default where it gives none, or something else."""
        text = self.query.get(name, "")
        return min(most, int(text)) if text.isdecimal() and 0 < len(text) < 7 and int(text) else default


def checked_object(said: object) -> dict[str, object]:
    if not isinstance(said, dict):
        message = "The request body must be one JSON object at [line:1, column:1]"
        raise ApiError("JSON_PARSER_ERROR", message)
    return said


def listed(said: Mapping[str, object], name: str, most: int) -> list[dict[str, object]]:
    """The list of objects under a name, of which there may be so many. Raises ApiError."""
    found = said.get(name)
    found = [found] if isinstance(found, dict) else found
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ApiError("JSON_PARSER_ERROR", f"'{name}' must be a list of objects at [line:1, column:1]")
    if len(found) > most:
        message = f"record limit reached. cannot submit more than {most} records into this call"
        raise ApiError("EXCEEDED_ID_LIMIT", message)
    return found


def flag(said: Mapping[str, object], name: str, default: bool = False) -> bool:
    value = said.get(name, default)
    return value.lower() == "true" if isinstance(value, str) else value is True


def nothing() -> Response:
    return Response(status_code=204)


def page(body: bytes) -> Response:
    """JSON that is written already."""
    return Response(body, media_type="application/json;charset=UTF-8")


def content(response: Response) -> object:
    """What a handler has answered, as JSON has it; None for nothing."""
    body = bytes(response.body)
    return orjson.loads(body) if body else None
