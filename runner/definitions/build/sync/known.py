"""What the expressions of a sync know, each at its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from runner.definitions import yaml
from runner.definitions.build.keys import below
from runner.definitions.build.known import CONNECTION
from runner.definitions.build.operation import read_call
from runner.definitions.build.reader import Reader
from runner.definitions.expressions import Names
from runner.definitions.model import Call, Param, Provider

T = TypeVar("T")

#: what is known of one parent of a sync with `foreach`, and not without one
PARENT: Final = frozenset({"item", "slice", "checkpoint"})


def axes_of(node: yaml.Mapping) -> list[str]:
    """The names of the axes of a sync's matrix."""
    return [name for name in below(node, "matrix").entries if name != "concurrency"]


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
        #: what is known before it is clear which syncs there are
        self.outset: dict[str, Names | None] = {
            "config": dict.fromkeys(provider.connection_config),
            "params": dict.fromkeys(params),
            **CONNECTION,
        }
        #: what is known before anything is read; grows with each look-up and each var, in their order
        self.base: dict[str, Names | None] = {
            **self.outset,
            "variant": None,
            "checkpoint": None,
            "last_run": None,
        }
        if "matrix" in node.entries:
            self.base["matrix"] = dict.fromkeys(axes_of(node))
        #: var → every name that it mentions, also by way of other vars
        self.needs: dict[str, frozenset[str]] = {}
        if "incremental" in node.entries:
            self.base["slice"] = {"from": None, "to": None, "total": None}
        #: what enrichments join to a record; grows with each
        self.joined: dict[str, Names | None] = {}
        self._parents = {name: inner for name, inner in self.base.items() if name in PARENT}
        if "foreach" in node.entries:
            for name in self._parents:
                del self.base[name]

    def begin_parents(self, item: Names | None) -> None:
        """From here on it is about one parent, known as `item`."""
        self.base |= {"item": item, **self._parents}

    @property
    def record(self) -> Names:
        """What is known of a record."""
        return {**self.base, "record": None}

    @property
    def enriched(self) -> Names:
        """What is known of a record that was enriched."""
        return {**self.record, **self.joined}

    @property
    def whole(self) -> Names:
        """What is known of the whole sync, whatever it fetches for."""
        if "foreach" not in self.node.entries:
            return self.base
        unknown = PARENT.union(name for name, needs in self.needs.items() if needs & PARENT)
        return {name: inner for name, inner in self.base.items() if name not in unknown}

    def call(self, node: yaml.Mapping, more: Sequence[str] = (), names: Names | None = None) -> Call:
        """`use` and `with`.

        Args:
            more: names that are known in them beside the rest.
            names: what is known in them; by default what is known by now.
        """
        given = {**(self.base if names is None else names), **dict.fromkeys(more)}
        return read_call(node, self.provider.operations, self.reader, given)

    def noticed(self, read: Callable[[], T]) -> tuple[T, frozenset[str]]:
        """What ``read`` gives, and every name that it mentions, also by way of vars."""
        before = set(self.reader.mentioned)
        self.reader.mentioned.clear()
        found = read()
        own = frozenset(self.reader.mentioned)
        self.reader.mentioned |= before
        return found, own.union(*(self.needs.get(name, frozenset()) for name in own))

    def named(self, key: str, read: Callable[[yaml.Node], T]) -> dict[str, T]:
        """What is given names below a key; each knows those before it."""
        found: dict[str, T] = {}
        for name, child in below(self.node, key).entries.items():
            self.check_name(below(self.node, key).keys[name], name)
            found[name], self.needs[name] = self.noticed(lambda child=child: read(child))  # type: ignore[misc]
            self.base[name] = None
        return found

    def check_name(self, where: yaml.Node, name: str) -> None:
        """Notes it where a name means something else already."""
        if name in self.base or name in ("record", "item"):
            message = f"`{name}` means something else already"
            self.reader.problem(where, message, "name", "give it another name")
