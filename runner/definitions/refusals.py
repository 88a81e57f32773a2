"""What a schema refuses in a file, said in one sentence each, with the place and the mend.

The keywords of draft 2020-12 that the schemas use, walked side by side with the nodes that they are about.
Tests hold the verdicts against a validator of the whole standard, and ask that no other keyword is used.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple, cast

from runner.definitions import yaml
from runner.definitions.schema import KindSchema, Schema, properties
from runner.definitions.values import TYPE_WORDS, describe, short
from runner.definitions.words import did_you_mean, nearest
from runner.errors import Place, Problem

_Path = list[str | int]

#: what people write for a boolean, in YAML 1.1 and elsewhere
_TRUTH: Final = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
#: limits of numbers: whether one is kept, and in words
_NUMBERS: Final[Mapping[str, tuple[Callable[[float, float], bool], str]]] = {
    "minimum": (operator.ge, "must be at least"), "maximum": (operator.le, "must be at most"),
    "exclusiveMinimum": (operator.gt, "must be more than"),
    "exclusiveMaximum": (operator.lt, "must be less than"),
    "multipleOf": (lambda found, unit: found % unit == 0, "must be a multiple of"),
}  # fmt: skip
#: limits of how much there is of what: characters, items, keys
_COUNTS: Final = {
    "minLength": "string", "maxLength": "string", "minItems": "array", "maxItems": "array",
    "minProperties": "object", "maxProperties": "object",
}  # fmt: skip
_PLAIN = re.compile(r"[\w.-]+")
#: keys that a message lists whole
_MAX_LISTED = 14


class Refusal(NamedTuple):
    """Why a value is none that a schema allows."""

    message: str
    mend: str | None
    #: the keyword that refuses it
    code: str


class Checker:
    """Holds files of one kind against their schema."""

    def __init__(self, schemas: KindSchema) -> None:
        self._schemas = schemas

    def check(self, node: yaml.Node, subject: str = "the file") -> list[Problem]:
        """What the schema refuses.

        Args:
            subject: how sentences call the whole.
        """
        return _without_echoes(list(self._refused(node, self._schemas.root, [], subject)))

    def _refused(self, node: yaml.Node, schema: Schema, path: _Path, subject: str) -> Iterator[Problem]:
        if not schema:
            return
        found = list(refusals(schema, node, subject))
        see = self._schemas.key_of(path) if found else ""
        for message, mend, code in found:
            yield Problem(node.place, message, node.width, mend, see, code)
        if isinstance(node, yaml.Mapping):
            yield from self._keys(node, schema, path)
        for step, child in _children(node):
            below = [*path, step]
            yield from self._refused(child, self._schemas.below(schema, step), below, _subject(below))

    def _keys(self, node: yaml.Mapping, schema: Schema, path: _Path) -> Iterator[Problem]:
        if schema.get("additionalProperties") is False:
            known = properties(schema)
            yield from (self._unknown(node, key, path) for key in node.entries if key not in known)
        names = cast(Schema, schema.get("propertyNames", {}))
        for key in node.entries if names else ():
            if not _matches(names, key):
                yield self._bad_name(node, key, names, path)
        for key in cast(list[str], schema.get("required", [])):
            if key not in node.entries:
                yield self._missing(node, key, "", path)
        for one, needed in cast(Mapping[str, list[str]], schema.get("dependentRequired", {})).items():
            missing = [key for key in needed if key not in node.entries] if one in node.entries else []
            yield from (self._missing(node, key, f": `{one}` needs it", path) for key in missing)
        for rule, how in (("x-exactly-one", "exactly"), ("x-at-most-one", "at most")):
            if rule in schema:
                yield from self._choice(node, cast(list[str], schema[rule]), how, path)

    def _unknown(self, node: yaml.Mapping, key: str, path: _Path) -> Problem:
        known = sorted(properties(self._schemas.at(path)))
        guess = nearest(key, known)
        listed = f"known here: {', '.join(known)}" if len(known) <= _MAX_LISTED else None
        mend = did_you_mean(key, known, listed)
        if not _PLAIN.fullmatch(key) and node.entries[key].data is None:
            mend = "a `,` ends a value in `{…}`: put the whole value between quotes"
        see = self._schemas.key_of([*path, guess] if guess else path)
        return Problem(_place_of(node, key), f"unknown key `{key}`", len(key), mend, see, "unknown-key")

    def _missing(self, node: yaml.Mapping, key: str, why: str, path: _Path) -> Problem:
        see = f"{self._schemas.key_of(path)}.{key}"
        return Problem(node.place, f"`{key}` is missing{why}", 1, f"add `{key}: …`", see, "missing-key")

    def _bad_name(self, node: yaml.Mapping, name: str, names: Schema, path: _Path) -> Problem:
        message, width = f"`{name}` cannot be a name here", max(1, len(name))
        see = self._schemas.key_of(path)
        return Problem(_place_of(node, name), message, width, _expected(names), see, "name")

    def _choice(self, node: yaml.Mapping, options: list[str], how: str, path: _Path) -> Iterator[Problem]:
        there = [key for key in options if key in node.entries]
        rule = f"this takes {how} one of {', '.join(f'`{key}`' for key in options)}"
        if len(there) > 1:
            place, width = node.keys[there[1]].place, len(there[1])
            message, mend = f"{rule}; found {' and '.join(f'`{key}`' for key in there)}", "remove one"
        elif not there and how == "exactly":
            place, width, message, mend = node.place, 1, f"{rule}; found none", None
        else:
            return
        yield Problem(place, message, width, mend, self._schemas.key_of(path), "choice")


def _without_echoes(problems: list[Problem]) -> list[Problem]:
    """A key that is missing because it is misspelt is told once, where it is misspelt."""
    meant = {problem.see for problem in problems if problem.code == "unknown-key"}
    return [problem for problem in problems if problem.code != "missing-key" or problem.see not in meant]


def _children(node: yaml.Node) -> list[tuple[str | int, yaml.Node]]:
    if isinstance(node, yaml.Mapping):
        return list(node.entries.items())
    return list(enumerate(node.items)) if isinstance(node, yaml.Sequence) else []


def _subject(path: _Path) -> str:
    last, above = path[-1], next((f" of `{key}`" for key in path[-2::-1] if isinstance(key, str)), "")
    return f"item {last + 1}{above}" if isinstance(last, int) else f"`{last}`"


def _place_of(node: yaml.Mapping, key: str) -> Place:
    return node.keys[key].place if key in node.keys else node.place


def refusals(schema: Schema, node: yaml.Node, subject: str) -> Iterator[Refusal]:
    """Why a node is not what a schema allows, without what is within it.

    Args:
        subject: how the sentences call the node.
    """
    types = cast("str | list[str]", schema.get("type", []))
    types = [types] if isinstance(types, str) else types
    listed = cast(list[object], schema.get("enum", [schema["const"]] if "const" in schema else []))
    if types and not any(_is(node, one) for one in types):
        # `"1"` where only `1` can stand is of the wrong type; of everything else, what could stand is told.
        wanted = listed and str(node.data) not in map(str, listed)
        yield _not_among(subject, node, listed) if wanted else _mistyped(schema, subject, types, node)
    elif listed and not any(_same(node.data, option) for option in listed):
        yield _not_among(subject, node, listed)
    else:
        yield from _beyond(schema, subject, node)


def _is(node: yaml.Node, kind: str) -> bool:
    if isinstance(node, (yaml.Mapping, yaml.Sequence)):
        return kind == ("object" if isinstance(node, yaml.Mapping) else "array")
    value = node.value
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, str) or value is None:
        return kind == ("null" if value is None else "string")
    return kind == "number" or (kind == "integer" and float(value).is_integer())


def _same(one: object, other: object) -> bool:
    return _canonical(one) == _canonical(other)


def _canonical(value: object) -> str:
    """Equal for what JSON Schema takes for the same: `1` and `1.0`, and not `true`."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_canonical(value[key])}" for key in sorted(value)) + "}"
    return f"[{','.join(map(_canonical, value))}]" if isinstance(value, list) else json.dumps(value)


