"""Which part of the source a run reads: a window of it, cut into slices that are read side by side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter
from typing import cast

import msgspec

from runner.definitions.conversions import format_instant, instant, number
from runner.definitions.model import Sync
from runner.definitions.values import describe, is_nothing
from runner.errors import RecordError
from runner.store import SyncState

#: what a cursor is
Cursor = str | int | float

#: where the first run of a sync by time begins, unless it says where
_EPOCH = "1970-01-01T00:00:00Z"

#: The server tells its clock in whole seconds, rounded down: what was changed in this one still counts. What
#: is committed later in the same second is read by the next run, which begins at the checkpoint or before.
_TICK = 1.0

#: what two texts of times have in common that are in the order of their times
_FORM = (len, itemgetter(slice(19, 20)), itemgetter(slice(23, None)))


class Slice(msgspec.Struct, kw_only=True):
    """A part of a window, and how far it was read; kept with each page."""

    start: Cursor | None = None
    #: the first moment that does not belong to it
    end: Cursor | None = None
    #: how many records it has, where that was counted
    total: int | None = None
    #: how many of them are read; those of a page that broke off count each time
    read: int = 0
    #: what leads to the next page
    position: dict[str, object] | None = None
    #: whether its last page is stored
    whole: bool = False

    def scope(self) -> dict[str, object]:
        bounds = {"from": self.start, "to": self.end, "total": self.total}
        return {"slice": {name: value for name, value in bounds.items() if value is not None}}


class Window(msgspec.Struct, kw_only=True):
    """What a run reads, and how far it has come; kept with each page."""

    #: whether it notes what it sees, since what it does not see is deleted at its end
    noting: bool
    #: the server's clock as the run began, in seconds since 1970
    began: float
    #: the highest cursor stored so far
    reached: Cursor | None = None
    slices: list[Slice]

    def as_data(self) -> dict[str, object]:
        data: dict[str, object] = msgspec.to_builtins(self)
        return data

    @property
    def read(self) -> int:
        """How many records are read."""
        return sum(one.read for one in self.slices)

    @property
    def total(self) -> int | None:
        """How many records it has, where all of it was counted."""
        totals = [one.total for one in self.slices]
        return sum(total for total in totals if total is not None) if None not in totals else None


def window_of(sync: Sync, state: SyncState, now: float) -> Window:
    """The next window: from the checkpoint less the lookback up to the server's now, in one slice.

    Args:
        now: the server's clock, in seconds since 1970.
    """
    rules = sync.incremental
    noting = sync.deletes is not None and sync.deletes.missing
    if rules is None:
        return Window(noting=noting, began=now, slices=[Slice()])
    if rules.type == "token":
        token = state.checkpoint
        slices = [Slice(start=token)]
        return Window(noting=noting and token is None, began=now, reached=token, slices=slices)
    if rules.type == "number":
        start = state.checkpoint if state.checkpoint is not None else rules.start
        slices = [Slice(start=0 if start is None else start)]
        return Window(noting=noting, began=now, reached=state.checkpoint, slices=slices)
    since = instant(state.checkpoint if state.checkpoint is not None else rules.start or _EPOCH).timestamp()
    if state.checkpoint is not None:
        since -= rules.lookback
    slices = [Slice(start=format_instant(instant(since)), end=format_instant(instant(now + _TICK)))]
    return Window(noting=noting, began=now, reached=state.checkpoint, slices=slices)


def whole_of(window: Window) -> Slice:
    """The window as one slice."""
    return Slice(start=window.slices[0].start, end=window.slices[-1].end)


def settled(sync: Sync, window: Window) -> Cursor | None:
    """The checkpoint of a window that is whole.

    It is never later than the window's beginning: what changed while it was read may be behind the page where
    it would have been, and is read by the next run.
    """
    rules, reached = sync.incremental, window.reached
    if rules is None or rules.type != "timestamp" or reached is None:
        return reached
    began = instant(window.began)
    return reached if instant(reached) <= began else format_instant(began)


def advanced(sync: Sync, reached: Cursor | None, values: Sequence[object]) -> Cursor | None:
    """The highest of what was reached and the cursors of a page.

    Raises:
        RecordError: a record has no cursor, or one of another type.
    """
    rules = sync.incremental
    if rules is None or not values:
        return reached
    try:
        if {*map(type, values)} != {str} and any(is_nothing(value) for value in values):
            raise ValueError("a record has none")
        if rules.type == "number":
            highest: Cursor = max(number(value) for value in values)
            return highest if reached is None else max(number(reached), number(highest))
        latest = format_instant(_latest(values))
        return latest if reached is None or instant(reached) < instant(latest) else reached
    except (ValueError, TypeError) as exc:
        message = f"the cursor of `{sync.name}` is not usable: {exc}"
        hint = f"the first of the page is {describe(values[0])}"
        raise RecordError(message, where=sync.place, hint=hint) from exc


def check_cursor(sync: Sync, value: object) -> None:
    """Raises RecordError where a value is no cursor of a sync."""
    rules = sync.incremental
    if rules is None:
        return
    try:
        if is_nothing(value):
            raise ValueError("the record has none")
        number(value) if rules.type == "number" else instant(value)
    except ValueError as exc:
        where = rules.cursor.place if rules.cursor is not None else sync.place
        raise RecordError(f"its cursor is not usable: {exc}", where=where) from exc


def _latest(values: Sequence[object]) -> datetime:
    """Times written in one form are in the order of their texts; only others need to be read one by one."""
    if {*map(type, values)} == {str}:
        texts = cast(Sequence[str], values)
        if all(len({*map(part, texts)}) == 1 for part in _FORM):
            return instant(max(texts))
    return max(instant(value) for value in values)
