"""What every endpoint needs of a request and for an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import orjson
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from runner.emulator.addresses import Address, address

if TYPE_CHECKING:
    from runner.emulator.org import Org

#: a longer body is refused
MAX_BODY = 50 * 1024 * 1024


def org_of(request: HTTPConnection) -> Org:
    """The org that a request is for; the one place that knows how many a server has."""
    org: Org = request.app.state.org
    return org


def address_of(request: HTTPConnection) -> Address:
    """By which name the org was called."""
    org = org_of(request)
    return address(request, org.options, org.url)


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form-encoded body and, behind them, of the query; what is given twice counts as given
    last.
    """
    body = (await request.body()).decode("utf-8", "replace")
    return {**request.query_params, **dict(parse_qsl(body, keep_blank_values=True))}


def json(content: object, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json;charset=UTF-8")
