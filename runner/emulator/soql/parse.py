"""Text to tree."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from importlib import resources
from itertools import accumulate

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from runner.emulator import clock
from runner.emulator.errors import ApiError
from runner.emulator.soql.tree import (
    Both,
    Call,
    Compare,
    Condition,
    DateLiteral,
    Item,
    Not,
    Operand,
    Ordering,
    Path,
    Query,
    Value,
    Within,
)

MAX_LENGTH = 100_000
MAX_DEPTH = 50
#: how much of a long line an error shows before and after the place
SHOWN_BEFORE, SHOWN_AFTER = 60, 30

_STRING = re.compile(r"'(?:\\.|[^'\\])*'", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_NEGATIONS = re.compile(rf"(?:\bnot\b\s*){{{MAX_DEPTH}}}", re.IGNORECASE)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
#: a number that SQLite keeps as a whole one
_WHOLE = re.compile(r"[+-]?\d{1,18}")
_NESTING = {"(": 1, ")": -1}


def parse(text: str) -> Query:
    """The tree of a query; an ApiError MALFORMED_QUERY, which tells row and column, where it is none."""
    if len(text) > MAX_LENGTH:
        raise ApiError("MALFORMED_QUERY", f"SOQL statements cannot be longer than {MAX_LENGTH} characters.")
    _check_depth(text)
    try:
        text.encode()
        tree: Query = _parser().parse(text)  # type: ignore[assignment]
    except UnexpectedInput as exc:
        raise _malformed(text, exc) from exc
    except _Wrong as exc:
        raise at(text, exc.position, exc.message) from exc
    except UnicodeEncodeError as exc:
        raise at(text, exc.start, "unexpected token: half a character") from exc
    return tree


def at(text: str, position: int, message: str, code: str = "MALFORMED_QUERY") -> ApiError:
    """An error that shows the line, a caret under the place, and its row and column from 1."""
    before = text[:position]
    row, column = before.count("\n") + 1, position - before.rfind("\n")
    line = text.split("\n")[row - 1]
    start = max(0, column - 1 - SHOWN_BEFORE)
    shown = line[start : column - 1 + SHOWN_AFTER]
    caret = " " * (column - 1 - start) + "^"
    return ApiError(code, f"\n{shown}\n{caret}\nERROR at Row:{row}:Column:{column}\n{message}")


class _Wrong(Exception):
    """A word that the grammar lets through and SOQL does not."""

    def __init__(self, token: Token, message: str) -> None:
        super().__init__(message)
        self.position = token.start_pos or 0
        self.message = message


def _malformed(text: str, exc: UnexpectedInput) -> ApiError:
    if isinstance(exc, UnexpectedToken) and exc.token.type != "$END":
        return at(text, exc.token.start_pos or 0, f"unexpected token: '{exc.token}'")
    if isinstance(exc, UnexpectedCharacters):
        place = exc.pos_in_stream or 0
        return at(text, place, f"unexpected token: '{text[place]}'")
    return at(text, len(text), "unexpected token: '<EOF>'")


def _check_depth(text: str) -> None:
    """Refuses what is nested so deep that walking the tree would exhaust the stack."""
    bare = _STRING.sub("''", text)
    deepest = max(accumulate(_NESTING.get(letter, 0) for letter in bare), default=0)
    if deepest > MAX_DEPTH or _NEGATIONS.search(bare):
        raise ApiError("QUERY_TOO_COMPLICATED", "Query is either selecting too many fields or is too deep.")


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = resources.files("runner.emulator.soql").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", transformer=_Builder())


@v_args(inline=True)
class _Builder(Transformer[Token, Query]):
    """Builds the tree while the parser runs; a method is named as its rule of the grammar."""

    def start(self, query: Query) -> Query:
        return query

    def query(
        self, items: tuple[Item, ...], source: tuple[Path, str | None], *clauses: dict[str, object]
    ) -> Query:
        said: dict[str, object] = {}
        for clause in clauses:
            said |= clause
        path, alias = source
        return Query(position=path.position, items=items, source=path, alias=alias, **said)  # type: ignore[arg-type]

    def selection(self, *items: Item) -> tuple[Item, ...]:
        return items

    def plain_item(self, operand: Operand) -> Item:
        return Item(position=operand.position, what=operand)

    def named_item(self, operand: Operand, alias: Token) -> Item:
        return Item(position=operand.position, what=operand, alias=str(alias))

    def child_item(self, query: Query) -> Item:
        return Item(position=query.position, what=query)

    def source(self, path: Path) -> tuple[Path, str | None]:
        return path, None

    def named_source(self, path: Path, alias: Token) -> tuple[Path, str | None]:
        return path, str(alias)

    def where(self, condition: Condition) -> dict[str, object]:
        return {"where": condition}

    def group(self, *parts: Operand | dict[str, object]) -> dict[str, object]:
        having = parts[-1] if isinstance(parts[-1], dict) else {}
        return {"group_by": tuple(part for part in parts if not isinstance(part, dict)), **having}

    def having(self, condition: Condition) -> dict[str, object]:
        return {"having": condition}

    def order(self, *orderings: Ordering) -> dict[str, object]:
        return {"order_by": orderings}

    def ordering(self, operand: Operand, *words: Token) -> Ordering:
        said = {word.lower() for word in words}
        return Ordering(
            position=operand.position, operand=operand, descending="desc" in said, nulls_last="last" in said
        )

    def limit(self, number: Token) -> dict[str, object]:
        return {"limit": _whole(number)}

    def offset(self, number: Token) -> dict[str, object]:
        return {"offset": _whole(number)}

    def purpose(self, word: Token) -> dict[str, object]:
        if word.lower() not in {"view", "reference", "update"}:
            raise _Wrong(word, f"unexpected token: '{word}'")
        return {}

    def conjunction(self, *conditions: Condition) -> Both:
        return Both(position=conditions[0].position, word="AND", conditions=conditions)

    def disjunction(self, *conditions: Condition) -> Both:
        return Both(position=conditions[0].position, word="OR", conditions=conditions)

    def negation(self, condition: Condition) -> Not:
        return Not(position=condition.position, condition=condition)

    def compare(self, operand: Operand, operator: Token, value: Value) -> Compare:
        word = "!=" if operator == "<>" else str(operator)
        return Compare(position=operand.position, operand=operand, operator=word, value=value)  # type: ignore[arg-type]

    def like(self, operand: Operand, pattern: Token) -> Compare:
        value = Value(position=pattern.start_pos or 0, constant=_like(pattern))
        return Compare(position=operand.position, operand=operand, operator="LIKE", value=value)

    def within(self, operand: Operand, values: tuple[Value, ...] | Query) -> Within:
        return Within(position=operand.position, operand=operand, values=values, negated=False)

    def without(self, operand: Operand, values: tuple[Value, ...] | Query) -> Within:
        return Within(position=operand.position, operand=operand, values=values, negated=True)

    def listed(self, *values: Value) -> tuple[Value, ...]:
        return values

    def selected(self, query: Query) -> Query:
        return query

    def path_operand(self, path: Path) -> Path:
        return path

    def call(self, function: Token, argument: Operand) -> Call:
        return Call(position=function.start_pos or 0, function=function.upper(), argument=argument)

    def empty_call(self, function: Token) -> Call:
        return Call(position=function.start_pos or 0, function=function.upper(), argument=None)

    def path(self, *names: Token) -> Path:
        return Path(position=names[0].start_pos or 0, names=tuple(str(name) for name in names))

    def string(self, token: Token) -> Value:
        return Value(position=token.start_pos or 0, constant=_unescape(token, ""))

    def number(self, token: Token) -> Value:
        constant = int(token) if _WHOLE.fullmatch(token) else float(token)
        return Value(position=token.start_pos or 0, constant=constant)

    def datetime(self, token: Token) -> Value:
        try:
            return Value(position=token.start_pos or 0, constant=clock.read(token.upper()))
        except ValueError as exc:
            raise _Wrong(token, f"invalid datetime: {token}") from exc

    def date(self, token: Token) -> Value:
        try:
            return Value(position=token.start_pos or 0, constant=date.fromisoformat(token))
        except ValueError as exc:
            raise _Wrong(token, f"invalid date: {token}") from exc

    def null(self, token: Token) -> Value:
        return Value(position=token.start_pos or 0, constant=None)

    def true(self, token: Token) -> Value:
        return Value(position=token.start_pos or 0, constant=True)

    def false(self, token: Token) -> Value:
        return Value(position=token.start_pos or 0, constant=False)

    def literal(self, word: Token) -> Value:
        place = word.start_pos or 0
        return Value(position=place, constant=DateLiteral(position=place, name=str(word), count=None))

    def counted_literal(self, word: Token, number: Token) -> Value:
        place = word.start_pos or 0
        literal = DateLiteral(position=place, name=str(word), count=_whole(number))
        return Value(position=place, constant=literal)


def _whole(number: Token) -> int:
    if not number.isdigit() or len(number) > 9:
        raise _Wrong(number, f"unexpected token: '{number}'")
    return int(number)


def _unescape(token: Token, kept: str) -> str:
    """What stands between the quotes; escapes of the ``kept`` letters stay as they are."""

    def plain(found: re.Match[str]) -> str:
        letter = found[1]
        if letter in kept:
            return found[0]
        if letter not in _ESCAPES:
            raise _Wrong(token, f"Illegal string literal: Invalid string literal '{token[1:-1]}'. "
                         "Illegal character sequence '" + found[0] + "' in string literal.")  # fmt: skip
        return _ESCAPES[letter]

    return _ESCAPE.sub(plain, token[1:-1])


def _like(token: Token) -> str:
    """The pattern as SQL's LIKE takes it with a backslash as its escape."""
    return _unescape(token, "%_\\")
