"""Records as Bulk API 1.0 writes and reads them in XML."""

from __future__ import annotations

from runner.emulator.xml import SCHEMA_INSTANCE, Element, leaf

DATALOAD = "http://www.force.com/2009/06/asyncapi/dataload"
NAMESPACES = f'xmlns="{DATALOAD}" xmlns:xsi="{SCHEMA_INSTANCE}"'


def xml_record(name: str, record: dict[str, object]) -> bytes:
    """A record as JSON has it, in an element of this name; an empty field is `xsi:nil`."""
    return _record(name, record).encode()


def _record(name: str, record: dict[str, object]) -> str:
    attributes = record.get("attributes")
    kind = leaf("type", attributes["type"]) if isinstance(attributes, dict) else ""
    fields = "".join(_field(field, value) for field, value in record.items() if field != "attributes")
    return f'<{name} xsi:type="sObject">{kind}{fields}</{name}>'


def _field(name: str, value: object) -> str:
    if value is None:
        return f'<{name} xsi:nil="true"/>'
    return _record(name, value) if isinstance(value, dict) else leaf(name, value)


def values(element: Element) -> dict[str, object]:
    """The fields of an `sObject` element as JSON has them; a field that is `xsi:nil` is None."""
    said: dict[str, object] = {}
    for child in element.children:
        if child.name == "type":
            said["attributes"] = {"type": child.text.strip()}
        else:
            said[child.name] = None if child.is_nil else values(child) if child.children else child.text
    return said
