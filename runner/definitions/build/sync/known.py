"""What the expressions of a sync know, each at its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from runner.definitions import yaml
from runner.definitions.build.keys import below
from runner.definitions.build.known import CONNECTION
from runner.definitions.build.operation import read_call
from runner.definitions.build.reader import Reader
from runner.definitions.expressions import Names
from runner.definitions.model import Call, Param, Provider

T = TypeVar("T")


class Known:
    """A sync's file while it is read, and the names that are known so far.

    Args:
        node: the file.
        params: those that the sync takes.
    """

    def __init__(
        self, node: yaml.Mapping, provider: Provider, reader: Reader, params: dict[str, Param]
    ) -> None:
        self.node = node
        self.provider = provider
        self.reader = reader
        #: what is known before anything is read; grows with each look-up and each var, in their order
        self.base: dict[str, Names | None] = {
            "config": dict.fromkeys(provider.connection_config),
            "params": dict.fromkeys(params),
            **CONNECTION,
            "checkpoint": None,
            "last_run": None,
        }
        if "incremental" in node.entries:
            self.base["slice"] = {"from": None, "to": None, "total": None}
        #: what enrichments join to a record; grows with each
        self.joined: dict[str, Names | None] = {}

    @property
    def record(self) -> Names:
        """What is known of a record."""
        return {**self.base, "record": None}

    @property
    def enriched(self) -> Names:
        """What is known of a record that was enriched."""
        return {**self.record, **self.joined}

    def call(self, node: yaml.Mapping, more: Sequence[str] = ()) -> Call:
        """`use` and `with`; ``more`` are names that are known in them beside the rest."""
        names = {**self.base, **dict.fromkeys(more)}
        return read_call(node, self.provider.operations, self.reader, names)

    def named(self, key: str, read: Callable[[yaml.Node], T]) -> dict[str, T]:
        """What is given names below a key; each knows those before it."""
        found: dict[str, T] = {}
        for name, child in below(self.node, key).entries.items():
            self.check_name(below(self.node, key).keys[name], name)
            found[name] = read(child)
            self.base[name] = None
        return found

    def check_name(self, where: yaml.Node, name: str) -> None:
        """Notes it where a name means something else already."""
        if name in self.base or name in ("record", "item"):
            message = f"`{name}` means something else already"
            self.reader.problem(where, message, "name", "give it another name")
