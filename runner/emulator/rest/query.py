"""`query`, `queryAll`, and the pages that follow."""

from __future__ import annotations

import re

from starlette.responses import Response

from runner.emulator.errors import ApiError
from runner.emulator.http import json
from runner.emulator.queries import PAGE, SMALLEST_PAGE
from runner.emulator.rest.call import Call, page
from runner.emulator.rest.explain import explained
from runner.emulator.soql.context import Asked

_BATCH_SIZE = re.compile(r"\bbatchSize\s*=\s*(\d{1,6})\b", re.IGNORECASE)


def query(call: Call) -> Response:
    """With `explain` in place of `q`, how the query would be carried out."""
    if "explain" in call.query:
        return json(explained(call, _asked(call, call.query["explain"], all_rows=False)))
    return _first(call, all_rows=False)


def query_all(call: Call) -> Response:
    """As `query`, but deleted records are seen too."""
    return _first(call, all_rows=True)


def more(call: Call) -> Response:
    return page(call.org.queries.more(call.path["locator"]))


def _first(call: Call, *, all_rows: bool) -> Response:
    text = call.query.get("q", "")
    if not text:
        raise ApiError("MALFORMED_QUERY", "A query string has to be specified")
    return page(call.org.queries.first(_asked(call, text, all_rows=all_rows)))


def _asked(call: Call, text: str, *, all_rows: bool) -> Asked:
    size = _page_size(call.headers.get("sforce-query-options", ""))
    return call.org.asked(text, call.user_id, call.base_url, all_rows=all_rows, page_size=size)


def _page_size(options: str) -> int:
    """Sizes out of bounds are brought within them, as the real org does."""
    found = _BATCH_SIZE.search(options)
    return min(PAGE, max(SMALLEST_PAGE, int(found[1]))) if found else PAGE
