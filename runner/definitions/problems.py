"""Problems of definitions, shown: as text with the line and a mark, as JSON, for GitHub, as SARIF."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from runner.errors import Problem

_WIDTH = 110
_LINE_BREAK = re.compile("\r\n|\r|\n")


def ordered(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(set(problems), key=lambda p: (p.place, p.message, p.suggestion or ""))


def visible(text: str) -> str:
    """The text with control characters and the like escaped: what a file says must not steer a terminal."""
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def render_text(problems: Iterable[Problem], sources: Mapping[str, str]) -> str:
    """The problems for people, each with its line and a mark below the culprit.

    Args:
        sources: file → its text; a problem of a file that is not among them is shown without its line.
    """
    return "\n".join(_text(problem, sources) for problem in ordered(problems))


def _text(problem: Problem, sources: Mapping[str, str]) -> str:
    lines = [f"{visible(str(problem.place))}: {problem.severity}: {visible(problem.message)}"]
    mend = visible(problem.suggestion or "")
    source = _line(sources.get(problem.place.file), problem.place.line)
    if source is not None:
        number = f"{problem.place.line:>5}"
        shown, start = _window(source, problem.place.column - 1)
        carets = "^" * max(1, _cells(shown[start : start + problem.length]))
        marked = f"{' ' * _cells(shown[:start])}{carets} {mend}".rstrip()
        lines += [f"{number} | {shown}".rstrip(), f"{' ' * len(number)} | {marked}"]
    elif mend:
        lines.append(f"      {mend}")
    if problem.see:
        lines.append(f"  see: terapi explain {problem.see}")
    return "\n".join(lines)


def _line(text: str | None, number: int) -> str | None:
    if text is None:
        return None
    lines = _LINE_BREAK.split(text)
    return lines[number - 1] if 0 < number <= len(lines) else None


def _window(line: str, column: int) -> tuple[str, int]:
    """The part of a line around a column that fits a screen, and where the column is in it."""
    line = "".join(char if char.isprintable() else "→" if char == "\t" else "�" for char in line)
    column = max(0, min(column, len(line)))
    if len(line) <= _WIDTH:
        return line, column
    start = max(0, min(column - 30, len(line) - _WIDTH))
    head = "…" if start else ""
    tail = "…" if start + _WIDTH < len(line) else ""
    return head + line[start : start + _WIDTH] + tail, column - start + len(head)


def _cells(text: str) -> int:
    """How many cells of a terminal the text fills: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def as_data(problem: Problem) -> dict[str, object]:
    place = problem.place
    return {
        "file": _encodable(place.file),
        "line": place.line,
        "column": place.column,
        "end_column": place.column + problem.length,
        "severity": problem.severity,
        "code": problem.code,
        "message": visible(problem.message),
        "suggestion": problem.suggestion and visible(problem.suggestion),
        "see": problem.see,
    }


def render_json(problems: Sequence[Problem], files: int) -> str:
    """One JSON document; `end_column` is exclusive. Warnings leave the definitions valid.

    Args:
        files: how many files were read.
    """
    found = [as_data(problem) for problem in ordered(problems)]
    valid = all(problem.severity != "error" for problem in problems)
    return json.dumps({"valid": valid, "files": files, "problems": found}, indent=2, ensure_ascii=False)


def _encodable(name: str) -> str:
    """A file's name as text that UTF-8 can hold; Python keeps odd bytes of a name as lone surrogates."""
    return name.encode("utf-8", "replace").decode()


def _sentence(problem: Problem) -> str:
    return problem.message + (f" ({problem.suggestion})" if problem.suggestion else "")


def render_github(problems: Iterable[Problem]) -> str:
    """Annotations of GitHub's workflow commands."""
    return "\n".join(_github(problem) for problem in ordered(problems))


def _github(problem: Problem) -> str:
    text = visible(_sentence(problem).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))
    file = visible(problem.place.file).replace("%", "%25").replace(",", "%2C").replace(":", "%3A")
    place = f"file={file},line={problem.place.line},col={problem.place.column}"
    end = problem.place.column + problem.length
    return f"::{problem.severity} {place},endColumn={end},title={problem.code}::{text}"


def render_sarif(problems: Iterable[Problem], version: str) -> str:
    """SARIF 2.1.0, with what GitHub's code scanning asks of it."""
    found = ordered(problems)
    codes = sorted({problem.code for problem in found})
    results = [{**_sarif(problem), "ruleIndex": codes.index(problem.code)} for problem in found]
    driver = {
        "name": "terapi",
        "version": version,
        "rules": [_rule(code) for code in codes],
    }
    run = {"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}
    document = {"$schema": _SARIF, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=False)


_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def _rule(code: str) -> dict[str, object]:
    words = {"text": f"Definitions: {code.replace('-', ' ')}"}
    help_text = {
        "text": "`terapi explain KEY` says what a key means, `terapi validate` shows each place and its mend."
    }
    return {"id": code, "shortDescription": words, "fullDescription": words, "help": help_text}


def _sarif(problem: Problem) -> dict[str, object]:
    from urllib.parse import quote

    place = problem.place
    region = {
        "startLine": place.line,
        "startColumn": place.column,
        "endColumn": place.column + problem.length,
    }
    uri = quote(_encodable(place.file).replace("\\", "/"))
    where = {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}
    return {
        "ruleId": problem.code,
        "level": problem.severity,
        "message": {"text": visible(_sentence(problem))},
        "locations": [where],
    }
