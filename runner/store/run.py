"""A run of a sync or a workflow, as it is about to begin and as it is kept."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

import msgspec


class NewRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that is about to begin."""

    #: sync or workflow
    kind: str
    name: str
    integration: str
    connection: str
    input: object = None
    #: the definition's text
    definition: str = ""
    id: str | None = None
    #: whether each of its steps is kept as it ends
    durable: bool = False
    #: the run whose step this one is
    parent: str | None = None
    #: who or what started it: by, and more
    started_by: Mapping[str, object] | None = None
    #: what takes turns with it, and how many of them may be under way at once
    turns: str | None = None
    turn_limit: int = 1
    #: the events that it may wait for: `INTEGRATION EVENT`, with `CONNECTION` behind it where that is known
    events: Sequence[str] = ()


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a sync or a workflow; times are in seconds since 1970."""

    id: str
    #: sync or workflow
    kind: str
    name: str
    integration: str
    connection: str
    #: queued, running, waiting, success, failed, cancelled (somebody interrupted it) or lost (its process was
    #: killed)
    status: str
    started_at: float
    finished_at: float | None = None
    input: object = None
    output: object = None
    error: Mapping[str, object] | None = None
    steps: Sequence[Mapping[str, object]] | None = None
    #: the definition's text, as the run began with it
    definition: str = ""
    durable: bool = False
    parent: str | None = None
    started_by: Mapping[str, object] | None = None
    #: when it goes on by itself, where it waits
    due_at: float | None = None
    #: what was asked of it: cancel, or undo
    asked: str | None = None
    turns: str | None = None
    #: whether it has its turn: from its first step to its end, also where it waits
    in_turn: bool = False
    #: how often it was put off for another try after it had failed
    retries: int = 0
    #: how often it was taken up after its process had died
    deaths: int = 0
    #: grows with everything that comes for it from outside
    woken: int = 0

    @property
    def place(self) -> str:
        """Its connection, among all integrations'."""
        return f"{self.integration}/{self.connection}"


def run_of(row: sqlite3.Row) -> Run:
    """A run from its row."""
    values = {key: row[key] for key in Run.__struct_fields__}
    for key in ("input", "output", "error", "steps", "started_by"):
        values[key] = json.loads(values[key]) if values[key] else None
    flags = {key: bool(values[key]) for key in ("durable", "in_turn")}
    return Run(**{**values, **flags})
