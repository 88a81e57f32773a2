"""What an audit tells: how store and source differ, and why they may."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from runner.definitions.model import Sync
from runner.store.inventory import Inventory

#: keys that are shown of each kind of difference
SHOWN = 1_000


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why some records may differ."""

    count: int
    why: str


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Records that differ in one way."""

    count: int = 0
    #: the first of their keys
    ids: Sequence[str] = ()
    reasons: Sequence[Reason] = ()


class AuditResult(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit found; the JSON of `terapi audit --json`."""

    sync: str
    connection: str
    model: str
    variant: str
    status: Literal["equal", "different", "repaired"]
    #: how many records the source lists, and how many are stored
    listed: int
    stored: int
    #: changed at the source since the last run, which the next one will read
    pending: int
    missing: Difference
    extra: Difference
    stale: Difference
    #: how many records were read again, or deleted
    repaired: int
    #: how many still differ after a repair: the source does not give them, or they do not fit
    left: int
    requests: int
    seconds: float
    #: the run that repaired
    run: str | None = None

    def as_data(self) -> dict[str, object]:
        data: dict[str, object] = msgspec.to_builtins(self)
        return data


class Differences(msgspec.Struct, frozen=True, kw_only=True):
    """All that differs."""

    missing: Difference
    extra: Difference
    stale: Difference

    @property
    def any(self) -> bool:
        return bool(self.missing.count or self.extra.count or self.stale.count)


def differences(sync: Sync, inventory: Inventory, bad: Iterable[str]) -> Differences:
    """What differs, and why it may.

    Args:
        bad: keys of records that the last runs passed over, as they do not fit.
    """
    return Differences(
        missing=_difference(inventory.missing(), inventory.why_missing(bad), _missing(sync)),
        extra=_difference(inventory.extra(), inventory.why_extra(), _EXTRA),
        stale=_difference(inventory.stale(), inventory.why_stale(), _stale(sync)),
    )


def _difference(found: Iterator[list[str]], counts: Mapping[str, int], says: Mapping[str, str]) -> Difference:
    count = 0
    first: list[str] = []
    for ids in found:
        count += len(ids)
        first += ids[: SHOWN - len(first)]
    reasons = [Reason(count=number, why=says[kind]) for kind, number in counts.items()]
    return Difference(count=count, ids=first, reasons=reasons)


_EXTRA: Mapping[str, str] = {
    "deleted": "the source tells them as deleted, at a time that was read already",
    "gone": "the source does not list them: erased for good, or hidden from who is connected",
}


def _missing(sync: Sync) -> dict[str, str]:
    left_out = ", or `where` leaves them out" if sync.where is not None else ""
    return {
        "deleted": f"stored as deleted: perhaps they came back at the source without a newer time{left_out}",
        "bad": "passed over by a run, as they do not fit: terapi runs show",
        "unread": f"never stored: {_late(sync)}{left_out}",
    }


def _stale(sync: Sync) -> dict[str, str]:
    return {
        "older": f"stored as they were before: {_late(sync)}",
        "newer": "stored newer than they are at the source: it went back, as by a restored backup",
        "untold": "stored without the time that the source tells",
    }


def _late(sync: Sync) -> str:
    """How a change can pass a sync by."""
    rules = sync.incremental
    if rules is None:
        return "perhaps they came or changed since the last run"
    if rules.type != "timestamp":
        return "perhaps they became visible behind what was read already"
    return f"perhaps they became visible more than the lookback of {rules.lookback:g} s after their time"
