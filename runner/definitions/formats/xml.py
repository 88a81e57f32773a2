"""XML as maps and lists.

An element becomes a map: its attributes under `@name`, its elements under their names (a list where there are
several), its text under `#text`. One that has text alone becomes that text, an empty one null. Prefixes of
namespaces are left out, since they are the writer's choice.
"""

from __future__ import annotations

from typing import Final, cast
from xml.parsers import expat

_DEEPEST: Final = 200

Element = dict[str, object]


def parse_xml(content: bytes) -> object:
    """The document as one map with the name of its root.

    Raises:
        ValueError: it is not well-formed, nested too deeply, or declares a document type, whose entities
            could grow without end.
    """
    return _Builder().parse(content)


class _Builder:
    def __init__(self) -> None:
        self._open: list[tuple[str, Element, list[str]]] = [("", {}, [])]

    def parse(self, content: bytes) -> object:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = _refused
        try:
            parser.Parse(content, True)
        except expat.ExpatError as exc:
            raise ValueError(f"it is no XML: {exc}") from exc
        return self._open[0][1]

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) > _DEEPEST:
            raise ValueError(f"its XML is nested deeper than {_DEEPEST}")
        given: Element = {f"@{_local(key)}": value for key, value in attributes.items()}
        self._open.append((_local(name), given, []))

    def _text(self, written: str) -> None:
        self._open[-1][2].append(written)

    def _end(self, _name: str) -> None:
        name, element, texts = self._open.pop()
        _add(self._open[-1][1], name, _value(element, "".join(texts)))


def _refused(*_given: object) -> None:
    raise ValueError("its XML has a document type declaration, which is not read")


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _value(element: Element, written: str) -> object:
    if not element:
        return written or None
    return {**element, "#text": written.strip()} if written.strip() else element


def _add(above: Element, name: str, value: object) -> None:
    if name not in above:
        above[name] = value
    elif isinstance(above[name], list):
        cast("list[object]", above[name]).append(value)
    else:
        above[name] = [above[name], value]
