"""YAML read into nodes that know where they stand.

YAML 1.2's core schema with three tightenings: only `true` and `false` are booleans, a number with a leading
zero stays text, and what JSON cannot say (`.inf`, `.nan`) is a problem. Duplicate keys are problems, aliases
are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Union, cast

import msgspec
import yaml

from runner.definitions.problems import Problem
from runner.definitions.yaml_traps import syntax_problem, trap_of
from runner.errors import Place

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 60
MAX_NODES: Final = 20_000

_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)?(\.[0-9]+|\.)?([eE][-+]?[0-9]+)?")
_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CORE = "tag:yaml.org,2002:"


class Scalar(msgspec.Struct, frozen=True):
    """A text, number, boolean or null."""

    value: str | int | float | bool | None
    #: as text, whatever it was read as
    text: str
    place: Place
    #: the offset of its first character in the file
    start: int
    #: "" for plain, or the character that opens it: ' " | >
    style: str
    file: File

    @property
    def data(self) -> str | int | float | bool | None:
        return self.value

    def at(self, offset: int) -> Place:
        """The place of a character of the text; exact unless line breaks were folded or escapes used."""
        return self.file.place_in(self, offset)


class Mapping(msgspec.Struct, frozen=True):
    """Keys and what is below them, in the order of the file."""

    entries: dict[str, Node]
    keys: dict[str, Scalar]
    place: Place

    @property
    def data(self) -> dict[str, object]:
        return {key: node.data for key, node in self.entries.items()}


class Sequence(msgspec.Struct, frozen=True):
    """A list."""

    items: list[Node]
    place: Place

    @property
    def data(self) -> list[object]:
        return [node.data for node in self.items]


Node = Union[Scalar, Mapping, Sequence]  # noqa: UP007 - the classes above name it before it is defined


class File:
    """A file's name and text, to find places in."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    def place(self, mark: yaml.Mark) -> Place:
        return Place(self.name, mark.line + 1, mark.column + 1)

    def place_in(self, scalar: Scalar, offset: int) -> Place:
        if scalar.style in ("|", ">"):
            return self._place_in_block(scalar, offset)
        first = scalar.start + (1 if scalar.style else 0)
        wanted = scalar.text[max(0, offset - 12) : offset + 12]
        if self.text.startswith(scalar.text, first):
            return self.place_at(first + offset)
        near = self.text.find(wanted, first, first + 3 * len(scalar.text) + 80) if wanted.strip() else -1
        return self.place_at(near + min(offset, 12)) if near >= 0 else scalar.place

    def _place_in_block(self, scalar: Scalar, offset: int) -> Place:
        """In a block the text is found again word by word: folding changes only the space between."""
        position = self.text.find("\n", scalar.start) + 1
        for char in scalar.text[:offset]:
            if char.isspace():
                continue
            position = self.text.find(char, position) + 1
            if position == 0:
                return scalar.place
        if offset < len(scalar.text):
            position = self.text.find(scalar.text[offset], position)
        return self.place_at(max(position, scalar.start))

    def place_at(self, index: int) -> Place:
        line = self.text.count("\n", 0, index) + 1
        return Place(self.name, line, index - (self.text.rfind("\n", 0, index) + 1) + 1)


def read(content: str | bytes, name: str) -> tuple[Node | None, list[Problem]]:
    """Reads one file.

    Args:
        content: the file's text or bytes (UTF-8, a byte order mark is fine).
        name: how messages name the file.

    Returns:
        The node at the top, or None where there is none to speak of, and all problems found.
    """
    text, problem = _decode(content, name)
    if problem:
        return None, [problem]
    file = File(name, text)
    control = _CONTROL.search(text)
    if control:
        message = f"the control character U+{ord(control[0]):04X} cannot stand in YAML"
        return None, [Problem(file.place_at(control.start()), message, code="yaml-syntax")]
    return _Composer(file).document()


