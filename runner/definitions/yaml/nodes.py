"""What YAML says, as nodes that know where they stand."""

from __future__ import annotations

from typing import Final, Union

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
