"""The integration and the connection that a request is about."""

from __future__ import annotations

from runner.server.errors import ApiError
from runner.server.parts import Parts
from runner.store import Connection


def known_integration(parts: Parts, integration: str, status: int, code: str) -> None:
    """Refuses, with ``status`` and ``code``, an integration that no provider defines."""
    if integration not in parts.access.project.providers:
        there = ", ".join(sorted(parts.access.project.providers))
        raise ApiError(status, code, f"there is no integration `{integration}`; there are: {there}")


def find_connection(parts: Parts, integration: str, id: str, status: int, code: str) -> Connection:
    """The connection; refuses, with ``status`` and ``code``, one that is not there."""
    found = parts.access.store.connections.get(integration, id)
    if found is None:
        raise ApiError(status, code, f"there is no connection `{id}` of `{integration}`")
    return found
