"""What is known where a step of a workflow stands."""

from __future__ import annotations

from typing import cast

import msgspec

from runner.definitions.build.around import Around
from runner.definitions.build.known import CONNECTION
from runner.definitions.build.reader import Reader
from runner.definitions.expressions import Names
from runner.definitions.model import Provider


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the expressions of a place know, and what may be called there."""

    provider: Provider
    reader: Reader
    around: Around
    inputs: tuple[str, ...]
    #: whether the workflow's runs outlive their processes
    durable: bool = True
    #: the ids of the steps before; each list of steps adds its own
    steps: dict[str, None] = {}
    #: further names: item, index, …
    further: Names = {}

    def names(self, **further: Names | None) -> Names:
        return {
            "config": dict.fromkeys(self.provider.connection_config),
            **CONNECTION,
            "input": dict.fromkeys(self.inputs),
            "steps": cast(Names, dict(self.steps)),
            **self.further,
            **further,
        }

    def inside(self, **further: Names | None) -> Known:
        """The same, where ids that are added stay inside."""
        return msgspec.structs.replace(self, steps=dict(self.steps), further={**self.further, **further})

    def at(self, provider: Provider) -> Known:
        """The same at another provider, with its functions."""
        reader = Reader(provider.language, self.reader.problems)
        return msgspec.structs.replace(self, provider=provider, reader=reader)
