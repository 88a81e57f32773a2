"""XML as clients send it and as the org answers: elements without the parts that can do harm.

A document type is refused, and with it entities that grow, or that fetch a file (RFC 7303 §10).
"""

from __future__ import annotations

from xml.parsers import expat

import msgspec

from runner.emulator.errors import EmulatorError

MAX_DEPTH = 50
SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
#: characters that no XML may have (XML 1.0 §2.2)
_FORBIDDEN = str.maketrans(dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF], ""))


class InvalidXml(EmulatorError):
    """The text is no XML, or has what is not allowed here; the message says where."""


class Element(msgspec.Struct, kw_only=True):
    #: without its namespace
    name: str
    #: by their names, those of a namespace as `namespace name`
    attributes: dict[str, str] = {}
    children: list[Element] = []
    text: str = ""

    def child(self, name: str) -> Element | None:
        return next((child for child in self.children if child.name == name), None)

    def find(self, *names: str) -> Element | None:
        """A descendant by its path."""
        found: Element | None = self
        for name in names:
            found = found.child(name) if found is not None else None
        return found

    def value(self, name: str) -> str:
        """The text of a child without the space around it; "" where there is none."""
        found = self.child(name)
        return found.text.strip() if found is not None else ""

    @property
    def is_nil(self) -> bool:
        return self.attributes.get(f"{SCHEMA_INSTANCE} nil", "") in ("true", "1")


def parse(body: bytes) -> Element:
    """The root. Raises InvalidXml."""
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = builder.doctype
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError) as exc:
        raise InvalidXml(f"Unable to parse the XML: {exc}") from exc
    return builder.top.children[0]


class _Builder:
    def __init__(self) -> None:
        self.top = Element(name="")
        self._open = [self.top]

    def doctype(self, *_said: object) -> None:
        raise InvalidXml("Unable to parse the XML: a DOCTYPE is not allowed")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) > MAX_DEPTH:
            raise InvalidXml(f"Unable to parse the XML: elements more than {MAX_DEPTH} deep")
        element = Element(name=name.rpartition(" ")[2], attributes=attributes)
        self._open[-1].children.append(element)
        self._open.append(element)

    def end(self, _name: str) -> None:
        self._open.pop()

    def characters(self, text: str) -> None:
        self._open[-1].text += text


def escape(text: str) -> str:
    return text.translate(_FORBIDDEN).translate(_ESCAPES)


def leaf(name: str, value: object) -> str:
    """`<name>value</name>`; nothing for None."""
    if value is None:
        return ""
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return f"<{name}>{escape(text)}</{name}>"
