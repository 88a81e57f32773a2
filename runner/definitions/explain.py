"""`terapi explain KEY`, and the reference in docs/, both told by the schemas alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import cast

from runner.definitions.schema import KINDS, KindSchema, Schema, SchemaBook, properties
from runner.definitions.words import did_you_mean, nearest, there_are
from runner.errors import UsageError

_KIND_OF = {
    "provider": "providers", "providers": "providers", "sync": "sync", "syncs": "sync",
    "workflow": "workflow", "workflows": "workflow", "test": "test", "tests": "test",
}  # fmt: skip
_WORDS = {
    "string": "text", "integer": "whole number", "number": "number", "boolean": "true or false",
    "array": "list", "object": "map",
}  # fmt: skip


def explain(key: str, book: SchemaBook) -> str:
    """What a key means: its type, its description, its default, examples and what stands below it.

    Args:
        key: dotted, beginning with `provider`, `sync`, `workflow` or `test`; names that people chose may be
            left out.

    Raises:
        UsageError: there is no such key.
    """
    first, *rest = key.split(".")
    if first not in _KIND_OF:
        hint = did_you_mean(first, _KIND_OF, "keys begin with provider, sync, workflow or test")
        raise UsageError(f"there is no kind of definition called `{first}`", hint=hint)
    kind = book[_KIND_OF[first]]
    schema, name = kind.resolve(kind.root), kind.prefix
    if kind.kind == "providers":
        schema = kind.below(schema, "*")
    for step in rest:
        schema, name = _step(kind, schema, name, step)
    return "\n".join(_page(kind, name, _unfolded(kind, schema)))


def _step(kind: KindSchema, schema: Schema, name: str, step: str) -> tuple[Schema, str]:
    schema = _unfolded(kind, schema)
    known = properties(schema)
    if step in known:
        return kind.resolve(known[step]), f"{name}.{step}"
    inside = schema.get("additionalProperties")
    if isinstance(inside, Mapping):
        below = kind.resolve(inside)
        # The name of an entry may be left out: `operations.request` is `operations.NAME.request`.
        return (
            (kind.resolve(properties(below)[step]), f"{name}.{step}")
            if step in properties(below)
            else (below, name)
        )
    guess = nearest(step, known)
    there = there_are(known) if known else f"nothing stands below `{name}`"
    hint = f"did you mean `{name}.{guess}`?" if guess else there
    raise UsageError(f"`{name}` has no key `{step}`", hint=hint)


def _unfolded(kind: KindSchema, schema: Schema) -> Schema:
    """The schema of a list's items where the list itself has nothing to tell of keys."""
    items = schema.get("items")
    if isinstance(items, Mapping) and not properties(schema):
        inner = kind.resolve(items)
        if properties(inner):
            return {
                **inner,
                "description": schema.get("description", ""),
                "examples": schema.get("examples", []),
            }
    return schema


def _page(kind: KindSchema, name: str, schema: Schema) -> Iterator[str]:
    yield f"{name}  ({type_of(schema)})"
    yield ""
    yield f"  {schema.get('description', '')}"
    if "default" in schema:
        yield f"  Default: {_shown(schema['default'])}"
    for example in cast(list[object], schema.get("examples", [])):
        yield ""
        yield from (f"    {line}" for line in _example(name, example))
    below = properties(schema)
    if not below and isinstance(schema.get("additionalProperties"), Mapping):
        below = properties(kind.resolve(schema["additionalProperties"]))
    if below:
        yield ""
        yield "  Below it:"
        width = max(map(len, below))
        for key, child in below.items():
            first = str(kind.resolve(child).get("description", "")).split(". ")[0].split("; ")[0]
            yield f"    {key:<{width}}  {first}"


def type_of(schema: Schema) -> str:
    """A schema's type in words: expression, template, text, list of text, one of `a`, `b`."""
    if "enum" in schema:
        return "one of " + ", ".join(_shown(value) for value in cast(list[object], schema["enum"]))
    if "const" in schema:
        return f"always {_shown(schema['const'])}"
    types = schema.get("type", "any value")
    names = [_WORDS.get(str(one), str(one)) for one in (types if isinstance(types, list) else [types])]
    form = schema.get("format")
    if form in ("expression", "template", "duration", "size"):
        names = [str(form) if name in ("text", "any value") else name for name in names]
    return " or ".join(names)


def _example(name: str, example: object) -> list[str]:
    key = name.rpartition(".")[2]
    return [f"{key}: {_flow(example)}"]


def _flow(value: object) -> str:
    """A value as YAML in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(inner) for inner in value) + "]"
    return _shown(value)


def _shown(value: object) -> str:
    if isinstance(value, str):
        plain = (
            value and value[0].isalnum() and not set(value) & set("{}[],#&*!|>%@`\"'") and ": " not in value
        )
        return (
            value
            if plain and value not in ("true", "false", "null")
            else json.dumps(value, ensure_ascii=False)
        )
    return json.dumps(value, ensure_ascii=False)


def reference(book: SchemaBook) -> str:
    """docs/reference.md: every key once, in the order of the schemas."""
    lines = [
        "# Reference",
        "",
        "Every key of the language, generated from `schemas/` by `terapi explain --all`.",
    ]
    for kind in KINDS:
        lines += ["", f"## {book[kind].prefix}", "", "| key | type | meaning |", "| --- | --- | --- |"]
        seen: set[str] = set()
        for name, schema in book[kind].documented():
            if name not in seen:
                seen.add(name)
                meaning = str(schema.get("description", "")).replace("|", "\\|")
                lines.append(f"| `{name}` | {type_of(schema).replace('|', '')} | {meaning} |")
    return "\n".join(lines) + "\n"
