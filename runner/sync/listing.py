"""What a source lists for an audit, made comparable with what is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from runner.definitions.conversions import instant, number, text
from runner.definitions.model import Audit, FieldFrom, Sync
from runner.definitions.values import is_nothing
from runner.store.inventory import Listed, stamp_of
from runner.sync.mapping import Mapper
from runner.sync.plan import Cursor


class Known(NamedTuple):
    """What is stored of the part that is listed."""

    #: the highest cursor
    checkpoint: Cursor | None
    #: whose part it is, where it is a parent's
    parent: str | None = None
    #: whether nothing was read of it yet, so that the next run will
    pending: bool = False


class Listing:
    """Makes what the source lists of a slice comparable with what is stored.

    Args:
        known: what is stored of it.
    """

    def __init__(
        self, sync: Sync, rules: Audit, stamp: str | None, scope: Mapping[str, object], known: Known
    ) -> None:
        mapper = Mapper(sync, scope)
        self._id = mapper.reader(rules.id)
        self._deleted = mapper.reader(rules.deleted) if rules.deleted is not None else None
        self._stamp = mapper.field(stamp) if stamp is not None else None
        cursor = sync.incremental.cursor if sync.incremental is not None else None
        self._cursor = mapper.reader(cursor) if cursor is not None else None
        self._timed = sync.incremental is not None and sync.incremental.type == "timestamp"
        self._known = known

    def listed(self, record: object) -> Listed | None:
        id = self._id(record)
        if is_nothing(id):
            return None
        stamp = self._stamp(record) if self._stamp is not None else None
        return Listed(
            id=text(id),
            stamp=None if is_nothing(stamp) else stamp_of(stamp),
            pending=self._known.pending or self._pending(record),
            deleted=bool(self._deleted(record)) if self._deleted is not None else False,
            parent=self._known.parent,
        )

    def _pending(self, record: object) -> bool:
        checkpoint = self._known.checkpoint
        if self._cursor is None or checkpoint is None:
            return False
        cursor = self._cursor(record)
        if is_nothing(cursor):
            return False
        return instant(cursor) > instant(checkpoint) if self._timed else number(cursor) > number(checkpoint)


def stamp_field(sync: Sync) -> str | None:
    """The stored field that holds the cursor, by which a stale record is known."""
    if sync.incremental is None or not isinstance(sync.fields, Mapping):
        return None
    cursor = sync.incremental.cursor
    path = cursor.path if cursor is not None else None
    named = (
        name
        for name, field in sync.fields.items()
        if isinstance(field, FieldFrom) and path is not None and field.source.path == path
    )
    return next(named, None)
