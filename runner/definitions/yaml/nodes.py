"""What YAML says, as nodes that know where they stand."""

from __future__ import annotations

import re
from itertools import islice
from typing import ClassVar, Final, Union

import msgspec
import yaml

from runner.errors import Place


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

    @property
    def width(self) -> int:
        """The columns that it takes; of what may take several lines, its first character."""
        return 1 if self.style in ("|", ">") else max(1, len(self.text) + 2 * len(self.style))

    def at(self, offset: int) -> Place:
        """The place of a character of the text."""
        return self.file.place_in(self, offset)


class Mapping(msgspec.Struct, frozen=True):
    """Keys and what is below them, in the order of the file."""

    entries: dict[str, Node]
    keys: dict[str, Scalar]
    place: Place
    width: ClassVar[int] = 1

    @property
    def data(self) -> dict[str, object]:
        return {key: node.data for key, node in self.entries.items()}


class Sequence(msgspec.Struct, frozen=True):
    """A list."""

    items: list[Node]
    place: Place
    width: ClassVar[int] = 1

    @property
    def data(self) -> list[object]:
        return [node.data for node in self.items]


Node = Union[Scalar, Mapping, Sequence]  # noqa: UP007 - the classes above name it before it is defined


_SOLID: Final = re.compile(r"\S")
#: what one solid character of a text may be in the file, by the style of its scalar
_UNITS: Final = {
    "": _SOLID, "|": _SOLID, ">": _SOLID, "'": re.compile(r"''|\S"),
    '"': re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[\s\S])|\S"),
}  # fmt: skip


def _is_solid(unit: str) -> bool:
    if len(unit) > 2 and unit[0] == "\\":
        return not chr(int(unit[2:], 16)).isspace()
    return unit[0] != "\\" or unit[1] not in "tnvfrN_LP \t\n"


class File:
    """A file's name and text, to find places in."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    def place(self, mark: yaml.Mark) -> Place:
        return Place(self.name, mark.line + 1, mark.column + 1)

    def place_in(self, scalar: Scalar, offset: int) -> Place:
        """The place of a character of a scalar's text.

        Quotes, escapes and the folding of lines change only what stands between its solid characters: the
        n-th of them in the text is the n-th in the file.
        """
        block = scalar.style in ("|", ">")
        start = self.text.find("\n", scalar.start) + 1 if block else scalar.start + len(scalar.style)
        before = sum(not char.isspace() for char in scalar.text[:offset])
        at_end = before > 0 and not scalar.text[offset:].strip()
        units = (unit for unit in _UNITS[scalar.style].finditer(self.text, start) if _is_solid(unit[0]))
        found = next(islice(units, before - 1 if at_end else before, None), None)
        if found is None:
            return self.place_at(scalar.start)
        return self.place_at(found.end() if at_end else found.start())

    def place_at(self, index: int) -> Place:
        line = self.text.count("\n", 0, index) + 1
        return Place(self.name, line, index - (self.text.rfind("\n", 0, index) + 1) + 1)


def size(node: Node) -> int:
    """How many values a node holds, itself among them."""
    if isinstance(node, Mapping):
        return 1 + sum(size(child) for child in node.entries.values())
    if isinstance(node, Sequence):
        return 1 + sum(size(child) for child in node.items)
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
