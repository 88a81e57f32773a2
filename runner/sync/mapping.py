"""A source's record made into the stored one.

Fields that are nothing but a key of the record, which most are, are taken by plain look-ups (1 µs a record);
only the rest is computed by expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import cast

import orjson

from runner.definitions.conversions import boolean, integer, number, text, timestamp
from runner.definitions.expressions import Expression
from runner.definitions.model import Field, FieldFrom, FieldMap, Fixed, Sync
from runner.definitions.values import ABSENT, describe, is_absent, is_nothing
from runner.errors import ExpressionError, RecordError

Scope = dict[str, object]
_Getter = Callable[[Scope], object]


def _timestamp(value: object) -> str:
    # What most APIs write needs no parsing: 2026-07-24T14:05:58.000+0000
    if (
        isinstance(value, str)
        and len(value) == 28
        and value[10] == "T"
        and value[19] == "."
        and value[23:] == "+0000"
    ):
        return f"{value[:23]}Z"
    return timestamp(value)


_TYPES: Mapping[str, Callable[[object], object]] = {
    "text": text, "number": number, "integer": integer, "boolean": boolean, "timestamp": _timestamp,
}  # fmt: skip


class Mapper:
    """Maps the records of one sync.

    Args:
        base: what expressions know beside `record`.
    """

    def __init__(self, sync: Sync, base: Mapping[str, object]) -> None:
        self._sync = sync
        self._scope: Scope = dict(base)
        self._map = _mapper(sync.fields)
        self._key = sync.primary_key

    def row(self, record: object) -> tuple[str, bytes]:
        """The primary key and the payload of a record.

        Raises:
            RecordError: it has no primary key, or a value does not fit its type.
        """
        self._scope["record"] = record
        stored = self._map(self._scope)
        if not isinstance(stored, dict):
            raise self._error(f"`fields` gave {describe(stored)}, expected a map", record)
        key = stored.get(self._key)
        if isinstance(key, str) and key:
            return key, orjson.dumps(stored)
        if isinstance(key, int) and not isinstance(key, bool):
            return str(key), orjson.dumps(stored)
        raise self._error(f"the record has no `{self._key}`, which is its primary key", record)

    def reader(self, expression: Expression) -> Callable[[object], object]:
        """What gives an expression's value for a record."""
        scope, source = self._scope, _source(expression)

        def read(record: object) -> object:
            scope["record"] = record
            return source(scope)

        return read

    def field(self, name: str) -> Callable[[object], object]:
        """What gives one field as it is stored."""
        scope, take = self._scope, _getter(name, cast(Mapping[str, Field], self._sync.fields)[name])

        def read(record: object) -> object:
            scope["record"] = record
            return take(scope)

        return read

    def _error(self, message: str, record: object) -> RecordError:
        shown = orjson.dumps(record, default=str)[:200].decode("utf-8", "replace")
        return RecordError(
            f"{self._sync.name}: {message}", where=self._sync.place, hint=f"the record: {shown}"
        )


def _mapper(fields: Mapping[str, Field] | Expression) -> _Getter:
    if isinstance(fields, Expression):
        return fields.evaluate
    return _map_of(fields)


def _map_of(fields: Mapping[str, Field]) -> Callable[[Scope], dict[str, object]]:
    """Plain keys first, then the rest: an order that is the same for every record of a definition."""
    plain = {name: key for name, field in fields.items() if (key := _plain_key(field)) is not None}
    rest = [(name, _getter(name, field)) for name, field in fields.items() if name not in plain]
    pick = _picker(plain)

    def take(scope: Scope) -> dict[str, object]:
        found = pick(scope["record"])
        for name, getter in rest:
            value = getter(scope)
            if not is_absent(value):
                found[name] = value
        return found

    return take


def _picker(plain: Mapping[str, str]) -> Callable[[object], dict[str, object]]:
    """Takes plain keys of a record, all of them at once where none is absent, which is most often."""
    names, keys = tuple(plain), tuple(plain.values())
    every = itemgetter(*keys) if len(keys) > 1 else None

    def pick(record: object) -> dict[str, object]:
        if not isinstance(record, dict):
            return {}
        if every is not None:
            try:
                return dict(zip(names, every(record), strict=True))
            except KeyError:
                pass
        return {name: record[key] for name, key in plain.items() if key in record}

    return pick


def _plain_key(field: Field) -> str | None:
    if isinstance(field, FieldFrom) and field.type is None and field.source.path is not None:
        path = field.source.path
        return path[1] if len(path) == 2 and path[0] == "record" else None
    return None


def _source(expression: Expression) -> _Getter:
    """An expression's value; one that is nothing but a path through maps is walked at once."""
    path = expression.path
    if path is None or path[0] != "record":
        return expression.evaluate
    keys = path[1:]

    def walk(scope: Scope) -> object:
        value = scope["record"]
        for key in keys:
            if type(value) is not dict:
                return None if value is None else expression.evaluate(scope)
            value = value.get(key, ABSENT)
        return value

    return walk


def _getter(name: str, field: Field) -> _Getter:
    if isinstance(field, Fixed):
        return field.evaluate
    if isinstance(field, FieldFrom):
        return _typed(name, field)
    inner = _map_of(field.fields)
    if field.foreach is not None:
        return _each(field, field.foreach, inner)

    def nested(scope: Scope) -> object:
        found = inner(scope)
        return found or ABSENT

    return nested


def _typed(name: str, field: FieldFrom) -> _Getter:
    source = _source(field.source)
    if field.type is None:
        return source
    convert = _TYPES[field.type]

    def take(scope: Scope) -> object:
        value = source(scope)
        if value is None or is_absent(value):
            return value
        try:
            return convert(value)
        except ValueError as exc:
            raise RecordError(f"`{name}`: {exc}", where=field.source.place) from exc

    return take


def _each(field: FieldMap, foreach: Expression, inner: Callable[[Scope], dict[str, object]]) -> _Getter:
    def take(scope: Scope) -> object:
        items = foreach.evaluate(scope)
        if is_nothing(items):
            return items
        if not isinstance(items, (list, tuple)):
            raise ExpressionError(f"`foreach` gave {describe(items)}, expected a list", where=foreach.place)
        scopes = [{**scope, "item": item} for item in items]
        if field.where is not None:
            scopes = [one for one in scopes if field.where.holds(one)]
        if field.sort is not None:
            scopes.sort(key=lambda one: str(cast(Expression, field.sort).evaluate(one)))
        return [inner(one) for one in scopes]

    return take
