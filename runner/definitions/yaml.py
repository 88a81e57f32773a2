"""YAML read into nodes that know where they stand.

YAML 1.2's core schema with three tightenings: only `true` and `false` are booleans, a number with a leading
zero stays text, and what JSON cannot say (`.inf`, `1e999`) is a problem. Duplicate keys are problems, aliases
are bounded.
"""

from __future__ import annotations

import math
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
#: values that a file may hold
MAX_NODES: Final = 100_000
#: values that its aliases may add
MAX_UNFOLDED: Final = 20_000

_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]+)?)([eE][-+]?[0-9]+)?")
_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}
#: what libyaml refuses or takes for a line break that no editor shows as one
_CONTROL = re.compile("[^\t\n -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_BRACES = (("{{", "}}"), ("{%", "%}"), ("{#", "#}"))
_COMMENT = re.compile(r"[ \t]+#")
_TIGHT_COLON = re.compile(r"([\w-]+):([^\s:/].*)")
_TIGHT_DASH = re.compile(r"-[^\W\d].*\n\s*-\w", re.DOTALL)
_CORE = "tag:yaml.org,2002:"
_TAGGED: Final = {"int": (int,), "float": (int, float), "bool": (bool,), "null": (type(None),)}


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
        kind = "control character" if control[0] < "\xa0" else "character"
        message = f"the {kind} U+{ord(control[0]):04X} cannot stand in YAML"
        place = file.place_at(control.start())
        return None, [Problem(place, message, suggestion="remove it", code="yaml-syntax")]
    return _Composer(file).document()


def _decode(content: str | bytes, name: str) -> tuple[str, Problem | None]:
    if len(content) > MAX_BYTES:
        return "", Problem(
            Place(name), "the file is larger than 1 MiB", suggestion="split it", code="too-large"
        )
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
    except UnicodeDecodeError as exc:
        before = _one_break(exc.object[: exc.start].decode())
        place = File(name, before).place_at(len(before))
        message = f"the file is not UTF-8: byte 0x{exc.object[exc.start]:02x} at offset {exc.start}"
        if exc.object.startswith((b"\xff\xfe", b"\xfe\xff")):
            message = "the file is UTF-16, not UTF-8"
        return "", Problem(place, message, suggestion="save it as UTF-8", code="not-utf8")
    return _one_break(text.removeprefix("\ufeff")), None


def _one_break(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


class _Composer:
    """Turns libyaml's events into nodes."""

    def __init__(self, file: File) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.anchors: dict[str, Node | None] = {}
        self.nodes = 0
        self.unfolded = 0

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
        if isinstance(top, Scalar) and top.style == "":
            self._check_spacing(top)
            top = top if top.text else None
        if top is None and not self.problems:
            self.problems.append(Problem(Place(self.file.name), "the file is empty", code="empty"))
        return (None if self.problems else top), self.problems

    def _add(
        self, mark: yaml.Mark, message: str, code: str, suggestion: str | None = None, length: int = 1
    ) -> None:
        self.problems.append(Problem(self.file.place(mark), message, length, suggestion, code=code))

    def _stop(self, mark: yaml.Mark, message: str, code: str) -> _TooMuch:
        return _TooMuch(Problem(self.file.place(mark), message, code=code))

    def _node(self, event: yaml.NodeEvent, events: Iterator[yaml.Event], depth: int) -> Node:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self._stop(_mark(event), f"the file holds more than {MAX_NODES:,} values", "too-large")
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

    def _alias(self, event: yaml.AliasEvent) -> Node:
        node = self.anchors.get(str(event.anchor), ...)
        if node is ... or node is None:
            what = "is not defined above" if node is ... else "contains itself"
            raise self._stop(_mark(event), f"the alias `*{event.anchor}` {what}", "yaml-alias")
        self.unfolded += _size(node)
        if self.unfolded > MAX_UNFOLDED:
            message = f"the file unfolds to more than {MAX_UNFOLDED:,} values"
            raise self._stop(_mark(event), message, "alias-bomb")
        return node

    def _check_tag(self, event: yaml.NodeEvent) -> None:
        tag = getattr(event, "tag", None)
        allowed = ("str", *_TAGGED) if isinstance(event, yaml.ScalarEvent) else ("map", "seq")
        if tag is None or tag in [_CORE + name for name in allowed]:
            return
        shown = tag.replace(_CORE, "!!")
        message = f"the tag `{shown}` is not allowed; definitions are plain data"
        mend = "remove the tag" if tag.startswith(_CORE) else "for `not` write `not …`; for text, use quotes"
        self._add(_mark(event), message, "yaml-tag", mend, len(shown))

    def _sequence(self, start: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Sequence:
        items: list[Node] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(cast(yaml.NodeEvent, event), events, depth + 1))
        return Sequence(items, self.file.place(_mark(start)))

    def _mapping(self, start: yaml.MappingStartEvent, events: Iterator[yaml.Event], depth: int) -> Mapping:
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
                if start.flow_style and isinstance(value, Scalar) and not value.text + value.style:
                    self._check_spacing(key)
                self._put(mapping, key, value)
        for mark, value in merges:
            self._merge(mapping, mark, value)
        return mapping

    def _put(self, mapping: Mapping, key: Scalar, value: Node) -> None:
        first = mapping.keys.get(key.text)
        if first is not None:
            line = first.place.line
            message = f"the key `{key.text}` stands here twice; it was given in line {line} already"
            length, mend = max(1, len(key.text)), "remove one of them"
            self.problems.append(Problem(key.place, message, length, mend, code="duplicate-key"))
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
        tag = (event.tag or "").removeprefix(_CORE)
        value: str | int | float | bool | None = text
        if tag in _TAGGED or (event.implicit[0] and not style):
            value = self._resolve(text, mark)
        if tag in _TAGGED and not isinstance(value, _TAGGED[tag]):
            self._add(mark, f"`{text}` is not what the tag `!!{tag}` says", "yaml-tag", "remove the tag")
        if isinstance(value, str) and not style:
            self._check_plain(text, mark, cast(yaml.Mark, event.end_mark))
        return Scalar(value, text, self.file.place(mark), mark.index, style, self.file)

    def _check_plain(self, text: str, mark: yaml.Mark, end: yaml.Mark) -> None:
        """Text that YAML reads without a word, though not as it was meant."""
        comment = _COMMENT.match(self.file.text, end.index)
        if comment and any(text.count(opened) != text.count(closed) for opened, closed in _BRACES):
            message = "` #` begins a comment, and cuts the template in front of it"
            place = self.file.place_at(comment.end() - 2)
            mend = "put the whole value between quotes"
            self.problems.append(Problem(place, message, 2, mend, code="yaml-comment"))
        if text[:1] == "-" and _TIGHT_DASH.match(self.file.text[mark.index : end.index]):
            mend = f"write: - {text.split(' -')[0][1:]}"
            self._add(mark, "a space is missing behind the `-` of a list item", "yaml-dash", mend)

    def _check_spacing(self, scalar: Scalar) -> None:
        """`key:value` where a map was meant."""
        if not scalar.style and _TIGHT_COLON.fullmatch(scalar.text):
            mend = _TIGHT_COLON.sub(r"write: \1: \2", scalar.text)
            message, length = "a space is missing behind the `:`", len(scalar.text)
            self.problems.append(Problem(scalar.place, message, length, mend, code="yaml-colon"))

    def _resolve(self, text: str, mark: yaml.Mark) -> str | int | float | bool | None:
        value = _resolved(text)
        if isinstance(value, float) and not math.isfinite(value):
            message = f"`{text}` is no number that JSON can say"
            self._add(mark, message, "yaml-number", "quote it if it is text", len(text))
            return None
        return value


def _resolved(text: str) -> str | int | float | bool | None:
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text) if len(text) < 40 else text
    if _BASE.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text) or text.lower().lstrip("+-") in (".inf", ".nan"):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
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
        if isinstance(node, Mapping) and str(step) in node.entries:
            node = node.entries[str(step)]
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            break
    return node


def blank(text: str) -> Scalar:
    """A text that stands in no file."""
    return Scalar(text, text, Place("(none)"), 0, "", File("(none)", text))


EMPTY: Final = Mapping({}, {}, Place("(none)"))
