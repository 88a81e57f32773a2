"""The JSON Schemas, and what they refuse said in one sentence each.

The same files serve editors (draft 2020-12) and this loader. A few annotations of our own make messages and
checks possible that the standard's keywords say badly: `x-exactly-one` and `x-at-most-one` (a list of keys),
and `x-pattern-message` (a pattern in words).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import cast

import jsonschema_rs
from jsonschema_rs import ValidationErrorKind as Kind

from runner.definitions import yaml
from runner.definitions.problems import Problem
from runner.definitions.resources import schemas_folder
from runner.definitions.values import describe, short
from runner.definitions.words import did_you_mean, nearest

Schema = Mapping[str, object]
KINDS = ("providers", "sync", "workflow")

_TYPES = {
    "string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
    "array": "a list", "object": "a map", "null": "null",
}  # fmt: skip
#: what people write for a boolean, in YAML 1.1 and elsewhere
_TRUTH = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
#: limits in words; `{}` is the limit
_LIMITS = {
    "minimum": "must be at least {}", "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}", "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}", "minItems": "must have at least {}",
    "maxItems": "must have at most {}", "minProperties": "must have at least {}",
    "maxProperties": "must have at most {}", "minLength": "must be at least {} long",
    "maxLength": "must be at most {} long", "uniqueItems": "must not have the same item twice",
}  # fmt: skip


class SchemaBook:
    """The schemas by kind of file: `providers`, `sync`, `workflow`; each is read on first use."""

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

    @cached_property
    def _validator(self) -> jsonschema_rs.Validator:
        return jsonschema_rs.Draft202012Validator(dict(self.root), validate_formats=False)

    def check(self, node: yaml.Node) -> list[Problem]:
        """What the schema refuses in a file."""
        problems: list[Problem] = []
        for error in self._validator.iter_errors(node.data):
            problems += _refused(self, node, error)
        problems += _choices(self, node, self.root, [])
        return _without_echoes(problems)

    def resolve(self, schema: object) -> Schema:
        """The schema itself where ``schema`` only refers to it."""
        while isinstance(schema, Mapping) and "$ref" in schema:
            name = str(schema["$ref"]).removeprefix("#/$defs/")
            schema = cast(Mapping[str, Schema], self.root["$defs"])[name]
        return schema if isinstance(schema, Mapping) else {}

    def below(self, schema: Schema, key: str | int) -> Schema:
        """The schema of what stands under a key or index; empty where anything may."""
        if isinstance(key, int):
            return self.resolve(schema.get("items"))
        properties = cast(Mapping[str, object], schema.get("properties", {}))
        return self.resolve(properties.get(key, schema.get("additionalProperties")))

    def at(self, path: Sequence[str | int]) -> Schema:
        schema = self.resolve(self.root)
        for key in path:
            schema = self.below(schema, key)
        return schema

    def key_of(self, path: Sequence[str | int]) -> str:
        """The dotted key of a path, without names that people chose: `provider.operations.request.path`."""
        keys, schema = [self.prefix], self.resolve(self.root)
        for step in path:
            if isinstance(step, str) and step in cast(Mapping[str, object], schema.get("properties", {})):
                keys.append(step)
            schema = self.below(schema, step)
        return ".".join(keys)

    def documented(self) -> Iterator[tuple[str, Schema]]:
        """Every key once, with its dotted name."""
        yield from _documented(self, self.prefix, self.resolve(self.root), frozenset())


def _documented(
    book: KindSchema, name: str, schema: Schema, above: frozenset[int]
) -> Iterator[tuple[str, Schema]]:
    if id(schema) in above:
        return
    above |= {id(schema)}
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield from _documented(book, name, book.resolve(schema["additionalProperties"]), above)
    if isinstance(schema.get("items"), Mapping):
        yield from _documented(book, name, book.resolve(schema["items"]), above)
    for key, below in cast(Mapping[str, object], schema.get("properties", {})).items():
        inner = book.resolve(below)
        yield f"{name}.{key}", inner
        yield from _documented(book, f"{name}.{key}", inner, above)


def _steps(node: yaml.Node, path: Sequence[str | int]) -> list[str | int]:
    """The path with keys as text: the validator makes a number of a key that looks like one (`404`)."""
    steps: list[str | int] = []
    for step in path:
        above = yaml.find(node, steps)
        steps.append(str(step) if isinstance(above, yaml.Mapping) else step)
    return steps


def _keys(node: yaml.Node) -> Mapping[str, object]:
    return node.entries if isinstance(node, yaml.Mapping) else {}


def _needing(schema: Schema, key: str) -> list[str]:
    """The keys that may not stand without ``key``."""
    rules = cast(Mapping[str, list[str]], schema.get("dependentRequired", {}))
    return [one for one, needed in rules.items() if key in needed]


def _without_echoes(problems: list[Problem]) -> list[Problem]:
    """A key that is missing because it is misspelt is told once, where it is misspelt."""
    meant = {problem.see for problem in problems if problem.code == "unknown-key"}
    return [problem for problem in problems if problem.code != "missing-key" or problem.see not in meant]


def _refused(book: KindSchema, node: yaml.Node, error: jsonschema_rs.ValidationError) -> list[Problem]:
    path = _steps(node, error.instance_path)
    target = yaml.find(node, path)
    see = book.key_of(path)
    match error.kind:
        case Kind.AdditionalProperties(unexpected=keys):
            return [_unknown_key(book, target, path, key) for key in keys]
        case Kind.Required(property=key):
            needs = [one for one in _needing(book.at(path), key) if one in _keys(target)]
            message = f"`{key}` is missing" + (f": `{needs[0]}` needs it" if needs else "")
            return [Problem(target.place, message, 1, f"add `{key}: …`", f"{see}.{key}", "missing-key")]
        case Kind.PropertyNames(error=inner):
            return [_bad_name(book, target, path, inner)]
    last = path[-1] if path else None
    subject = "the file" if last is None else f"item {last + 1}" if isinstance(last, int) else f"`{last}`"
    message, mend = _sentence(book.at(path), subject, error.kind, target)
    return [Problem(target.place, message, _width(target), mend, see, error.kind.name)]


def _sentence(schema: Schema, subject: str, kind: Kind, node: yaml.Node) -> tuple[str, str | None]:
    found = node.data
    match kind:
        case Kind.Type(types=types):
            wanted = " or ".join(_TYPES[one] for one in types)
            return f"{subject} must be {wanted}, found {describe(found)}", _type_mend(types, node)
        case Kind.Enum(options=options):
            return _not_among(subject, found, options)
        case Kind.Constant(expected_value=value):
            return _not_among(subject, found, [value])
        case Kind.Pattern(pattern=pattern):
            return f"{subject} cannot be {describe(found)}", f"expected {_pattern(schema, pattern)}"
    if kind.name in _LIMITS:
        return _beyond(subject, kind, found), None
    return f"{subject} is not what the schema allows ({kind.name})", None


def _beyond(subject: str, kind: Kind, found: object) -> str:
    """A limit that a value does not keep; a number is shown, of a list, map or text it is counted."""
    limit = getattr(kind, "limit", getattr(kind, "multiple_of", ""))
    said = f"{subject} {_LIMITS[kind.name].format(limit)}"
    if isinstance(found, (int, float)):
        return f"{said}, found {found}"
    if isinstance(found, str):
        return said.replace(" long", f" character{'' if limit == 1 else 's'} long") + f", found {len(found)}"
    if kind.name == "uniqueItems":
        return said
    entries = "one entry" if limit == 1 else f"{limit} entries"
    return f"{said.removesuffix(str(limit))}{entries}, found {len(cast(list[object], found)) or 'none'}"


def _type_mend(types: list[str], node: yaml.Node) -> str | None:
    found = node.data
    if found is None:
        return "give it a value, or remove the key"
    if types == ["string"] and isinstance(node, yaml.Scalar):
        return f'write: "{node.text}"'
    if types == ["boolean"] and isinstance(found, str):
        meant = _TRUTH.get(found.lower(), found.lower())
        return f"write: {meant}" if meant in ("true", "false") else None
    if isinstance(found, str) and {"integer", "number"} & set(types):
        return f"write: {found}" if re.fullmatch(r"-?(0|[1-9]\d{0,17})", found) else None
    return None


def _not_among(subject: str, found: object, options: object) -> tuple[str, str | None]:
    known = [short(option) for option in cast(list[object], options)]
    allowed = ", ".join(f"`{option}`" for option in known)
    return f"{subject} cannot be {describe(found)}; it can be {allowed}", did_you_mean(str(found), known)


def _pattern(schema: Schema, pattern: str) -> str:
    return str(schema.get("x-pattern-message", f"something that matches {pattern}"))


def _unknown_key(book: KindSchema, target: yaml.Node, path: list[str | int], key: str) -> Problem:
    known = sorted(cast(Mapping[str, object], book.at(path).get("properties", {})))
    guess = nearest(key, known)
    mend = (
        f"did you mean `{guess}`?"
        if guess
        else f"known here: {', '.join(known)}"
        if len(known) <= 14
        else None
    )
    see = book.key_of([*path, guess]) if guess else book.key_of(path)
    place = target.keys[key].place if isinstance(target, yaml.Mapping) else target.place
    if " " in key and isinstance(target, yaml.Mapping) and target.entries[key].data is None:
        mend = "a `,` ends a value in `{…}`: put the whole value between quotes"
    return Problem(place, f"unknown key `{key}`", len(key), mend, see, "unknown-key")


def _bad_name(
    book: KindSchema, target: yaml.Node, path: list[str | int], error: jsonschema_rs.ValidationError
) -> Problem:
    key = str(error.instance)
    names = cast(Schema, book.at(path).get("propertyNames", {}))
    expected = _pattern(names, str(names.get("pattern", "")))
    place = (
        target.keys[key].place if isinstance(target, yaml.Mapping) and key in target.keys else target.place
    )
    return Problem(
        place,
        f"`{key}` cannot be a name here",
        max(1, len(key)),
        f"expected {expected}",
        book.key_of(path),
        "name",
    )


def _choices(book: KindSchema, node: yaml.Node, schema: Schema, path: list[str | int]) -> list[Problem]:
    """The checks of `x-exactly-one` and `x-at-most-one`, all the way down."""
    problems: list[Problem] = []
    if isinstance(node, yaml.Mapping):
        problems += _choice(book, node, schema, path)
        for key, child in node.entries.items():
            problems += _choices(book, child, book.below(schema, key), [*path, key])
    elif isinstance(node, yaml.Sequence):
        for index, child in enumerate(node.items):
            problems += _choices(book, child, book.below(schema, index), [*path, index])
    return problems


def _choice(book: KindSchema, node: yaml.Mapping, schema: Schema, path: list[str | int]) -> list[Problem]:
    problems = []
    for rule in ("x-exactly-one", "x-at-most-one"):
        options = cast(list[str], schema.get(rule, []))
        there = [key for key in options if key in node.entries]
        listed = ", ".join(f"`{key}`" for key in options)
        how = "exactly" if rule == "x-exactly-one" else "at most"
        if len(there) > 1:
            found = " and ".join(f"`{key}`" for key in there)
            where = node.keys[there[1]]
            message = f"this takes {how} one of {listed}; found {found}"
            problems.append(
                Problem(where.place, message, len(there[1]), "remove one", book.key_of(path), "choice")
            )
        elif not there and options and rule == "x-exactly-one":
            message = f"this takes exactly one of {listed}; found none"
            problems.append(Problem(node.place, message, 1, None, book.key_of(path), "choice"))
    return problems


def _width(node: yaml.Node) -> int:
    if isinstance(node, yaml.Scalar) and node.style not in ("|", ">"):
        return max(1, len(node.text) + (2 if node.style else 0))
    return 1