def _mistyped(schema: Schema, subject: str, types: list[str], node: yaml.Node) -> Refusal:
    found = describe(node.data)
    if "x-pattern-message" in schema and node.data is not None:
        return Refusal(f"{subject} cannot be {found}", _expected(schema), "type")
    wanted = " or ".join(TYPE_WORDS[one] for one in types)
    return Refusal(f"{subject} must be {wanted}, found {found}", _type_mend(types, node), "type")


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


def _not_among(subject: str, node: yaml.Node, options: list[object]) -> Refusal:
    known = [short(option) for option in options]
    allowed = ", ".join(f"`{option}`" for option in known)
    message = f"{subject} cannot be {describe(node.data)}; it can be {allowed}"
    return Refusal(message, did_you_mean(str(node.data), known), "enum")


def _beyond(schema: Schema, subject: str, node: yaml.Node) -> Iterator[Refusal]:
    """Patterns and limits that a value of the right type does not keep."""
    value = node.value if isinstance(node, yaml.Scalar) else None
    if isinstance(value, str) and not _matches(schema, value):
        yield Refusal(f"{subject} cannot be {describe(value)}", _expected(schema), "pattern")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        for keyword, (kept, words) in _NUMBERS.items():
            limit = cast("float | None", schema.get(keyword))
            if limit is not None and not kept(value, limit):
                yield Refusal(f"{subject} {words} {limit}, found {value}", None, keyword)
    for keyword, kind in _COUNTS.items():
        if keyword in schema and _is(node, kind):
            yield from _miscounted(keyword, cast(int, schema[keyword]), subject, node)
    if schema.get("uniqueItems") and _is(node, "array"):
        items = [_canonical(child.data) for _, child in _children(node)]
        if len(set(items)) < len(items):
            yield Refusal(f"{subject} must not have the same item twice", None, "uniqueItems")


def _miscounted(keyword: str, limit: int, subject: str, node: yaml.Node) -> Iterator[Refusal]:
    least, of_text = keyword.startswith("min"), isinstance(node, yaml.Scalar)
    count = len(node.text) if isinstance(node, yaml.Scalar) else len(_children(node))
    if (count >= limit) if least else (count <= limit):
        return
    bound = f"{'be' if of_text else 'have'} at {'least' if least else 'most'}"
    if of_text:
        amount, found = f"{limit} character{'' if limit == 1 else 's'} long", str(count)
    else:
        amount, found = "one entry" if limit == 1 else f"{limit} entries", str(count or "none")
    yield Refusal(f"{subject} must {bound} {amount}, found {found}", None, keyword)


def _matches(schema: Schema, text: str) -> bool:
    """Whether a text keeps to a pattern, where there is one; its `$` is the end and nothing before it."""
    if "pattern" not in schema:
        return True
    pattern = str(schema["pattern"])
    if pattern.endswith("$"):
        pattern = rf"{pattern[:-1]}\Z"
    return re.search(pattern, text, re.ASCII) is not None


def _expected(schema: Schema) -> str:
    plain = f"something that matches {schema.get('pattern')}"
    return f"expected {schema.get('x-pattern-message', plain)}"
