"""What a run did."""

from __future__ import annotations

import msgspec

from runner.sync.plan import Cursor


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did; the JSON of `terapi sync --json`."""

    sync: str
    connection: str
    model: str
    variant: str = "base"
    #: running or success; where it is shown also failed, cancelled, dry-run
    status: str
    read: int = 0
    added: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    checkpoint: Cursor | None = None
    requests: int = 0
    seconds: float = 0.0
    #: records that do not fit: skipped, or stored as they came
    bad: int = 0
    #: records that are older than they are kept, and were emptied
    pruned: int = 0
    #: its id, where it is kept
    run: str | None = None
    #: of a sync with `foreach`: how many parents are read, and how many there are
    parents: int | None = None
    of_parents: int | None = None

    def as_data(self) -> dict[str, object]:
        """All of it; nothing of parents where there are none."""
        data = msgspec.structs.asdict(self)
        if self.parents is None:
            del data["parents"], data["of_parents"]
        return data
