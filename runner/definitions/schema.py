"""The JSON Schemas: what keys there are, and what they mean.

The same files serve editors (draft 2020-12) and the loader. A few annotations of our own make messages and
checks possible that the standard's keywords say badly: `x-exactly-one` and `x-at-most-one` (a list of keys),
and `x-pattern-message` (a pattern in words).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

from runner.definitions.resources import schemas_folder

Schema = Mapping[str, object]
KINDS = ("providers", "sync", "workflow", "test")


def properties(schema: Schema) -> Mapping[str, object]:
    """The keys that a schema names, each with its schema or a reference to it."""
    return cast(Mapping[str, object], schema.get("properties", {}))


class SchemaBook:
    """The schemas by kind of file: `providers`, `sync`, `workflow`, `test`; each is read on first use."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or schemas_folder()
        self._schemas: dict[str, KindSchema] = {}

    def __getitem__(self, kind: str) -> KindSchema:
        if kind not in self._schemas:
            text = (self._folder / f"{kind}.schema.json").read_text(encoding="utf-8")
            self._schemas[kind] = KindSchema(kind, cast(Schema, json.loads(text)))
        return self._schemas[kind]


class KindSchema:
    """The schema of one kind of file."""

    def __init__(self, kind: str, root: Schema) -> None:
        self.kind = kind
        self.root = root
        #: how `terapi explain` calls it
        self.prefix = "provider" if kind == "providers" else kind
        self._resolved: dict[int, Schema] = {}

    def resolve(self, schema: object) -> Schema:
        """The schema itself, with what it refers to; what it says itself counts more."""
        if not isinstance(schema, dict):
            return {}
        if "$ref" not in schema:
            return schema
        if id(schema) not in self._resolved:
            name = str(schema["$ref"]).removeprefix("#/$defs/")
            above = self.resolve(cast(Mapping[str, object], self.root["$defs"])[name])
            own = {key: value for key, value in schema.items() if key != "$ref"}
            self._resolved[id(schema)] = {**above, **own}
        return self._resolved[id(schema)]

    def below(self, schema: Schema, key: str | int) -> Schema:
        """The schema of what stands under a key or index; empty where anything may."""
        if isinstance(key, int):
            return self.resolve(schema.get("items"))
        return self.resolve(properties(schema).get(key, schema.get("additionalProperties")))

    def at(self, path: Sequence[str | int]) -> Schema:
        schema = self.resolve(self.root)
        for key in path:
            schema = self.below(schema, key)
        return schema

    def key_of(self, path: Sequence[str | int]) -> str:
        """The dotted key of a path, without names that people chose: `provider.operations.request.path`."""
        keys, schema = [self.prefix], self.resolve(self.root)
        for step in path:
            if isinstance(step, str) and step in properties(schema):
                keys.append(step)
            schema = self.below(schema, step)
        return ".".join(keys)

    def documented(self) -> Iterator[tuple[str, Schema]]:
        """Every key once, with its dotted name."""
        return ((name, self.resolve(entry)) for name, entry in self.entries())

    def entry(self, schema: object) -> Schema:
        """Where a schema stands: its own place, or that of the one that it is nothing but a reference to."""
        if isinstance(schema, dict) and set(schema) == {"$ref"}:
            name = str(schema["$ref"]).removeprefix("#/$defs/")
            return cast(Mapping[str, Schema], self.root["$defs"])[name]
        return cast(Schema, schema)

    def entries(self) -> Iterator[tuple[str, Schema]]:
        """Every key with its entry in the file, which several names may lead to."""
        yield from self._entries(self.prefix, self.resolve(self.root), frozenset())

    def _entries(self, name: str, schema: Schema, above: frozenset[int]) -> Iterator[tuple[str, Schema]]:
        # What refers to itself is told once; a reference has its target's very properties.
        if id(schema.get("properties")) in above:
            return
        above |= {id(schema["properties"])} if "properties" in schema else frozenset()
        for inside in ("additionalProperties", "items"):
            if isinstance(schema.get(inside), Mapping):
                yield from self._entries(name, self.resolve(schema[inside]), above)
        for key, child in properties(schema).items():
            yield f"{name}.{key}", self.entry(child)
            yield from self._entries(f"{name}.{key}", self.resolve(child), above)
