"""Bytes read into nodes: one document, plain data, no duplicate keys, bounded aliases."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Final, NoReturn, cast

import yaml

from runner.definitions.yaml.nodes import File, Mapping, Node, Scalar, Sequence, size
from runner.definitions.yaml.scalars import TAGGED, resolve
from runner.definitions.yaml.traps import complex_key, meant_otherwise, syntax_problem, tight_colon
from runner.errors import Place, Problem

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 60
#: values that a file may hold
MAX_NODES: Final = 100_000
#: values that its aliases may add
MAX_UNFOLDED: Final = 20_000

#: what libyaml refuses or takes for a line break that no editor shows as one
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_CORE = "tag:yaml.org,2002:"


def read(content: str | bytes, name: str) -> tuple[Node | None, list[Problem]]:
    """Reads one file.

    Args:
        content: the file's text or bytes (UTF-8, a byte order mark is fine).
        name: how messages name the file.

    Returns:
        The node at the top, or None where there is none to speak of, and all problems found.
    """
    try:
        file = File(name, _decode(content, name))
        _check_characters(file)
        composer = _Composer(file)
        top = composer.document()
    except _Unreadable as exc:
        return None, [exc.problem]
    return (None if composer.problems else top), composer.problems


class _Unreadable(Exception):
    """Reading cannot go on."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


def _decode(content: str | bytes, name: str) -> str:
    if len(content) > MAX_BYTES:
        message = "the file is larger than 1 MiB"
        raise _Unreadable(Problem(Place(name), message, suggestion="split it", code="too-large"))
    if isinstance(content, bytes) and _is_utf16(content):
        message = "the file is UTF-16, not UTF-8"
        raise _Unreadable(Problem(Place(name), message, suggestion="save it as UTF-8", code="not-utf8"))
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
    except UnicodeDecodeError as exc:
        raise _Unreadable(_not_utf8(name, exc)) from exc
    return _one_break(text.removeprefix("\ufeff"))


def _is_utf16(content: bytes) -> bool:
    """By its byte order mark, or by the zeros beside its first letters."""
    return content.startswith((b"\xff\xfe", b"\xfe\xff")) or (len(content) > 1 and b"\0" in content[:2])


