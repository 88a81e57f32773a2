"""`GET /health`: whether the server can do its work; open, and without a secret."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from runner import __version__
from runner.errors import StoreError
from runner.server.http import json, parts_of


async def health(request: Request) -> Response:
    """200, or 503 where the state cannot be read."""
    parts = parts_of(request)
    told = {"version": __version__, "worker": parts.engine.state}
    try:
        parts.access.store.deliveries.next_due()
    except StoreError as exc:
        parts.log(f"error: {exc.message}")
        return json({"status": "failing", **told}, 503)
    return json({"status": "ok", **told})
