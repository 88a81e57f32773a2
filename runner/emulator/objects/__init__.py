"""The objects that the org has, field by field, with the lengths of API v62.0."""

from __future__ import annotations

from runner.emulator.objects import custom, deals, people, service, setup
from runner.emulator.schema import Schema


def standard() -> Schema:
    """The objects of a new org."""
    return Schema(
        (*people.objects(), *deals.objects(), *service.objects(), *setup.objects(), *custom.objects())
    )
