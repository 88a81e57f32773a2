"""What a schema refuses in a file, said in one sentence each, with the place and the mend."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, cast

import jsonschema_rs
from jsonschema_rs import ValidationErrorKind as Refusal

from runner.definitions import yaml
from runner.definitions.schema import KindSchema, Schema, properties
from runner.definitions.values import TYPE_WORDS, describe, short
from runner.definitions.words import did_you_mean, nearest
from runner.errors import Place, Problem

_Path = list[str | int]

#: what people write for a boolean, in YAML 1.1 and elsewhere
_TRUTH: Final = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
#: limits in words; `{}` is the limit
_LIMITS: Final = {
    "minimum": "must be at least {}", "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}", "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}", "minItems": "must have at least {}",
    "maxItems": "must have at most {}", "minProperties": "must have at least {}",
    "maxProperties": "must have at most {}", "minLength": "must be at least {} long",
    "maxLength": "must be at most {} long", "uniqueItems": "must not have the same item twice",
}  # fmt: skip
_PLAIN = re.compile(r"[\w.-]+")
#: keys that a message lists whole
_MAX_LISTED = 14


class Checker:
    """Holds files of one kind against their schema."""

    def __init__(self, schemas: KindSchema) -> None:
        self._schemas = schemas
        self._validator = jsonschema_rs.Draft202012Validator(dict(schemas.root), validate_formats=False)

    def check(self, node: yaml.Node) -> list[Problem]:
        """What the schema refuses in a file."""
        errors = _without_twins(list(self._validator.iter_errors(node.data)))
        found = [problem for error in errors for problem in _refused(self._schemas, node, error)]
        return _without_echoes([*found, *_choices(self._schemas, node, self._schemas.root, [])])


def _without_twins(errors: list[jsonschema_rs.ValidationError]) -> list[jsonschema_rs.ValidationError]:
    """One refusal of a value that is neither of the type nor one of the few that it could be.

    `"1"` where only `1` can stand is of the wrong type; of everything else, what could stand is told.
    """
    listed = {
        tuple(error.instance_path): getattr(
            error.kind, "options", [getattr(error.kind, "expected_value", None)]
        )
        for error in errors
        if isinstance(error.kind, (Refusal.Enum, Refusal.Constant))
    }
    mistyped = {tuple(error.instance_path) for error in errors if isinstance(error.kind, Refusal.Type)}
    return [
        error
        for error in errors
        if (at := tuple(error.instance_path)) not in listed
        or at not in mistyped
        or isinstance(error.kind, Refusal.Type) == (str(error.instance) in map(str, listed[at]))
    ]


def _without_echoes(problems: list[Problem]) -> list[Problem]:
    """A key that is missing because it is misspelt is told once, where it is misspelt."""
    meant = {problem.see for problem in problems if problem.code == "unknown-key"}
    return [problem for problem in problems if problem.code != "missing-key" or problem.see not in meant]


def _refused(schemas: KindSchema, top: yaml.Node, error: jsonschema_rs.ValidationError) -> list[Problem]:
    path = _steps(top, error.instance_path)
    node = yaml.find(top, path)
    match error.kind:
        case Refusal.AdditionalProperties(unexpected=keys):
            return [_unknown_key(schemas, node, path, key) for key in keys]
        case Refusal.Required(property=key):
            return [_missing_key(schemas, node, path, key)]
        case Refusal.PropertyNames(error=inner):
            return [_bad_name(schemas, node, path, str(inner.instance))]
    message, mend = sentence(schemas.at(path), _subject(path), error.kind, node)
    return [Problem(node.place, message, node.width, mend, schemas.key_of(path), error.kind.name)]


def _steps(top: yaml.Node, path: Sequence[str | int]) -> _Path:
    """The path with keys as text: the validator makes a number of a key that looks like one (`404`)."""
    steps: _Path = []
    for step in path:
        above = yaml.find(top, steps)
        steps.append(str(step) if isinstance(above, yaml.Mapping) else step)
    return steps


def _subject(path: _Path) -> str:
    if not path:
        return "the file"
    last, above = path[-1], next((f" of `{key}`" for key in path[-2::-1] if isinstance(key, str)), "")
    return f"item {last + 1}{above}" if isinstance(last, int) else f"`{last}`"


def _unknown_key(schemas: KindSchema, node: yaml.Node, path: _Path, key: str) -> Problem:
    known = sorted(properties(schemas.at(path)))
    guess = nearest(key, known)
    listed = f"known here: {', '.join(known)}" if len(known) <= _MAX_LISTED else None
    mend = did_you_mean(key, known, listed)
    if isinstance(node, yaml.Mapping) and not _PLAIN.fullmatch(key) and node.entries[key].data is None:
        mend = "a `,` ends a value in `{…}`: put the whole value between quotes"
    see = schemas.key_of([*path, guess] if guess else path)
    return Problem(_place_of(node, key), f"unknown key `{key}`", len(key), mend, see, "unknown-key")


def _missing_key(schemas: KindSchema, node: yaml.Node, path: _Path, key: str) -> Problem:
    rules = cast(dict[str, list[str]], schemas.at(path).get("dependentRequired", {}))
    there = node.entries if isinstance(node, yaml.Mapping) else {}
    needing = [one for one, needed in rules.items() if key in needed and one in there]
    message = f"`{key}` is missing" + (f": `{needing[0]}` needs it" if needing else "")
    see = f"{schemas.key_of(path)}.{key}"
    return Problem(node.place, message, 1, f"add `{key}: …`", see, "missing-key")


def _bad_name(schemas: KindSchema, node: yaml.Node, path: _Path, name: str) -> Problem:
    names = cast(Schema, schemas.at(path).get("propertyNames", {}))
    expected = f"expected {_pattern(names, str(names.get('pattern', '')))}"
    message, width = f"`{name}` cannot be a name here", max(1, len(name))
    return Problem(_place_of(node, name), message, width, expected, schemas.key_of(path), "name")


def _place_of(node: yaml.Node, key: str) -> Place:
    return node.keys[key].place if isinstance(node, yaml.Mapping) and key in node.keys else node.place


def sentence(schema: Schema, subject: str, refusal: Refusal, node: yaml.Node) -> tuple[str, str | None]:
    """Why a schema refuses a node, and the mend.

    Args:
        subject: how the sentence calls the node.
    """
    found = node.data
    match refusal:
        case Refusal.Type(types=types):
            return _mistyped(schema, subject, types, node)
        case Refusal.Enum(options=options):
            return _not_among(subject, found, options)
        case Refusal.Constant(expected_value=value):
            return _not_among(subject, found, [value])
        case Refusal.Pattern(pattern=pattern):
            return f"{subject} cannot be {describe(found)}", f"expected {_pattern(schema, pattern)}"
        case Refusal.Format(format=form):
            return f"{subject} cannot be {describe(found)}", f"expected the form `{form}`"
    if refusal.name in _LIMITS:
        return _beyond(subject, refusal, found), None
    return f"{subject} is not what the schema allows ({refusal.name})", None


def _mistyped(schema: Schema, subject: str, types: list[str], node: yaml.Node) -> tuple[str, str | None]:
    wanted = " or ".join(TYPE_WORDS[one] for one in types)
    message = f"{subject} must be {wanted}, found {describe(node.data)}"
    if "x-pattern-message" in schema and node.data is not None:
        return f"{subject} cannot be {describe(node.data)}", f"expected {schema['x-pattern-message']}"
    return message, _type_mend(types, node)


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


def _beyond(subject: str, refusal: Refusal, found: object) -> str:
    """A limit that a value does not keep; a number is shown, of a list, map or text it is counted."""
    limit = getattr(refusal, "limit", getattr(refusal, "multiple_of", ""))
    said = f"{subject} {_LIMITS[refusal.name].format(limit)}"
    if refusal.name == "uniqueItems":
        return said
    if isinstance(found, (int, float)):
        return f"{said}, found {found}"
    if isinstance(found, str):
        return said.replace(" long", f" character{'' if limit == 1 else 's'} long") + f", found {len(found)}"
    entries = "one entry" if limit == 1 else f"{limit} entries"
    return f"{said.removesuffix(str(limit))}{entries}, found {len(cast(list[object], found)) or 'none'}"


def _choices(schemas: KindSchema, node: yaml.Node, schema: Schema, path: _Path) -> Iterator[Problem]:
    """The checks of `x-exactly-one` and `x-at-most-one`, all the way down."""
    if not schema:
        return
    if isinstance(node, yaml.Mapping):
        for rule, how in (("x-exactly-one", "exactly"), ("x-at-most-one", "at most")):
            if rule in schema:
                yield from _choice(node, cast(list[str], schema[rule]), how, schemas.key_of(path))
        for key, child in node.entries.items():
            yield from _choices(schemas, child, schemas.below(schema, key), [*path, key])
    elif isinstance(node, yaml.Sequence):
        for index, child in enumerate(node.items):
            yield from _choices(schemas, child, schemas.below(schema, index), [*path, index])


def _choice(node: yaml.Mapping, options: list[str], how: str, see: str) -> Iterator[Problem]:
    there = [key for key in options if key in node.entries]
    rule = f"this takes {how} one of {', '.join(f'`{key}`' for key in options)}"
    if len(there) > 1:
        message = f"{rule}; found {' and '.join(f'`{key}`' for key in there)}"
        yield Problem(node.keys[there[1]].place, message, len(there[1]), "remove one", see, "choice")
    elif not there and how == "exactly":
        yield Problem(node.place, f"{rule}; found none", 1, None, see, "choice")
