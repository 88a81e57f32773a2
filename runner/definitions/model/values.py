"""Values that are computed in a scope: `Value` is anything that a template may give."""

from __future__ import annotations

from typing import Protocol

import msgspec

from runner.definitions.expressions import Scope
from runner.definitions.values import ABSENT, is_absent


class Value(Protocol):
    """Something that gives a value in a scope; `Absent` where there is none."""

    def evaluate(self, scope: Scope) -> object: ...


class Fixed(msgspec.Struct, frozen=True):
    """The same in every scope."""

    value: object

    def evaluate(self, scope: Scope) -> object:
        return self.value


class MapOf(msgspec.Struct, frozen=True):
    """A map of values; what is absent vanishes from it."""

    entries: dict[str, Value]

    def evaluate(self, scope: Scope) -> dict[str, object]:
        found = ((key, value.evaluate(scope)) for key, value in self.entries.items())
        return {key: value for key, value in found if not is_absent(value)}


class ListOf(msgspec.Struct, frozen=True):
    """A list of values; what is absent vanishes from it."""

    items: tuple[Value, ...]

    def evaluate(self, scope: Scope) -> list[object]:
        return [found for item in self.items if not is_absent(found := item.evaluate(scope))]


NOTHING = Fixed(ABSENT)
