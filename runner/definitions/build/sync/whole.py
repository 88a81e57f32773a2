"""One sync: its file read part by part."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final

import msgspec

from runner.definitions import yaml
from runner.definitions.build.keys import below, data, mapping, seconds, text, texts
from runner.definitions.build.operation import read_call
from runner.definitions.build.params import read_params, warn_unused
from runner.definitions.build.reader import Reader
from runner.definitions.build.sync.enrich import read_enrich, warn_unused_joins
from runner.definitions.build.sync.fields import read_record
from runner.definitions.build.sync.foreach import check_item, needs_of, read_foreach
from runner.definitions.build.sync.incremental import check_tokens, read_incremental
from runner.definitions.build.sync.known import Known
from runner.definitions.build.sync.matrix import read_matrix
from runner.definitions.build.sync.models import UNKNOWN, Models
from runner.definitions.build.triggers import read_times
from runner.definitions.build.webhook import read_trigger
from runner.definitions.expressions import Names
from runner.definitions.model import Audit, Call, Deletes, Incremental, Provider, Retention, Sync

#: the keys that decide which records are stored, and how
_STORING: Final = ("fetch", "vars", "enrich", "where", "fields", "field_type", "primary_key", "on_bad_record")
#: the keys of `foreach` that decide what a parent is; which of them count shows by itself
_PARENTS: Final = ("records", "items", "use", "with", "key")


def build_sync(node: yaml.Mapping, provider: Provider, reader: Reader, models: Models = UNKNOWN) -> Sync:
    """One sync, checked against the provider that it calls, and against what other syncs store."""
    params = read_params(below(node, "params"), reader)
    known = Known(node, provider, reader, params)
    matrix = read_matrix(known)
    lookups = known.named("lookups", lambda child: known.call(mapping(child)))
    foreach = read_foreach(known, models)
    values = known.named("vars", lambda child: reader.value(child, known.base))
    incremental = read_incremental(known)
    if incremental is not None and incremental.type == "token":
        check_tokens(known)
    if foreach is not None:
        foreach = msgspec.structs.replace(foreach, vars=needs_of(known, values))
    fetch, mentioned = known.noticed(lambda: _fetch(known))
    check_item(known, mentioned)
    outline = _outline(node)
    sync = Sync(
        name=text(node, "sync"),
        place=node.place,
        description=text(node, "description"),
        integrations=texts(node, "integrations"),
        schedule=read_times(node.entries["schedule"], reader) if "schedule" in node.entries else None,
        params=params,
        model=text(node, "model"),
        model_place=node.entries["model"].place,
        matrix=matrix,
        primary_key=text(node, "primary_key"),
        incremental=incremental,
        foreach=foreach,
        lookups=lookups,
        vars=values,
        fetch=fetch,
        enrich=read_enrich(known),
        where=reader.optional(node, "where", known.enriched),
        fields=read_record(node, reader, known.enriched),
        deletes=_deletes(known, incremental),
        on_bad_record=text(node, "on_bad_record", "fail"),
        audit=_audit(known),
        retention=_retention(node),
        trigger=read_trigger(node, reader),
        outline=outline,
        digest=_digest(outline),
    )
    for key in ("lookups", "vars"):
        warn_unused(node, key, reader.mentioned, reader)
    warn_unused_joins(known)
    return sync


def _fetch(known: Known) -> tuple[Call, ...]:
    node = known.node.entries["fetch"]
    nodes = [mapping(call) for call in (node.items if isinstance(node, yaml.Sequence) else [node])]
    calls = tuple(_choice(known, call) for call in nodes)
    always = next((number for number, call in enumerate(calls) if call.when is None), len(calls))
    for unused in nodes[always + 1 :]:
        message = "this is never used: one above it has no `when`"
        known.reader.warning(unused.keys["use"], message, "unused", "give that one a `when`")
    return calls


def _choice(known: Known, node: yaml.Mapping) -> Call:
    when = known.reader.optional(node, "when", known.base)
    return read_call(node, known.provider.operations, known.reader, known.base, when)


def _deletes(known: Known, incremental: Incremental | None) -> Deletes | None:
    node, reader = below(known.node, "deletes"), known.reader
    if not node.entries:
        return None
    if "missing" in node.entries and incremental is not None and incremental.type != "token":
        mend = "remove `incremental`, or use `when` or `use`"
        message = "`missing` needs full reads, and this sync is incremental"
        reader.problem(node.keys["missing"], message, "deletes", mend)
    told: Names = {**known.whole, "record": None}
    return Deletes(
        when=reader.optional(node, "when", known.record),
        call=known.call(node, names=known.whole) if "use" in node.entries else None,
        id=reader.optional(node, "id", told) if "use" in node.entries else None,
        missing=data(node, "missing", False),
        orphans=_orphans(known, node),
    )


def _orphans(known: Known, deletes: yaml.Mapping) -> str | None:
    """The field that names a record's parent."""
    named, fields = deletes.entries.get("orphans"), known.node.entries["fields"]
    if named is None:
        return None
    if "foreach" not in known.node.entries:
        message = "only the records of a sync with `foreach` have parents"
        known.reader.problem(deletes.keys["orphans"], message, "deletes", "remove it")
    elif isinstance(fields, yaml.Mapping):
        known.reader.one_of(named, fields.entries, "field")
    return text(deletes, "orphans")


def _audit(known: Known) -> Audit | None:
    node = below(known.node, "audit")
    if not node.entries:
        return None
    repair, reader = below(node, "repair"), known.reader
    audit, mentioned = known.noticed(
        lambda: Audit(
            call=known.call(node),
            id=reader.expression(node.entries["id"], known.record),
            deleted=reader.optional(node, "deleted", known.record),
        )
    )
    by_parent = "foreach" in known.node.entries and "item" in mentioned
    if repair.entries and "foreach" in known.node.entries and not by_parent:
        message = "`repair` reads records of one parent, and `audit` lists those of all at once"
        reader.problem(node.keys["repair"], message, "audit", "use `item` in `audit.with`, or remove it")
    again = known.call(repair, ("ids",)) if repair.entries else None
    return msgspec.structs.replace(audit, repair=again, by_parent=by_parent)


def _retention(node: yaml.Mapping) -> Retention | None:
    ages = below(node, "retention")
    if not ages.entries:
        return None
    return Retention(changed=_age(ages, "changed"), deleted=_age(ages, "deleted"))


def _age(node: yaml.Mapping, key: str) -> float | None:
    return seconds(node, key, 0.0) if key in node.entries else None


def _outline(node: yaml.Mapping) -> dict[str, object]:
    parts: dict[str, object] = {key: child.data for key, child in node.entries.items() if key in _STORING}
    foreach = below(node, "foreach").entries
    if foreach:
        parts["foreach"] = {key: foreach[key].data for key in _PARENTS if key in foreach}
    cursor = below(node, "incremental").entries
    parts["cursor"] = {key: cursor[key].data for key in ("cursor", "type", "token") if key in cursor}
    return parts


def _digest(outline: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(outline, sort_keys=True).encode()).hexdigest()[:16]
