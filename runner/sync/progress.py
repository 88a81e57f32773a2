"""How far a run is, for whoever watches it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from runner.calls.job import Look
from runner.sync.plan import Cursor
from runner.sync.result import Result


class Part(NamedTuple):
    """A slice that is being read."""

    #: its place among all of them, from 1
    number: int
    start: Cursor | None
    #: how many records are read, and how many it has, where that is known
    read: int
    total: int | None
    #: what the last look at its job told, while that is waited for
    look: Look | None = None


class Progress(NamedTuple):
    """How far a run is."""

    #: what was done so far
    result: Result
    #: how many records of what it reads are read, those of a run before that was cut short among them
    read: int
    #: how many there are, where that is known
    total: int | None = None
    #: how many slices there are, and those that are being read
    slices: int = 1
    parts: Sequence[Part] = ()
