"""A call of the REST API, as its handlers see it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import orjson
from starlette.responses import Response

from runner.emulator.errors import ApiError, not_found
from runner.emulator.org import Org
from runner.emulator.schema import ObjectType


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

    @property
    def base_url(self) -> str:
        return f"/services/data/v{self.version}"

    def item(self) -> ObjectType:
        """The object that the path names. Raises ApiError NOT_FOUND."""
        item = self.org.schema.get(self.path["object"])
        if item is None:
            raise not_found()
        return item

    def values(self) -> dict[str, object]:
        """The JSON object of the body. Raises ApiError JSON_PARSER_ERROR."""
        try:
            values = orjson.loads(self.body)
        except orjson.JSONDecodeError as exc:
            place = f"[line:{exc.lineno}, column:{exc.colno}]"
            raise ApiError("JSON_PARSER_ERROR", f"{exc.msg} at {place}") from exc
        if not isinstance(values, dict):
            raise ApiError(
                "JSON_PARSER_ERROR", "The request body must be one JSON object at [line:1, column:1]"
            )
        return values


def nothing() -> Response:
    return Response(status_code=204)


def page(body: bytes) -> Response:
    """JSON that is written already."""
    return Response(body, media_type="application/json;charset=UTF-8")
