"""Syncs: files of `syncs/`, bound to the provider of an integration."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import TypeVar, cast

from runner.definitions import yaml
from runner.definitions.build.keys import below, data, mapping, seconds, text, texts
from runner.definitions.build.known import CONNECTION
from runner.definitions.build.operation import read_call
from runner.definitions.build.params import read_params, warn_unused
from runner.definitions.build.reader import Reader
from runner.definitions.build.webhook import read_trigger
from runner.definitions.conversions import duration, instant
from runner.definitions.expressions import Expression, Names
from runner.definitions.model import (
    Audit,
    Call,
    Deletes,
    Field,
    FieldFrom,
    FieldMap,
    Fixed,
    Incremental,
    Provider,
    Slices,
    Sync,
)  # fmt: skip

T = TypeVar("T")
_EVERY = re.compile(r"every (?:(\d+) )?(second|minute|hour|day|week)s?")


def build_sync(node: yaml.Mapping, provider: Provider, reader: Reader) -> Sync:
    """One sync, checked against the provider that it calls."""
    return _SyncBuild(node, provider, reader).sync()


class _SyncBuild:
    def __init__(self, node: yaml.Mapping, provider: Provider, reader: Reader) -> None:
        self.node = node
        self.provider = provider
        self.reader = reader
        self.params = read_params(below(node, "params"), reader)
        #: what is known before anything is read; grows with each lookup and each var, in their order
        self.base: dict[str, Names | None] = self._given()

    def _given(self) -> dict[str, Names | None]:
        names: dict[str, Names | None] = {
            "config": dict.fromkeys(self.provider.connection_config),
            "params": dict.fromkeys(self.params),
            **CONNECTION,
            "checkpoint": None,
            "last_run": None,
        }
        if "incremental" in self.node.entries:
            names["slice"] = {"from": None, "to": None, "total": None}
        return names

    @property
    def record_names(self) -> Names:
        return {**self.base, "record": None}

    def sync(self) -> Sync:
        node, reader = self.node, self.reader
        lookups = self._named("lookups", lambda child: self._call(mapping(child)))
        values = self._named("vars", lambda child: reader.value(child, self.base))
        incremental = self._incremental()
        sync = Sync(
            name=text(node, "sync"),
            place=node.place,
            description=text(node, "description"),
            integrations=texts(node, "integrations"),
            schedule=_schedule(text(node, "schedule")),
            params=self.params,
            model=text(node, "model"),
            primary_key=text(node, "primary_key"),
            incremental=incremental,
            lookups=lookups,
            vars=values,
            fetch=self._fetch(),
            where=reader.optional(node, "where", self.record_names),
            fields=self._top_fields(),
            deletes=self._deletes(incremental),
            on_bad_record=text(node, "on_bad_record", "fail"),
            audit=self._audit(),
            trigger=read_trigger(node, reader),
            digest=_digest(node),
        )
        for key in ("lookups", "vars"):
            warn_unused(node, key, reader.mentioned, reader)
        return sync

    def _named(self, key: str, read: Callable[[yaml.Node], T]) -> dict[str, T]:
        """What is given names below a key; each knows those before it."""
        found: dict[str, T] = {}
        for name, child in below(self.node, key).entries.items():
            if name in self.base or name in ("record", "item"):
                where, message = below(self.node, key).keys[name], f"`{name}` means something else already"
                self.reader.problem(where, message, "name", "give it another name")
            found[name] = read(child)
            self.base[name] = None
        return found

    def _fetch(self) -> tuple[Call, ...]:
        node = self.node.entries["fetch"]
        nodes = [mapping(call) for call in (node.items if isinstance(node, yaml.Sequence) else [node])]
        calls = tuple(self._choice(call) for call in nodes)
        always = next((number for number, call in enumerate(calls) if call.when is None), len(calls))
        for unused in nodes[always + 1 :]:
            message = "this is never used: one above it has no `when`"
            self.reader.warning(unused.keys["use"], message, "unused", "give that one a `when`")
        return calls

    def _choice(self, node: yaml.Mapping) -> Call:
        when = self.reader.optional(node, "when", self.base)
        return read_call(node, self.provider.operations, self.reader, self.base, when)

    def _call(self, node: yaml.Mapping) -> Call:
        return read_call(node, self.provider.operations, self.reader, self.base)

    def _incremental(self) -> Incremental | None:
        node = below(self.node, "incremental")
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
            slices=self._slices(node, kind),
        )

    def _slices(self, incremental: yaml.Mapping, kind: str) -> Slices | None:
        node, size = below(incremental, "slices"), below(below(incremental, "slices"), "size")
        if not node.entries:
            return None
        if kind != "timestamp":
            message = "`slices` cuts time, and the cursor here is a number"
            self.reader.problem(incremental.keys["slices"], message, "slices", "remove it")
        return Slices(
            by=seconds(node, "by", 0.0) or None,
            size=self._call(size) if size.entries else None,
            total=self.reader.optional(size, "total", {**self.base, "result": None}),
            most=data(node, "most", 50_000),
            concurrency=data(node, "concurrency", 4),
        )

    def _check_start(self, node: yaml.Mapping, start: object, kind: str) -> None:
        if kind == "timestamp":
            try:
                instant(start)
            except ValueError as exc:
                self.reader.problem(node.entries["start"], str(exc), "start")
        elif not isinstance(start, int):
            message = "`start` must be a number where the cursor is one"
            self.reader.problem(node.entries["start"], message, "start")

    def _deletes(self, incremental: Incremental | None) -> Deletes | None:
        node = below(self.node, "deletes")
        if not node.entries:
            return None
        if "missing" in node.entries and incremental is not None:
            mend = "remove `incremental`, or use `when` or `use`"
            message = "`missing` needs full reads, and this sync is incremental"
            self.reader.problem(node.keys["missing"], message, "deletes", mend)
        return Deletes(
            when=self.reader.optional(node, "when", self.record_names),
            call=self._call(node) if "use" in node.entries else None,
            id=self.reader.optional(node, "id", self.record_names) if "use" in node.entries else None,
            missing=data(node, "missing", False),
        )

    def _audit(self) -> Audit | None:
        node = below(self.node, "audit")
        if not node.entries:
            return None
        repair, known = below(node, "repair"), {**self.base, "ids": None}
        return Audit(
            call=self._call(node),
            id=self.reader.expression(node.entries["id"], self.record_names),
            deleted=self.reader.optional(node, "deleted", self.record_names),
            repair=read_call(repair, self.provider.operations, self.reader, known)
            if repair.entries
            else None,
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
            fields=self._fields(below(node, "fields"), item_names),
            foreach=self.reader.optional(node, "foreach", names),
            where=self.reader.optional(node, "where", item_names),
            sort=self.reader.optional(node, "sort", item_names),
        )


def _schedule(words: str) -> float | None:
    found = _EVERY.fullmatch(words)
    return int(found[1] or 1) * duration(f"1{found[2][0]}") if found else None


def _digest(node: yaml.Mapping) -> str:
    """Of what decides which records are stored, and how."""
    parts = {
        key: child.data
        for key, child in node.entries.items()
        if key in ("fetch", "vars", "where", "fields", "primary_key", "on_bad_record")
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