def _decode(content: str | bytes, name: str) -> tuple[str, Problem | None]:
    if len(content) > MAX_BYTES:
        return "", Problem(
            Place(name), "the file is larger than 1 MiB", suggestion="split it", code="too-large"
        )
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
    except UnicodeDecodeError as exc:
        before = content[: exc.start]
        place = Place(name, before.count(b"\n") + 1, exc.start - (before.rfind(b"\n") + 1) + 1)  # type: ignore[arg-type]
        message = f"the file is not UTF-8: byte 0x{exc.object[exc.start]:02x} at offset {exc.start}"
        return "", Problem(place, message, suggestion="save it as UTF-8", code="not-utf8")
    return text.replace("\r\n", "\n"), None


class _Composer:
    """Turns libyaml's events into nodes."""

    def __init__(self, file: File) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.anchors: dict[str, Node | None] = {}
        self.nodes = 0

    def document(self) -> tuple[Node | None, list[Problem]]:
        # The C loader's marks count bytes-free characters, as ours do.
        events = yaml.parse(self.file.text, Loader=yaml.CSafeLoader)
        top: Node | None = None
        try:
            for event in events:
                if isinstance(event, yaml.DocumentStartEvent) and top is not None:
                    message = "a second document begins here; a definition is one document"
                    self._add(_mark(event), message, "yaml-documents", "remove the `---`", 3)
                    break
                if isinstance(event, yaml.NodeEvent):
                    top = self._node(event, events, 0)
        except yaml.MarkedYAMLError as exc:
            return None, [syntax_problem(exc, self.file.name, self.file.text)]
        except yaml.YAMLError as exc:
            return None, [
                Problem(Place(self.file.name), f"the file cannot be read: {exc}", code="yaml-syntax")
            ]
        except _TooMuch as exc:
            return None, [exc.problem]
        if top is None and not self.problems:
            message = "the file is empty"
            self.problems.append(Problem(Place(self.file.name), message, code="empty"))
        return (None if self.problems else top), self.problems

    def _add(
        self, mark: yaml.Mark, message: str, code: str, suggestion: str | None = None, length: int = 1
    ) -> None:
        self.problems.append(Problem(self.file.place(mark), message, length, suggestion, code=code))

    def _stop(self, mark: yaml.Mark, message: str, code: str) -> _TooMuch:
        return _TooMuch(Problem(self.file.place(mark), message, code=code))

    def _node(self, event: yaml.NodeEvent, events: Iterator[yaml.Event], depth: int) -> Node:
        self._count(event, 1)
        if depth > MAX_DEPTH:
            raise self._stop(_mark(event), f"nested more than {MAX_DEPTH} levels deep", "too-deep")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.anchor:
            self.anchors[event.anchor] = None
        node = self._fresh(event, events, depth)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def _fresh(self, event: yaml.NodeEvent, events: Iterator[yaml.Event], depth: int) -> Node:
        self._check_tag(event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, events, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, events, depth)
        return self._scalar(cast(yaml.ScalarEvent, event))

    def _count(self, event: yaml.Event, size: int) -> None:
        self.nodes += size
        if self.nodes > MAX_NODES:
            message = f"the file unfolds to more than {MAX_NODES:,} values"
            raise self._stop(_mark(event), message, "alias-bomb")

    def _alias(self, event: yaml.AliasEvent) -> Node:
        node = self.anchors.get(str(event.anchor), ...)
        if node is ... or node is None:
            what = "is not defined above" if node is ... else "contains itself"
            raise self._stop(_mark(event), f"the alias `*{event.anchor}` {what}", "yaml-alias")
        self._count(event, _size(node))
        return node

    def _check_tag(self, event: yaml.NodeEvent) -> None:
        tag = getattr(event, "tag", None)
        if tag is None or tag == "!" or tag in (_CORE + "str", _CORE + "map", _CORE + "seq"):
            return
        if isinstance(event, yaml.ScalarEvent) and tag in (
            _CORE + "int",
            _CORE + "float",
            _CORE + "bool",
            _CORE + "null",
        ):
            return
        shown = tag.replace(_CORE, "!!")
        message = f"the tag `{shown}` is not allowed; definitions are plain data"
        self._add(_mark(event), message, "yaml-tag", "remove the tag", len(shown))

    def _sequence(self, start: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Sequence:
        items: list[Node] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(cast(yaml.NodeEvent, event), events, depth + 1))
        return Sequence(items, self.file.place(_mark(start)))

    def _mapping(self, start: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Mapping:
        mapping = Mapping({}, {}, self.file.place(_mark(start)))
        merges: list[tuple[yaml.Mark, Node]] = []
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._node(cast(yaml.NodeEvent, event), events, depth + 1)
            value = self._node(cast(yaml.NodeEvent, next(events)), events, depth + 1)
            if not isinstance(key, Scalar):
                at, message, mend = trap_of(self.file.text, _mark(start).index)
                length = len(mend) - len('write: ""') if mend else 1
                place = self.file.place_at(at) if at >= 0 else self.file.place(_mark(event))
                self.problems.append(Problem(place, message, length, mend, code="yaml-key"))
            elif key.text == "<<" and key.style == "":
                merges.append((_mark(event), value))
            else:
                self._put(mapping, key, value)
        for mark, value in merges:
            self._merge(mapping, mark, value)
        return mapping

    def _put(self, mapping: Mapping, key: Scalar, value: Node) -> None:
        first = mapping.keys.get(key.text)
        if first is not None:
            message = (
                f"the key `{key.text}` stands here twice; it was given in line {first.place.line} already"
            )
            problem = Problem(
                key.place, message, max(1, len(key.text)), "remove one of them", code="duplicate-key"
            )
            self.problems.append(problem)
            return
        mapping.entries[key.text] = value
        mapping.keys[key.text] = key

    def _merge(self, mapping: Mapping, mark: yaml.Mark, value: Node) -> None:
        for part in value.items if isinstance(value, Sequence) else [value]:
            if not isinstance(part, Mapping):
                self._add(mark, "`<<` takes a map, or a list of maps", "yaml-merge", None, 2)
                return
            for key, node in part.entries.items():
                mapping.entries.setdefault(key, node)
                mapping.keys.setdefault(key, part.keys[key])

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        text, mark = event.value, _mark(event)
        style = event.style or ""
        plain = event.implicit[0] and not style
        value: str | int | float | bool | None = text
        if plain or (event.tag or "").removeprefix(_CORE) in ("int", "float", "bool", "null"):
            value = self._resolve(text, mark)
        if isinstance(value, str) and text.count("{{") != text.count("}}"):
            self._unclosed(text, mark, cast(yaml.Mark, event.end_mark))
        return Scalar(value, text, self.file.place(mark), mark.index, style, self.file)

    def _unclosed(self, text: str, mark: yaml.Mark, end: yaml.Mark) -> None:
        if self.file.text[end.index : end.index + 2] == " #":
            message = "` #` begins a comment, and cuts the template in front of it"
            self._add(end, message, "yaml-comment", "put the whole value between quotes", 2)

    def _resolve(self, text: str, mark: yaml.Mark) -> str | int | float | bool | None:
        if text.lower() in (".inf", "+.inf", "-.inf", ".nan"):
            message = f"`{text}` is no number that JSON can say"
            self._add(mark, message, "yaml-number", "quote it if it is text", len(text))
            return None
        if text in _WORDS:
            return _WORDS[text]
        if _INT.fullmatch(text):
            return int(text) if len(text) < 40 else text
        if _BASE.fullmatch(text):
            return int(text, 0)
        if text[-1:] != "." and any(char.isdigit() for char in text) and _FLOAT.fullmatch(text):
            return float(text)
        return text


class _TooMuch(Exception):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem


def _mark(event: yaml.Event) -> yaml.Mark:
    return cast(yaml.Mark, event.start_mark)


def _size(node: Node) -> int:
    if isinstance(node, Mapping):
        return 1 + sum(_size(child) for child in node.entries.values())
    if isinstance(node, Sequence):
        return 1 + sum(_size(child) for child in node.items)
    return 1


def find(node: Node, path: list[str | int]) -> Node:
    """The node at a path; the deepest that is there where it ends early."""
    for step in path:
        if isinstance(node, Mapping) and step in node.entries:
            node = node.entries[str(step)]
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
    return node


def blank(text: str) -> Scalar:
    """A text that stands in no file."""
    return Scalar(text, text, Place("(none)"), 0, "", File("(none)", text))


EMPTY: Final = Mapping({}, {}, Place("(none)"))
