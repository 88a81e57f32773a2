"""What the syncs of a project store: their models, and the fields of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from runner.definitions import yaml
from runner.definitions.build.keys import text
from runner.definitions.expressions import Names


class Models(msgspec.Struct, frozen=True, kw_only=True):
    """The models that are stored."""

    #: model → its fields; None where they are not written out
    fields: Mapping[str, Names | None] = {}
    #: whether a matrix names some: then nothing of the above is certain
    others: bool = False


#: where nothing is known of what is stored
UNKNOWN = Models(others=True)


def models_of(syncs: Iterable[yaml.Mapping]) -> Models:
    """What some files of syncs say; a file that is refused counts as well, as far as it can be read."""
    found: dict[str, Names | None] = {}
    others = False
    for sync in syncs:
        model, fields = text(sync, "model"), _fields(sync)
        others = others or "{{" in model or "{%" in model
        # What one sync leaves out of a model, another may store.
        known = found.get(model, {})
        found[model] = None if known is None or fields is None else {**known, **fields}
    return UNKNOWN if others else Models(fields=found)


def _fields(sync: yaml.Mapping) -> Names | None:
    node = sync.entries.get("fields")
    return dict.fromkeys(node.entries) if isinstance(node, yaml.Mapping) else None
