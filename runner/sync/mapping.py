"""A source's record made into the stored one.

Fields that are nothing but a key of the record, which most are, are taken by plain look-ups (see `straight`);
only the rest is computed by expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from operator import itemgetter
from typing import cast

import msgspec
import orjson

from runner.definitions.conversions import boolean, integer, number, text, timestamp
from runner.definitions.expressions import Expression
from runner.definitions.model import Field, FieldFrom, FieldMap, Fixed, Sync
from runner.definitions.values import ABSENT, describe, is_absent, is_nothing
from runner.errors import ExpressionError, RecordError
from runner.sync.straight import Straight, straight

Scope = dict[str, object]
_Getter = Callable[[Scope], object]


def _timestamp(value: object) -> str:
    # What most APIs write needs no parsing: 2026-07-24T14:05:58.000+0000, or with Z
    if isinstance(value, str) and value[10:11] == "T" and value[19:20] == ".":
        if len(value) == 24 and value[23] == "Z":
            return value
        if len(value) == 28 and value[23:] == "+0000":
            return f"{value[:23]}Z"
    return timestamp(value)


_TYPES: Mapping[str, Callable[[object], object]] = {
    "text": text, "number": number, "integer": integer, "boolean": boolean, "timestamp": _timestamp,
}  # fmt: skip

_TEXTS = frozenset({str, type(None)})


class Mapper:
    """Maps the records of one sync.

    Args:
        base: what expressions know beside `record`.
    """

    def __init__(self, sync: Sync, base: Mapping[str, object]) -> None:
        self._sync = sync
        self._scope: Scope = dict(base)
        self._map = _mapper(sync.fields)
        self._straight = _straight(sync.fields) or self._mapped
        self._key = sync.primary_key
        self._key_of = self.field(self._key) if isinstance(sync.fields, Mapping) else None
        self._loose: list[tuple[str, _Getter]] | None = None
        self._joins = [one.name for one in sync.enrich]

    def know(self, joined: Mapping[str, object]) -> None:
        """Takes what is joined to the record that is next, in place of what was joined to the last one."""
        for name in self._joins:
            self._scope.pop(name, None)
        self._scope.update(joined)

    def row(self, record: object) -> tuple[str, bytes]:
        """The primary key and the payload of a record.

        Raises:
            RecordError: it has no primary key, or a value does not fit its type.
        """
        try:
            stored = self._straight(record)
        except (LookupError, TypeError, ValueError):
            stored = self._mapped(record)
        key = stored.get(self._key)
        if not isinstance(key, str) or not key:
            key = self._text_of(key)
        try:
            return key, orjson.dumps(stored)
        except TypeError as exc:
            raise RecordError(f"it cannot be stored: {exc}", where=self._sync.place) from exc

    def key(self, record: object) -> str:
        """The primary key of a record, whatever else is wrong with it.

        Raises:
            RecordError: it has none.
        """
        if self._key_of is not None:
            return self._text_of(self._key_of(record))
        return self._text_of(self._mapped(record).get(self._key))

    def loose(self, record: object) -> tuple[str, bytes] | None:
        """The same as `row`, with values as they came and without what cannot be computed.

        None where it has no primary key, or cannot be stored.
        """
        if not isinstance(self._sync.fields, Mapping):
            return None
        if self._loose is None:
            self._loose = [(name, _getter(name, untyped(one))) for name, one in self._sync.fields.items()]
        self._scope["record"] = record
        found: dict[str, object] = {}
        for name, getter in self._loose:
            with suppress(ExpressionError):
                found[name] = getter(self._scope)
        try:
            present = {name: value for name, value in found.items() if not is_absent(value)}
            return self._text_of(present.get(self._key)), orjson.dumps(present)
        except (RecordError, TypeError):
            return None

    def reader(self, expression: Expression) -> Callable[[object], object]:
        """What gives an expression's value for a record."""
        scope, source, path = self._scope, _source(expression), expression.path
        key = path[1] if path is not None and len(path) == 2 and path[0] == "record" else None

        def read(record: object) -> object:
            if key is not None and type(record) is dict:
                return record.get(key, ABSENT)
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

    def _mapped(self, record: object) -> dict[str, object]:
        self._scope["record"] = record
        stored = self._map(self._scope)
        if not isinstance(stored, dict):
            message = f"`fields` gave {describe(stored)}, expected a map"
            raise RecordError(message, where=self._sync.place)
        return stored

    def _text_of(self, key: object) -> str:
        """A primary key as the store has it: a text, or a whole number's digits."""
        if isinstance(key, str) and key:
            return key
        if isinstance(key, int) and not isinstance(key, bool):
            return str(key)
        raise RecordError(f"it has no `{self._key}`, which is its primary key", where=self._sync.place)


def untyped(field: Field) -> Field:
    """The field, with values as they come."""
    if isinstance(field, FieldFrom):
        return msgspec.structs.replace(field, type=None)
    if isinstance(field, FieldMap):
        inner = {name: untyped(one) for name, one in field.fields.items()}
        return msgspec.structs.replace(field, fields=inner)
    return field


def _mapper(fields: Mapping[str, Field] | Expression) -> _Getter:
    if isinstance(fields, Expression):
        return fields.evaluate
    return _map_of(fields)


def _straight(fields: Mapping[str, Field] | Expression) -> Straight | None:
    if isinstance(fields, Expression):
        return None
    plain = {name: field for name, field in fields.items() if _plain_key(field) is not None}
    return straight({**plain, **fields}, _TYPES)


def _map_of(fields: Mapping[str, Field]) -> Callable[[Scope], dict[str, object]]:
    """Plain keys first, then the rest: an order that is the same for every record of a definition."""
    plain = {name: key for name, field in fields.items() if (key := _plain_key(field)) is not None}
    rest = [(name, _getter(name, field)) for name, field in fields.items() if name not in plain]
    pick = _picker(plain)
    texts = {
        name: _converter(name, field) for name, field in fields.items() if name in plain and _is_text(field)
    }

    def take(scope: Scope) -> dict[str, object]:
        found = pick(scope["record"])
        # Most often all of them are texts already, which one look tells.
        if texts and not _TEXTS.issuperset(map(type, found.values())):
            for name, convert in texts.items():
                if type(found.get(name)) not in _TEXTS:
                    found[name] = convert(found[name])
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
    if isinstance(field, FieldFrom) and field.type in (None, "text") and field.source.path is not None:
        path = field.source.path
        return path[1] if len(path) == 2 and path[0] == "record" else None
    return None


def _is_text(field: Field) -> bool:
    return isinstance(field, FieldFrom) and field.type == "text"


def _converter(name: str, field: Field) -> Callable[[object], object]:
    """Brings values to a field's type; what does not convert is a RecordError that names the field."""
    typed = cast(FieldFrom, field)
    convert = _TYPES[cast(str, typed.type)]

    def to_type(value: object) -> object:
        try:
            return convert(value)
        except ValueError as exc:
            raise RecordError(f"`{name}`: {exc}", where=typed.source.place) from exc

    return to_type


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
    convert = _converter(name, field)

    def take(scope: Scope) -> object:
        value = source(scope)
        return value if value is None or is_absent(value) else convert(value)

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
