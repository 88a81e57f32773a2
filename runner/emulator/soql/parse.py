"""Text to tree."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from itertools import accumulate

from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from runner.emulator.errors import ApiError
from runner.emulator.soql.build import Builder, Wrong
from runner.emulator.soql.tree import Query

MAX_LENGTH = 100_000
MAX_DEPTH = 50
#: trees of longer queries are too large to be remembered
REMEMBERED = 2_000
#: how much of a long line an error shows before and after the place
SHOWN_BEFORE, SHOWN_AFTER = 60, 30

_STRING = re.compile(r"'(?:\\.|[^'\\])*'", re.DOTALL)
_NEGATIONS = re.compile(rf"(?:\bnot\b\s*){{{MAX_DEPTH}}}", re.IGNORECASE)
_NESTING = {"(": 1, ")": -1}
#: Apex takes these words, the API does not
_ALL_ROWS = re.compile(r"\ball\s+rows\s*$", re.IGNORECASE)


def parse(text: str) -> Query:
    """The tree of a query; an ApiError MALFORMED_QUERY, which tells row and column, where it is none."""
    return _remembered(text) if len(text) <= REMEMBERED else _parse(text)


def _parse(text: str) -> Query:
    if len(text) > MAX_LENGTH:
        raise ApiError("MALFORMED_QUERY", f"SOQL statements cannot be longer than {MAX_LENGTH} characters.")
    check_depth(text)
    if _ALL_ROWS.search(_STRING.sub("''", text)):
        raise ApiError("MALFORMED_QUERY", "ALL ROWS not allowed in this context")
    try:
        text.encode()
        tree: Query = _parser().parse(text)  # type: ignore[assignment]
    except UnexpectedInput as exc:
        raise _malformed(text, exc) from exc
    except Wrong as exc:
        raise at(text, exc.position, exc.message) from exc
    except UnicodeEncodeError as exc:
        raise at(text, exc.start, "unexpected token: half a character") from exc
    return tree


_remembered = lru_cache(maxsize=256)(_parse)


def at(text: str, position: int, message: str, code: str = "MALFORMED_QUERY") -> ApiError:
    """An error that shows the line, a caret under the place, and its row and column from 1."""
    before = text[:position]
    row, column = before.count("\n") + 1, position - before.rfind("\n")
    line = text.split("\n")[row - 1]
    start = max(0, column - 1 - SHOWN_BEFORE)
    shown = line[start : column - 1 + SHOWN_AFTER]
    caret = " " * (column - 1 - start) + "^"
    return ApiError(code, f"\n{shown}\n{caret}\nERROR at Row:{row}:Column:{column}\n{message}")


def _malformed(text: str, exc: UnexpectedInput) -> ApiError:
    if isinstance(exc, UnexpectedToken) and exc.token.type != "$END":
        return at(text, exc.token.start_pos or 0, f"unexpected token: '{exc.token}'")
    if isinstance(exc, UnexpectedCharacters):
        place = exc.pos_in_stream or 0
        return at(text, place, f"unexpected token: '{text[place]}'")
    return at(text, len(text), "unexpected token: '<EOF>'")


def check_depth(text: str) -> None:
    """Refuses what is nested so deep that walking the tree would exhaust the stack."""
    bare = _STRING.sub("''", text)
    deepest = max(accumulate(_NESTING.get(letter, 0) for letter in bare), default=0)
    if deepest > MAX_DEPTH or _NEGATIONS.search(bare):
        raise ApiError("QUERY_TOO_COMPLICATED", "Query is either selecting too many fields or is too deep.")


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = resources.files("runner.emulator.soql").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", transformer=Builder())
