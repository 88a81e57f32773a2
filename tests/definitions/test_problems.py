"""Problems as people and programs see them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.definitions.problems import (
    render_github,
    render_json,
    render_sarif,
    render_text,
)
from runner.errors import Place, Problem


def shown(line: str, column: int, length: int = 1, mend: str | None = None) -> list[str]:
    problem = Problem(Place("f.yaml", 1, column), "it is wrong", length, mend)
    return render_text([problem], {"f.yaml": line}).split("\n")[1:]


@pytest.mark.parametrize(
    ("line", "column", "length", "source", "marks"),
    [
        ("a: bad", 4, 3, "    1 | a: bad", "      |    ^^^"),
        ("a: bad", 4, 99, "    1 | a: bad", "      |    ^^^"),
        ("a: bad", 99, 1, "    1 | a: bad", "      |       ^"),
        ("a:\tbad", 4, 3, "    1 | a:→bad", "      |    ^^^"),
        ("名前: bad", 5, 3, "    1 | 名前: bad", "      |       ^^^"),
        ("a: 名前", 4, 2, "    1 | a: 名前", "      |    ^^^^"),
        ("e\u0301: bad", 5, 3, "    1 | e\u0301: bad", "      |    ^^^"),
        ("", 1, 1, "    1 |", "      | ^"),
    ],
)
def test_the_carets_stand_below_the_culprit(
    line: str, column: int, length: int, source: str, marks: str
) -> None:
    assert shown(line, column, length) == [source, marks]


def test_a_long_line_is_cut_around_the_culprit() -> None:
    source, marks = shown("x" * 300 + "BAD" + "x" * 300, 301, 3)
    assert len(source) < 130
    assert source.index("BAD") == marks.index("^^^")
    assert (source.count("…"), source[-1]) == (2, "…")


def test_what_a_file_says_cannot_steer_the_terminal() -> None:
    place = Place("f\x1b.yaml", 1, 1)
    problem = Problem(place, "unknown key `\x1b[2J\u202e`", 1, "did you mean `\x07`?")
    text = render_text([problem], {place.file: "\x1b[2J: 1"})
    assert text == (
        "f\\x1b.yaml:1:1: error: unknown key `\\x1b[2J\\u202e`\n"
        "    1 | �[2J: 1\n"
        "      | ^ did you mean `\\x07`?"
    )


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_a_line_is_found_whatever_ends_lines(line_break: str) -> None:
    problem = Problem(Place("f", 2, 1), "wrong")
    assert "    2 | second" in render_text([problem], {"f": f"first{line_break}second{line_break}"})


def test_a_problem_of_a_file_that_is_not_at_hand_keeps_its_mend() -> None:
    problem = Problem(Place("f", 9, 9), "wrong", 1, "mend it", "sync.fetch")
    assert (
        render_text([problem], {}) == "f:9:9: error: wrong\n      mend it\n  see: terapi explain sync.fetch"
    )


def test_problems_come_sorted_and_once() -> None:
    second, first = Problem(Place("b", 1, 1), "b"), Problem(Place("a", 7, 1), "a")
    assert render_text([second, first, second], {}) == "a:7:1: error: a\nb:1:1: error: b"


def test_json_says_where_a_problem_begins_and_ends() -> None:
    problem = Problem(Place("f", 2, 3), "wrong", 4, "mend", "sync.fetch", "unknown-key")
    assert json.loads(render_json([problem], 5)) == {
        "valid": False,
        "files": 5,
        "problems": [
            {
                "file": "f", "line": 2, "column": 3, "end_column": 7, "severity": "error",
                "code": "unknown-key", "message": "wrong", "suggestion": "mend", "see": "sync.fetch",
            }
        ],
    }  # fmt: skip


def test_a_warning_leaves_the_definitions_valid() -> None:
    warning = Problem(Place("f"), "odd", severity="warning")
    assert json.loads(render_json([warning], 1))["valid"] is True


def test_sarif_says_what_code_scanning_asks_for() -> None:
    problem = Problem(Place("a b/c.yaml", 2, 3), "it is wrong", 4, "mend it", code="unknown-key")
    warning = Problem(Place("d.yaml"), "it is odd", code="unused", severity="warning")
    described = "`terapi explain KEY` says what a key means, `terapi validate` shows each place and its mend."
    assert json.loads(render_sarif([warning, problem], "1.0")) == {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "terapi",
                        "version": "1.0",
                        "rules": [
                            {
                                "id": code,
                                "shortDescription": {"text": f"Definitions: {words}"},
                                "fullDescription": {"text": f"Definitions: {words}"},
                                "help": {"text": described},
                            }
                            for code, words in (("unknown-key", "unknown key"), ("unused", "unused"))
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [
                    {
                        "ruleId": "unknown-key",
                        "ruleIndex": 0,
                        "level": "error",
                        "message": {"text": "it is wrong (mend it)"},
                        "locations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": {"uri": "a%20b/c.yaml"},
                                    "region": {"startLine": 2, "startColumn": 3, "endColumn": 7},
                                }
                            }
                        ],
                    },
                    {
                        "ruleId": "unused",
                        "ruleIndex": 1,
                        "level": "warning",
                        "message": {"text": "it is odd"},
                        "locations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": {"uri": "d.yaml"},
                                    "region": {"startLine": 1, "startColumn": 1, "endColumn": 2},
                                }
                            }
                        ],
                    },
                ],
            }
        ],
    }


def test_sarif_of_nothing_is_a_run_without_results() -> None:
    run = json.loads(render_sarif([], "1.0"))["runs"][0]
    assert (run["results"], run["tool"]["driver"]["rules"]) == ([], [])


any_text = st.text(st.characters(categories=None), max_size=60)


@given(any_text, any_text, any_text, st.integers(-3, 200), st.integers(-3, 200), st.integers(0, 200))
def test_any_problem_can_be_shown(
    file: str, message: str, source: str, line: int, column: int, length: int
) -> None:
    problem = Problem(Place(file, line, column), message, length, message)
    render_text([problem], {file: source}).encode()
    json.loads(render_json([problem], 1).encode())
    json.loads(render_sarif([problem], "1").encode())
    assert "\n" not in render_github([problem]).encode().decode()
