"""JSON and XML, in and out."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from runner.emulator.errors import ApiError
from runner.emulator.xml import DECLARATION, SCHEMA_INSTANCE, Element, InvalidXml, escape, leaf, parse

#: objects and lists within one another
MAX_DEPTH = 100
JSON, XML = "application/json", "application/xml"
#: the elements of a list in XML, where they are not named as the list is
_MEMBERS = {"Errors": "Error", "Versions": "Version"}


def read(body: bytes, content_type: str) -> object:
    """The body of a request. Raises ApiError JSON_PARSER_ERROR, or XML_PARSER_ERROR."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind in (XML, "text/xml"):
        return _read_xml(body)
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        place = f"[line:{exc.lineno}, column:{exc.colno}]"
        raise ApiError("JSON_PARSER_ERROR", f"{exc.msg} at {place}") from exc
    _check_depth(said)
    return said


def _check_depth(said: object) -> None:
    """Refuses what is nested deeper than anything that can be meant, and than a function can go."""
    level = [said] if isinstance(said, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [part for value in level for part in _parts(value) if isinstance(part, dict | list)]
        if not level:
            return
    raise ApiError("JSON_PARSER_ERROR", f"The body is nested more than {MAX_DEPTH} deep")


def _parts(value: dict[str, object] | list[object]) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value


def _read_xml(body: bytes) -> object:
    try:
        return _plain(parse(body))
    except InvalidXml as exc:
        raise ApiError("XML_PARSER_ERROR", str(exc)) from exc


def _plain(element: Element) -> object:
    """An element as JSON has it: an object of its children, a list of those that are there again and again,
    its text, or null.
    """
    if element.is_nil:
        return None
    if not element.children:
        return element.text.strip()
    found: dict[str, object] = {}
    for child in element.children:
        value = _plain(child)
        if child.name not in found:
            found[child.name] = value
        elif isinstance(known := found[child.name], list):
            known.append(value)
        else:
            found[child.name] = [known, value]
    return found


def wishes_xml(accept: str) -> bool:
    """Whether XML comes before JSON in what a client takes (RFC 9110 §12.5.1)."""
    best = {JSON: -1.0, XML: -1.0}
    for part in accept.split(","):
        name, _, parameters = part.partition(";")
        kind = name.strip().lower().replace("text/xml", XML)
        if kind in ("*/*", "application/*"):
            best[JSON] = max(best[JSON], _quality(parameters))
        elif kind in best:
            best[kind] = max(best[kind], _quality(parameters))
    return best[XML] > best[JSON] and best[XML] > 0


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value.strip())
            except ValueError:
                return 0.0
    return 1.0


def as_xml(said: object, root: str) -> bytes:
    """An answer as XML; `attributes` of a record become those of its element."""
    if isinstance(said, list):
        member = _MEMBERS.get(root, root)
        inner = "".join(_element(member, each) for each in said)
        whole = f'<{root} xmlns:xsi="{SCHEMA_INSTANCE}">{inner}</{root}>'
    else:
        whole = _element(root, said, f' xmlns:xsi="{SCHEMA_INSTANCE}"')
    return (DECLARATION + whole).encode()


def _element(name: str, value: object, more: str = "") -> str:
    if value is None:
        return f'<{name}{more} xsi:nil="true"/>'
    if not isinstance(value, dict):
        return leaf(name, value)
    given = value.get("attributes")
    attributes = given if isinstance(given, dict) else {}
    shown = "".join(f' {key}="{escape(str(said))}"' for key, said in attributes.items() if key.isidentifier())
    return f"<{name}{more}{shown}>{''.join(_children(value.items()))}</{name}>"


def _children(pairs: Iterable[tuple[str, object]]) -> Iterable[str]:
    for name, value in pairs:
        if name == "attributes":
            continue
        name = name if name.isidentifier() else "value"
        if isinstance(value, list):
            yield from (_element(name, each) for each in value)
        else:
            yield _element(name, value)