def _one_break(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _not_utf8(name: str, error: UnicodeDecodeError) -> Problem:
    before = _one_break(error.object[: error.start].decode())
    message = f"the file is not UTF-8: byte 0x{error.object[error.start]:02x} at offset {error.start}"
    place = File(name, before).place_at(len(before))
    return Problem(place, message, suggestion="save it as UTF-8", code="not-utf8")


def _check_characters(file: File) -> None:
    found = _CONTROL.search(file.text)
    if found:
        kind = "control character" if found[0] < "\xa0" else "character"
        message = f"the {kind} U+{ord(found[0]):04X} cannot stand in YAML"
        place = file.place_at(found.start())
        raise _Unreadable(Problem(place, message, suggestion="remove it", code="yaml-syntax"))


class _Composer:
    """Turns libyaml's events into nodes."""

    def __init__(self, file: File) -> None:
        self.file = file
        self.problems: list[Problem] = []
        # The C loader's marks count characters, as ours do.
        self.events: Iterator[yaml.Event] = yaml.parse(file.text, Loader=yaml.CSafeLoader)
        self.anchors: dict[str, Node | None] = {}
        self.nodes = 0
        self.unfolded = 0

    def document(self) -> Node | None:
        """The node at the top; None where the file holds nothing, which is a problem as well."""
        try:
            top = self._documents()
        except yaml.MarkedYAMLError as exc:
            raise _Unreadable(syntax_problem(exc, self.file.name, self.file.text)) from exc
        except yaml.YAMLError as exc:
            message = f"the file cannot be read: {exc}"
            raise _Unreadable(Problem(Place(self.file.name), message, code="yaml-syntax")) from exc
        if isinstance(top, Scalar) and top.style == "":
            self._note(tight_colon(top))
            top = top if top.text else None
        if top is None and not self.problems:
            self.problems.append(Problem(Place(self.file.name), "the file is empty", code="empty"))
        return top

    def _documents(self) -> Node | None:
        top: Node | None = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent) and top is not None:
                message = "a second document begins here; a definition is one document"
                self._add(_mark(event), message, "yaml-documents", "remove the `---`", 3)
                break
            if isinstance(event, yaml.NodeEvent):
                top = self._node(event, 0)
        return top

    def _note(self, problem: Problem | None) -> None:
        if problem is not None:
            self.problems.append(problem)

    def _add(
        self, mark: yaml.Mark, message: str, code: str, suggestion: str | None = None, length: int = 1
    ) -> None:
        self.problems.append(Problem(self.file.place(mark), message, length, suggestion, code=code))

    def _stop(self, mark: yaml.Mark, message: str, code: str) -> NoReturn:
        raise _Unreadable(Problem(self.file.place(mark), message, code=code))

    def _node(self, event: yaml.NodeEvent, depth: int) -> Node:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self._stop(_mark(event), f"the file holds more than {MAX_NODES:,} values", "too-large")
        if depth > MAX_DEPTH:
            self._stop(_mark(event), f"nested more than {MAX_DEPTH} levels deep", "too-deep")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.anchor:
            self.anchors[event.anchor] = None
        node = self._fresh(event, depth)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def _fresh(self, event: yaml.NodeEvent, depth: int) -> Node:
        self._check_tag(event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, depth)
        return self._scalar(cast(yaml.ScalarEvent, event))

    def _alias(self, event: yaml.AliasEvent) -> Node:
        node = self.anchors.get(str(event.anchor), ...)
        if node is ... or node is None:
            what = "is not defined above" if node is ... else "contains itself"
            self._stop(_mark(event), f"the alias `*{event.anchor}` {what}", "yaml-alias")
        self.unfolded += size(node)
        if self.unfolded > MAX_UNFOLDED:
            message = f"the file unfolds to more than {MAX_UNFOLDED:,} values"
            self._stop(_mark(event), message, "alias-bomb")
        return node

    def _check_tag(self, event: yaml.NodeEvent) -> None:
        tag = getattr(event, "tag", None)
        if tag is None:
            return
        allowed = ("str", *TAGGED) if isinstance(event, yaml.ScalarEvent) else ("map", "seq")
        if tag in [_CORE + name for name in allowed]:
            return
        shown = tag.replace(_CORE, "!!")
        message = f"the tag `{shown}` is not allowed; definitions are plain data"
        mend = "remove the tag" if tag.startswith(_CORE) else "for `not` write `not …`; for text, use quotes"
        self._add(_mark(event), message, "yaml-tag", mend, len(shown))

    def _sequence(self, start: yaml.Event, depth: int) -> Sequence:
        items: list[Node] = []
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(cast(yaml.NodeEvent, event), depth + 1))
        return Sequence(items, self.file.place(_mark(start)))

    def _mapping(self, start: yaml.MappingStartEvent, depth: int) -> Mapping:
        mapping = Mapping({}, {}, self.file.place(_mark(start)))
        merges: list[tuple[yaml.Mark, Node]] = []
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._node(cast(yaml.NodeEvent, event), depth + 1)
            value = self._node(cast(yaml.NodeEvent, next(self.events)), depth + 1)
            if not isinstance(key, Scalar):
                self.problems.append(complex_key(self.file, _mark(start), _mark(event)))
            elif key.text == "<<" and key.style == "":
                merges.append((_mark(event), value))
            else:
                if start.flow_style and isinstance(value, Scalar) and not value.text + value.style:
                    self._note(tight_colon(key))
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
        if tag in TAGGED or (event.implicit[0] and not style):
            value = self._resolve(text, mark)
        if tag in TAGGED and not isinstance(value, TAGGED[tag]):
            self._add(mark, f"`{text}` is not what the tag `!!{tag}` says", "yaml-tag", "remove the tag")
        if isinstance(value, str) and not style:
            self._note(meant_otherwise(self.file, text, mark, cast(yaml.Mark, event.end_mark)))
        return Scalar(value, text, self.file.place(mark), mark.index, style, self.file)

    def _resolve(self, text: str, mark: yaml.Mark) -> str | int | float | bool | None:
        value = resolve(text)
        if isinstance(value, float) and not math.isfinite(value):
            message = f"`{text}` is no number that JSON can say"
            self._add(mark, message, "yaml-number", "quote it if it is text", len(text))
            return None
        return value


def _mark(event: yaml.Event) -> yaml.Mark:
    return cast(yaml.Mark, event.start_mark)
