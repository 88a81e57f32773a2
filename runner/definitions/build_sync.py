"""Syncs: files of `syncs/`, bound to the provider of an integration."""

from __future__ import annotations

import hashlib
import json
import re
from typing import cast

from runner.definitions import yaml
from runner.definitions.conversions import duration, instant
from runner.definitions.expressions import Expression
from runner.definitions.model import (
    Call,
    Deletes,
    Field,
    FieldFrom,
    FieldMap,
    Fixed,
    Incremental,
    Provider,
    Sync,
    Trigger,
)  # fmt: skip
from runner.definitions.names import Names
from runner.definitions.reader import Reader, data, mapping, read_params, seconds, text

_EVERY = re.compile(r"every (?:(\d+) )?(second|minute|hour|day|week)s?")


def build_sync(node: yaml.Mapping, provider: Provider, reader: Reader) -> Sync:
    """One sync, checked against the provider that it calls."""
    return _SyncBuild(node, provider, reader).sync()


class _SyncBuild:
    def __init__(self, node: yaml.Mapping, provider: Provider, reader: Reader) -> None:
        self.node = node
        self.provider = provider
        self.reader = reader
        self.params = read_params(node.entries.get("params"))
        self.base = self._base_names()
        self.record_names: Names = {**self.base, "record": None}

    def _base_names(self) -> Names:
        names: dict[str, Names | None] = {
            "config": dict.fromkeys(self.provider.connection_config),
            "params": dict.fromkeys(self.params),
            "connection": None,
            "checkpoint": None,
            "last_run": None,
        }
        if "incremental" in self.node.entries:
            names["slice"] = {"from": None, "to": None}
        for key in ("vars", "lookups"):
            names.update(dict.fromkeys(mapping(self.node.entries.get(key)).entries))
        return names

    def sync(self) -> Sync:
        node, reader = self.node, self.reader
        fields = self._top_fields()
        incremental = self._incremental()
        deletes = self._deletes(incremental)
        return Sync(
            name=text(node, "sync"),
            place=node.place,
            description=text(node, "description"),
            integrations=tuple(data(node, "integrations", cast(list[str], []))),
            schedule=_schedule(text(node, "schedule")),
            params=self.params,
            model=text(node, "model"),
            primary_key=text(node, "primary_key"),
            incremental=incremental,
            vars={
                key: reader.value(child, self.base)
                for key, child in mapping(node.entries.get("vars")).entries.items()
            },
            lookups={
                key: self._call(mapping(child))
                for key, child in mapping(node.entries.get("lookups")).entries.items()
            },
            fetch=self._fetch(),
            where=reader.optional(node, "where", self.record_names),
            fields=fields,
            deletes=deletes,
            trigger=read_trigger(node, reader),
            digest=_digest(node),
        )

    def _fetch(self) -> tuple[Call, ...]:
        node = self.node.entries["fetch"]
        calls = node.items if isinstance(node, yaml.Sequence) else [node]
        return tuple(self._call(mapping(call)) for call in calls)

    def _call(self, node: yaml.Mapping) -> Call:
        return read_call(node, self.provider, self.reader, self.base)

    def _incremental(self) -> Incremental | None:
        node = mapping(self.node.entries.get("incremental"))
        if not node.entries:
            return None
        start = data(node, "start", cast("str | int | None", None))
        kind = text(node, "type", "timestamp")
        if start is not None:
            self._check_start(node, start, kind)
        return Incremental(
            cursor=self.reader.expression(node.entries["cursor"], self.record_names),
            type=kind,
            lookback=seconds(node, "lookback", 0.0),
            start=start,
        )

    def _check_start(self, node: yaml.Mapping, start: object, kind: str) -> None:
        if kind == "timestamp":
            try:
                instant(start)
            except ValueError as exc:
                self.reader.problem(node.entries["start"], str(exc), "start")
        elif not isinstance(start, int):
            self.reader.problem(
                node.entries["start"], "`start` must be a number where the cursor is one", "start"
            )

    def _deletes(self, incremental: Incremental | None) -> Deletes | None:
        node = mapping(self.node.entries.get("deletes"))
        if not node.entries:
            return None
        if "missing" in node.entries and incremental is not None:
            mend = "remove `incremental`, or use `when` or `use`"
            self.reader.problem(
                node.keys["missing"],
                "`missing` needs full reads, and this sync is incremental",
                "deletes",
                mend,
                7,
            )
        return Deletes(
            when=self.reader.optional(node, "when", self.record_names),
            call=self._call(node) if "use" in node.entries else None,
            id=self.reader.optional(node, "id", self.record_names) if "use" in node.entries else None,
            missing=data(node, "missing", False),
        )

    def _top_fields(self) -> dict[str, Field] | Expression:
        node = self.node.entries["fields"]
        if not isinstance(node, yaml.Mapping):
            return self.reader.expression(node, self.record_names)
        key = self.node.entries["primary_key"]
        if text(self.node, "primary_key") not in node.entries:
            self.reader.one_of(key, node.entries, "field")
        return self._fields(node, self.record_names)

    def _fields(self, node: yaml.Mapping, names: Names) -> dict[str, Field]:
        return {name: self._field(child, names) for name, child in node.entries.items()}

    def _field(self, node: yaml.Node, names: Names) -> Field:
        if not isinstance(node, yaml.Mapping):
            return FieldFrom(source=self.reader.expression(node, names))
        if "value" in node.entries:
            return Fixed(node.entries["value"].data)
        item_names = {**names, "item": None} if "foreach" in node.entries else names
        if "from" in node.entries:
            kind = text(node, "type") or None
            return FieldFrom(source=self.reader.expression(node.entries["from"], names), type=kind)
        return FieldMap(
            fields=self._fields(mapping(node.entries.get("fields")), item_names),
            foreach=self.reader.optional(node, "foreach", names),
            where=self.reader.optional(node, "where", item_names),
            sort=self.reader.optional(node, "sort", item_names),
        )


def read_call(node: yaml.Mapping, provider: Provider, reader: Reader, names: Names) -> Call:
    """`use` and `with`: an operation of the provider and what it is given."""
    name = reader.one_of(node.entries["use"], provider.operations, "operation")
    when = reader.optional(node, "when", names)
    if name is None:
        operation = next(iter(provider.operations.values()), None)
        return Call(operation=cast("object", operation), arguments=Fixed({}), place=node.place, when=when)  # type: ignore[arg-type]
    operation = provider.operations[name]
    arguments = reader.arguments(node, name, operation.params, names)
    return Call(operation=operation, arguments=arguments, place=node.entries["use"].place, when=when)


def read_trigger(node: yaml.Mapping, reader: Reader) -> Trigger | None:
    """`on.webhook`, short or long."""
    webhook = mapping(node.entries.get("on")).entries.get("webhook")
    if webhook is None:
        return None
    if not isinstance(webhook, yaml.Mapping):
        return Trigger(event=str(webhook.data))
    names: Names = {"event": None, "body": None, "headers": None, "connection": None}
    given = mapping(webhook.entries.get("input")).entries
    return Trigger(
        event=text(webhook, "event"),
        when=reader.optional(webhook, "when", names),
        input={key: reader.expression(child, names) for key, child in given.items()},
    )


def _schedule(words: str) -> float | None:
    found = _EVERY.fullmatch(words)
    return int(found[1] or 1) * duration(f"1{found[2][0]}") if found else None


def _digest(node: yaml.Mapping) -> str:
    """Of what decides which records are stored, and how."""
    parts = {
        key: child.data
        for key, child in node.entries.items()
        if key in ("fetch", "vars", "where", "fields", "primary_key")
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
