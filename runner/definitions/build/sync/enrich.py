"""Further calls, whose items are joined to the records before `fields`."""

from __future__ import annotations

from typing import Final

from runner.definitions import yaml
from runner.definitions.build.keys import below, data, mapping, text
from runner.definitions.build.operation import read_call
from runner.definitions.build.sync.known import Known
from runner.definitions.expressions import Names
from runner.definitions.model import NOT_THERE, Enrichment, Match

#: kinds that say nothing of the thing that was asked for
PASSING: Final = frozenset(
    {
        "rate_limited", "unavailable", "server_error", "timeout", "network", "disconnected", "truncated",
        "token_expired", "unauthorized", "auth", "needs_reconnect",
    }
)  # fmt: skip
#: what an enrichment's call knows of the records that it is made for
_PAGE: Final[Names] = {"page": {"records": None, "keys": None}}


def read_enrich(known: Known) -> tuple[Enrichment, ...]:
    """`enrich`, in its order; each knows what those before it have joined."""
    node = below(known.node, "enrich")
    return tuple(
        _enrichment(known, node.keys[name], name, mapping(one)) for name, one in node.entries.items()
    )


def _enrichment(known: Known, key: yaml.Node, name: str, node: yaml.Mapping) -> Enrichment:
    reader, merge = known.reader, data(node, "merge", False)
    by_page = text(node, "each", "page") == "page"
    _check_keys(known, key, node, by_page=by_page)
    around = known.base if by_page else known.enriched
    inner = {**around, **(_PAGE if by_page else {}), **({"item": None} if "foreach" in node.entries else {})}
    when = reader.optional(node, "when", known.enriched)
    found = Enrichment(
        name=name,
        call=read_call(node, known.provider.operations, reader, inner, when),
        match=_match(known, below(node, "match")),
        foreach=reader.optional(node, "foreach", around),
        many=data(node, "many", False),
        merge=merge,
        optional=_optional(known, node),
        batch=data(node, "batch", 200),
        concurrency=data(node, "concurrency", 4),
    )
    if not merge:
        known.check_name(key, name)
        known.joined[name] = None
    return found


def _match(known: Known, node: yaml.Mapping) -> Match | None:
    if not node.entries:
        return None
    return Match(
        item=known.reader.expression(node.entries["item"], {**known.base, "item": None}),
        record=known.reader.expression(node.entries["record"], known.enriched),
    )


def _check_keys(known: Known, key: yaml.Node, node: yaml.Mapping, *, by_page: bool) -> None:
    """A call for a page says what belongs to which record; in one for each record there is nothing to say."""
    if by_page and "match" not in node.entries:
        message = "`match` is missing: it tells which item belongs to which record"
        mend = "add `match: {item: …, record: …}`, or `each: record` for a call for each"
        known.reader.problem(key, message, "enrich", mend)
    for name in ("match", "batch"):
        if not by_page and name in node.entries:
            message = f"`{name}` is for calls for a page, and this is one for each record"
            known.reader.problem(node.keys[name], message, "enrich", "remove it, or `each: record`")


def _optional(known: Known, node: yaml.Mapping) -> frozenset[str]:
    found = node.entries.get("optional")
    if not isinstance(found, yaml.Sequence):
        return NOT_THERE if data(node, "optional", False) else frozenset()
    for kind in found.items:
        if kind.data in PASSING:
            message = f"`{kind.data}` does not say that there is no such thing, and is never passed over"
            known.reader.problem(kind, message, "enrich", "remove it")
    return frozenset(str(kind.data) for kind in found.items)


def warn_unused_joins(known: Known) -> None:
    """Warns of what is joined to records and then never mentioned."""
    for name in known.joined:
        if name not in known.reader.mentioned:
            where = below(known.node, "enrich").keys[name]
            known.reader.warning(where, f"`{name}` is never used", "unused", "remove it, or use it")
