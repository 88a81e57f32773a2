"""The objects that the org has, field by field, with the lengths of API v62.0."""

from __future__ import annotations

from runner.emulator.objects import custom, deals, knowledge, orders, people, service, setup
from runner.emulator.schema import Schema


def standard() -> Schema:
    """The objects of a new org."""
    rooms = (people, deals, orders, service, knowledge, setup, custom)
    return Schema(tuple(item for room in rooms for item in room.objects()))
