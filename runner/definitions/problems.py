"""Problems of definitions: one shape for all of them, from YAML's syntax to a name that is not known."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from runner.errors import Place

_WIDTH = 110


class Problem(msgspec.Struct, frozen=True, order=True):
    """Something wrong in a definition, where it stands and how to mend it."""

    place: Place
    message: str
    #: columns that the culprit takes
    length: int = 1
    #: printed behind the carets: the mend
    suggestion: str | None = None
    #: the key that `terapi explain` explains
    see: str | None = None
    code: str = "invalid"
    severity: Literal["error", "warning"] = "error"


def ordered(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(set(problems), key=lambda p: (p.place, p.message, p.suggestion or ""))


def render_text(problems: Iterable[Problem], sources: Mapping[str, str]) -> str:
    """The problems for people, each with its line and a mark below the culprit.

    Args:
        sources: file → its text; a problem of a file that is not among them is shown without its line.
    """
    return "\n".join(_text(problem, sources) for problem in ordered(problems))


def _text(problem: Problem, sources: Mapping[str, str]) -> str:
    lines = [f"{problem.place}: {problem.severity}: {problem.message}"]
    source = _line(sources.get(problem.place.file), problem.place.line)
    if source is not None:
        number = f"{problem.place.line:>5}"
        shown, start = _window(source, problem.place.column - 1)
        carets = "^" * max(1, min(problem.length, len(shown) - start))
        marked = f"{' ' * start}{carets} {problem.suggestion or ''}".rstrip()
        lines += [f"{number} | {shown}".rstrip(), f"{' ' * len(number)} | {marked}"]
    elif problem.suggestion:
        lines.append(f"      {problem.suggestion}")
    if problem.see:
        lines.append(f"  see: terapi explain {problem.see}")
    return "\n".join(lines)


def _line(text: str | None, number: int) -> str | None:
    if text is None:
        return None
    lines = text.split("\n")
    return lines[number - 1].rstrip("\r") if 0 < number <= len(lines) else None


def _window(line: str, column: int) -> tuple[str, int]:
    """The part of a line around a column that fits a screen, and where the column is in it."""
    line = "".join(char if char.isprintable() else "→" if char == "\t" else "�" for char in line)
    column = min(column, len(line))
    if len(line) <= _WIDTH:
        return line, column
    start = max(0, min(column - 30, len(line) - _WIDTH))
    head = "…" if start else ""
    tail = "…" if start + _WIDTH < len(line) else ""
    return head + line[start : start + _WIDTH] + tail, column - start + len(head)


def as_data(problem: Problem) -> dict[str, object]:
    place = problem.place
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "end_column": place.column + problem.length,
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "suggestion": problem.suggestion,
        "see": problem.see,
    }


def render_json(problems: Sequence[Problem], files: int) -> str:
    found = [as_data(problem) for problem in ordered(problems)]
    return json.dumps({"valid": not found, "files": files, "problems": found}, indent=2, ensure_ascii=False)


def render_github(problems: Iterable[Problem]) -> str:
    """Annotations of GitHub's workflow commands."""
    return "\n".join(_github(problem) for problem in ordered(problems))


def _github(problem: Problem) -> str:
    message = problem.message + (f" ({problem.suggestion})" if problem.suggestion else "")
    text = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    file = problem.place.file.replace("%", "%25").replace(",", "%2C").replace(":", "%3A")
    place = f"file={file},line={problem.place.line},col={problem.place.column}"
    end = problem.place.column + problem.length
    return f"::{problem.severity} {place},endColumn={end},title={problem.code}::{text}"


def render_sarif(problems: Iterable[Problem], version: str) -> str:
    """SARIF 2.1.0, for code scanning."""
    results = [_sarif(problem) for problem in ordered(problems)]
    rules = [{"id": name} for name in sorted({str(result["ruleId"]) for result in results})]
    driver = {"name": "terapi", "version": version, "rules": rules}
    run = {"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}
    return json.dumps({"version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _sarif(problem: Problem) -> dict[str, object]:
    place = problem.place
    region = {
        "startLine": place.line,
        "startColumn": place.column,
        "endColumn": place.column + problem.length,
    }
    where = {"physicalLocation": {"artifactLocation": {"uri": place.file}, "region": region}}
    message = problem.message + (f" ({problem.suggestion})" if problem.suggestion else "")
    return {
        "ruleId": problem.code,
        "level": problem.severity,
        "message": {"text": message},
        "locations": [where],
    }
