"""The tree of a search."""

from __future__ import annotations

import msgspec

from runner.emulator.soql.tree import Condition, Ordering, Path

#: what RETURNING may ask for in all
MOST = 2_000


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The records of one object that are wanted."""

    position: int
    name: str
    #: only the id where there are none
    paths: tuple[Path, ...] = ()
    where: Condition | None = None
    order_by: tuple[Ordering, ...] = ()
    limit: int | None = None
    offset: int | None = None


class Search(msgspec.Struct, frozen=True, kw_only=True):
    #: what stands between the braces of FIND
    terms: str
    position: int = 0
    #: ALL, NAME, EMAIL, PHONE or SIDEBAR
    group: str = "ALL"
    #: all objects that can be searched where there are none
    targets: tuple[Target, ...] = ()
    limit: int = MOST
