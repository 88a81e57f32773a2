"""Strict reading: what a request says as a typed struct, else a refusal that names each key that is wrong."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TypeVar

import msgspec
import orjson
from starlette.requests import Request

from runner.server.errors import ApiError, Flaw, invalid, too_large, too_slow
from runner.server.http import MAX_BODY, BodyTooLarge, BodyTooSlow, body

T = TypeVar("T")

_FIELD = re.compile(r"Object (?:contains unknown|missing required) field `(.*)`$")
_PLACE = re.compile(r" - at `(?:key in )?\$(.*)`$")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Which connection a request is for, as its headers say."""

    connection: str = msgspec.field(name="connection-id")
    integration: str = msgspec.field(name="provider-config-key")


def read_query(
    request: Request, kind: type[T], *, lists: Collection[str] = (), besides: re.Pattern[str] | None = None
) -> T:
    """The query as ``kind`` has it.

    Args:
        lists: the parameters that may come more than once.
        besides: parameters that the caller reads by itself.

    Raises:
        ApiError: 400 `invalid_query_params`.
    """
    found: dict[str, object] = {}
    for name in request.query_params:
        if besides is not None and besides.fullmatch(name):
            continue
        each = request.query_params.getlist(name)
        if len(each) > 1 and name not in lists:
            flaw = Flaw(code="invalid_type", message="it is given more than once", path=[name])
            raise invalid("query_params", [flaw])
        found[name] = each if name in lists else each[0]
    return _converted(found, kind, "query_params", strict=False)


def read_place(request: Request) -> Place:
    """The connection that the headers `Connection-Id` and `Provider-Config-Key` name.

    Raises:
        ApiError: 400 `invalid_headers`.
    """
    wanted = ("connection-id", "provider-config-key")
    given = {name: value for name in wanted if (value := request.headers.get(name))}
    return _converted(given, Place, "headers")


async def read_body(request: Request, kind: type[T]) -> T:
    """The JSON body as ``kind`` has it.

    Raises:
        ApiError: 400 `invalid_body`, 413 or 408.
    """
    try:
        content = orjson.loads(await body(request))
    except BodyTooLarge as exc:
        raise too_large(MAX_BODY) from exc
    except BodyTooSlow as exc:
        raise too_slow() from exc
    except orjson.JSONDecodeError as exc:
        flaw = Flaw(code="invalid_type", message=f"expected JSON: {exc}", path=[])
        raise invalid("body", [flaw]) from exc
    return _converted(content, kind, "body")


def no_query(request: Request) -> None:
    """Refuses a query where there is none to be."""
    read_query(request, _Nothing)


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


def _converted(found: object, kind: type[T], what: str, *, strict: bool = True) -> T:
    try:
        return msgspec.convert(found, kind, strict=strict)
    except msgspec.ValidationError as exc:
        raise _refusal(what, str(exc)) from exc


def _refusal(what: str, said: str) -> ApiError:
    place = _PLACE.search(said)
    path = [name or index for name, index in _STEP.findall(place[1])] if place else []
    message = said[: place.start()] if place else said
    field = _FIELD.search(message)
    if field is not None:
        path.append(field[1])
    unknown = message.startswith("Object contains unknown")
    short = "it is not known here" if unknown else "it is missing" if field else message.replace("`", "")
    code = "unrecognized_keys" if unknown else "invalid_type"
    return invalid(what, [Flaw(code=code, message=short[:1].lower() + short[1:], path=path)])


def flaws_of(what: str, problems: Mapping[str, str]) -> ApiError:
    """A refusal that names keys and what is wrong with each."""
    found = [Flaw(code="invalid_value", message=message, path=[key]) for key, message in problems.items()]
    return invalid(what, found)
