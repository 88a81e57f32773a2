"""What a sync fetches for, parent by parent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from runner.definitions import yaml
from runner.definitions.build.keys import below, data, text
from runner.definitions.build.sync.known import PARENT, Known
from runner.definitions.build.sync.models import Models
from runner.definitions.expressions import Names
from runner.definitions.model import Foreach, Value

#: what no list of parents can know: it is told anew in each run, whatever was read before
_UNKNOWN: Final = ("checkpoint", "last_run", "slice")


def read_foreach(known: Known, models: Models) -> Foreach | None:
    """`foreach`, read between the look-ups and the vars: what it makes known is known behind it.

    Args:
        models: what the syncs of the project store.
    """
    node, reader = below(known.node, "foreach"), known.reader
    if not node.entries:
        return None
    names = {name: inner for name, inner in known.base.items() if name not in _UNKNOWN}
    fields = _record(known, node, models) if "records" in node.entries else None
    item: Names = {**names, "item": fields}
    foreach = Foreach(
        place=node.place,
        records=text(node, "records") or None,
        items=_items(known, node, names),
        call=known.call(node, names=names) if "use" in node.entries else None,
        where=reader.optional(node, "where", item),
        key=reader.optional(node, "key", item),
        concurrency=data(node, "concurrency", 4),
        skips=text(node, "on_not_found", "fail" if "items" in node.entries else "skip") == "skip",
    )
    known.begin_parents(fields)
    return foreach


def _record(known: Known, node: yaml.Mapping, models: Models) -> Names | None:
    """What is known of a parent that is a record."""
    written, model = node.entries["records"], text(node, "records")
    if model == text(known.node, "model"):
        message = "a sync's parents cannot be its own records"
        known.reader.problem(written, message, "foreach", "name another model")
    elif model not in models.fields and not models.others:
        known.reader.one_of(written, models.fields.keys() - {text(known.node, "model")}, "synced model")
    return models.fields.get(model)


def _items(known: Known, node: yaml.Mapping, names: Names) -> Value | None:
    written = node.entries.get("items")
    if written is None:
        return None
    if isinstance(written, yaml.Sequence):
        return known.reader.value(written, names)
    return known.reader.expression(written, names)


def check_item(known: Known, mentioned: frozenset[str]) -> None:
    """Warns of a `fetch` that is the same for every parent.

    Args:
        mentioned: every name that it mentions.
    """
    if "foreach" in known.node.entries and "item" not in mentioned:
        message = "`fetch` does not use `item`: it reads the same for each parent"
        known.reader.warning(known.node.keys["foreach"], message, "unused", "use `item` in `with`")


def needs_of(known: Known, names: Iterable[str]) -> dict[str, frozenset[str]]:
    """What vars need of one parent."""
    return {name: known.needs[name] & PARENT for name in names}
