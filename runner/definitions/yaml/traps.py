"""The traps of YAML's syntax, each met with a sentence that shows the mend."""

from __future__ import annotations

import re

import yaml

from runner.definitions.yaml.nodes import File, Scalar
from runner.errors import Place, Problem

_BRACES = (("{{", "}}"), ("{%", "%}"), ("{#", "#}"))
_COMMENT = re.compile(r"[ \t]+#")
_TIGHT_COLON = re.compile(r"([\w-]+):([^\s:/].*)")
_TIGHT_DASH = re.compile(r"-[^\W\d].*\n\s*-\w", re.DOTALL)
_TEMPLATE_VALUE = re.compile(r"^(\s*(?:- )?[^\s:#][^:]*:\s+)(\{\{.*)$")


def syntax_problem(error: yaml.MarkedYAMLError, name: str, text: str) -> Problem:
    """What libyaml refused, in words that show the mend."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Problem(Place(name), f"the file cannot be read: {error.problem}", code="yaml-syntax")
    lines = text.split("\n")
    number = min(mark.line, len(lines) - 1)
    return _tab(name, lines, number) or _recognise(error, name, lines, number, mark)


def complex_key(file: File, map_start: yaml.Mark, key: yaml.Mark) -> Problem:
    """A map that is the key of another, nearly always an unquoted `{{ … }}`."""
    start = file.text.find("{{", max(0, map_start.index - 1), map_start.index + 2)
    if start < 0:
        return Problem(file.place(key), "a key must be text", code="yaml-key")
    end = file.text.find("}}", start)
    template = file.text[start : end + 2] if end >= 0 else "{{ … }}"
    message = "a value that begins with `{{` needs quotes"
    return Problem(file.place_at(start), message, len(template), f'write: "{template}"', code="yaml-key")


def meant_otherwise(file: File, text: str, start: yaml.Mark, end: yaml.Mark) -> Problem | None:
    """Plain text that YAML reads without a word, though not as it was meant."""
    comment = _COMMENT.match(file.text, end.index)
    if comment and any(text.count(opened) != text.count(closed) for opened, closed in _BRACES):
        message = "` #` begins a comment, and cuts the template in front of it"
        place = file.place_at(comment.end() - 2)
        return Problem(place, message, 2, "put the whole value between quotes", code="yaml-comment")
    if text[:1] == "-" and _TIGHT_DASH.match(file.text[start.index : end.index]):
        message = "a space is missing behind the `-` of a list item"
        mend = f"write: - {text.split(' -')[0][1:]}"
        return Problem(file.place(start), message, 1, mend, code="yaml-dash")
    return None


def tight_colon(scalar: Scalar) -> Problem | None:
    """`key:value` where a map was meant."""
    if scalar.style or not _TIGHT_COLON.fullmatch(scalar.text):
        return None
    mend = _TIGHT_COLON.sub(r"write: \1: \2", scalar.text)
    message = "a space is missing behind the `:`"
    return Problem(scalar.place, message, len(scalar.text), mend, code="yaml-colon")


def _tab(name: str, lines: list[str], number: int) -> Problem | None:
    for line in range(number, max(-1, number - 2), -1):
        indent = re.match(r"[ ]*\t", lines[line])
        if indent:
            place = Place(name, line + 1, indent.end())
            return Problem(place, "a tab cannot indent YAML", 1, "use spaces", code="yaml-tab")
    return None


def _recognise(
    error: yaml.MarkedYAMLError, name: str, lines: list[str], number: int, mark: yaml.Mark
) -> Problem:
    said = error.problem or ""
    for candidate in (number, number - 1):
        if 0 <= candidate < len(lines):
            found = _template_value(name, lines, candidate)
            if found:
                return found
    place = Place(name, number + 1, mark.column + 1)
    if "unexpected end of stream" in said and error.context_mark is not None:
        opened = Place(name, error.context_mark.line + 1, error.context_mark.column + 1)
        return Problem(
            opened, "this quote is never closed", 1, "close it with the same quote", code="yaml-quote"
        )
    for trap in (_colon, _flow, _start, _quoted):
        found = trap(said, lines[number], place, mark.column)
        if found:
            return found
    if "could not find expected ':'" in said:
        return _forgotten_colon(name, lines, error, number)
    if "did not find expected key" in said or "block end" in said or "block mapping" in said:
        message = "the indentation does not fit the lines above, or a `- ` or `:` is missing"
        return Problem(place, message, 1, "line it up with its neighbours", code="yaml-indentation")
    return Problem(place, f"the YAML cannot be read: {_plain(said)}", 1, code="yaml-syntax")


def _template_value(name: str, lines: list[str], number: int) -> Problem | None:
    found = _TEMPLATE_VALUE.match(lines[number])
    if not found:
        return None
    value = found[2].rstrip()
    quoted = f"'{value}'" if '"' in value else f'"{value}"'
    place = Place(name, number + 1, found.end(1) + 1)
    message = "a value that begins with `{{` needs quotes"
    return Problem(place, message, len(value), f"write: {quoted}", code="yaml-template")


def _colon(said: str, line: str, place: Place, column: int) -> Problem | None:
    if "mapping values are not allowed" not in said:
        return None
    message = "`: ` inside a plain value begins a map where none can be"
    return Problem(place, message, 1, "put the whole value between quotes", code="yaml-colon")


def _flow(said: str, line: str, place: Place, column: int) -> Problem | None:
    if "expected ',' or '}'" not in said and "expected ',' or ']'" not in said:
        return None
    opened = line.rfind("{{", 0, column + 2)
    if opened > 0 and line.find("{") < opened:
        message = "`{{` inside an unquoted value of a `{…}` map needs quotes"
        return Problem(
            Place(place.file, place.line, opened + 1), message, 2, 'write: "… {{ … }} …"', code="yaml-flow"
        )
    char = line[column : column + 1]
    if char in ("[", "{") and column > 0:
        message = f"`{char}` inside an unquoted value of a `{{…}}` map needs quotes"
        return Problem(place, message, 1, "put the whole value between quotes", code="yaml-flow")
    message = "this map or list is not closed, or a `,` is missing"
    return Problem(place, message, 1, "values with `[`, `{` or `,` in them need quotes", code="yaml-flow")


def _start(said: str, line: str, place: Place, column: int) -> Problem | None:
    char = line[column : column + 1]
    if "alphabetic or numeric character" in said:
        column = max(0, column - 1)
        char, place = line[column : column + 1], Place(place.file, place.line, column + 1)
    elif "cannot start any token" not in said:
        return None
    message = f"a value cannot begin with `{char}`" if char != "`" else "a value cannot begin with a backtick"
    return Problem(place, message, 1, "put the whole value between quotes", code="yaml-start")


def _quoted(said: str, line: str, place: Place, column: int) -> Problem | None:
    before = line[:column].rstrip()
    if not before.endswith(('"', "'", "]", "}")) or "expected" not in said:
        return None
    message = "something follows behind the end of a quoted value, list or map"
    return Problem(
        place, message, 1, "put quotes of the other kind around the whole value", code="yaml-quote"
    )


def _forgotten_colon(name: str, lines: list[str], error: yaml.MarkedYAMLError, number: int) -> Problem:
    mark = error.context_mark
    line = mark.line if mark is not None else number
    text = lines[line].strip()
    place = Place(name, line + 1, len(lines[line]) - len(lines[line].lstrip()) + 1)
    spaced = re.sub(r"^([\w-]+):(\S)", r"\1: \2", text)
    mend = f"write: {spaced}" if spaced != text else "write: key: value"
    return Problem(place, "this line has no `: `", max(1, len(text)), mend, code="yaml-colon")


def _plain(said: str) -> str:
    return (
        said.replace("did not find", "there is no").replace("found character", "the character")
        or "unknown syntax"
    )
