"""Builds the tree while the parser runs; a method is named as its rule of the grammar."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from lark import Token, Transformer, v_args

from runner.emulator import clock
from runner.emulator.soql.tree import (
    Both,
    Call,
    Compare,
    Condition,
    DateLiteral,
    Grouping,
    Includes,
    Item,
    Not,
    Operand,
    Ordering,
    Path,
    Query,
    TypeOf,
    Value,
    When,
    Within,
)

PURPOSES = frozenset({"VIEW", "REFERENCE", "UPDATE"})
MODES = frozenset({"SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE"})
TRACKED = frozenset({"TRACKING", "VIEWSTAT"})

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
#: a number that SQLite keeps as a whole one
_WHOLE = re.compile(r"[+-]?\d{1,18}")

Said = dict[str, object]


class Wrong(Exception):
    """A word that the grammar lets through and SOQL does not."""

    def __init__(self, token: Token, message: str) -> None:
        super().__init__(message)
        self.position = token.start_pos or 0
        self.message = message


def _place(token: Token) -> int:
    return token.start_pos or 0


@v_args(inline=True)
class _Values(Transformer[Token, Query]):
    """Constants, fields and functions."""

    def path_operand(self, path: Path) -> Path:
        return path

    def call(self, function: Token, *arguments: Operand | Value) -> Call:
        return Call(position=_place(function), function=function.upper(), arguments=arguments)

    def path(self, *names: Token) -> Path:
        return Path(position=_place(names[0]), names=tuple(str(name) for name in names))

    def string(self, token: Token) -> Value:
        return Value(position=_place(token), constant=_unescape(token, ""))

    def number(self, token: Token) -> Value:
        constant = int(token) if _WHOLE.fullmatch(token) else float(token)
        return Value(position=_place(token), constant=constant)

    def datetime(self, token: Token) -> Value:
        try:
            return Value(position=_place(token), constant=clock.read(token.upper()))
        except ValueError as exc:
            raise Wrong(token, f"invalid datetime: {token}") from exc

    def date(self, token: Token) -> Value:
        try:
            return Value(position=_place(token), constant=date.fromisoformat(token))
        except ValueError as exc:
            raise Wrong(token, f"invalid date: {token}") from exc

    def null(self, token: Token) -> Value:
        return Value(position=_place(token), constant=None)

    def true(self, token: Token) -> Value:
        return Value(position=_place(token), constant=True)

    def false(self, token: Token) -> Value:
        return Value(position=_place(token), constant=False)

    def literal(self, word: Token) -> Value:
        literal = DateLiteral(position=_place(word), name=str(word), count=None)
        return Value(position=literal.position, constant=literal)

    def counted_literal(self, word: Token, number: Token) -> Value:
        literal = DateLiteral(position=_place(word), name=str(word), count=_whole(number))
        return Value(position=literal.position, constant=literal)


@v_args(inline=True)
class _Conditions(_Values):
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
        value = Value(position=_place(pattern), constant=_unescape(pattern, "%_\\"))
        return Compare(position=operand.position, operand=operand, operator="LIKE", value=value)

    def within(self, operand: Operand, values: tuple[Value, ...] | Query) -> Within:
        return Within(position=operand.position, operand=operand, values=values, negated=False)

    def without(self, operand: Operand, values: tuple[Value, ...] | Query) -> Within:
        return Within(position=operand.position, operand=operand, values=values, negated=True)

    def includes(self, operand: Operand, values: tuple[Value, ...]) -> Includes:
        return Includes(position=operand.position, operand=operand, values=values, negated=False)

    def excludes(self, operand: Operand, values: tuple[Value, ...]) -> Includes:
        return Includes(position=operand.position, operand=operand, values=values, negated=True)

    def listed(self, *values: Value) -> tuple[Value, ...]:
        return values

    def selected(self, query: Query) -> Query:
        return query


@v_args(inline=True)
class _Selection(_Conditions):
    def selection(self, *items: Item) -> tuple[Item, ...]:
        return items

    def plain_item(self, operand: Operand) -> Item:
        return Item(position=operand.position, what=operand)

    def named_item(self, operand: Operand, alias: Token) -> Item:
        return Item(position=operand.position, what=operand, alias=str(alias))

    def child_item(self, query: Query) -> Item:
        return Item(position=query.position, what=query)

    def typeof_item(self, path: Path, *cases: When) -> Item:
        what = TypeOf(position=path.position, path=path, cases=cases)
        return Item(position=path.position, what=what)

    def when(self, name: Token, *paths: Path) -> When:
        return When(position=_place(name), object=str(name), paths=paths)

    def otherwise(self, *paths: Path) -> When:
        return When(position=paths[0].position, object=None, paths=paths)


@v_args(inline=True)
class Builder(_Selection):
    """Clauses, each as what it says of its query."""

    def start(self, query: Query) -> Query:
        return query

    def query(self, items: tuple[Item, ...], source: Said, *clauses: Said) -> Query:
        said: Said = dict(source)
        for clause in clauses:
            purposes = {*_words(said), *_words(clause)}
            said |= clause | {"purposes": frozenset(purposes)}
        return Query(items=items, **said)  # type: ignore[arg-type]

    def sources(self, source: Said, *parents: tuple[Path, str]) -> Said:
        return source | {"parents": parents}

    def source(self, path: Path) -> Said:
        return {"source": path, "position": path.position}

    def named_source(self, path: Path, alias: Token) -> Said:
        return {"source": path, "position": path.position, "alias": str(alias)}

    def parent(self, path: Path, alias: Token) -> tuple[Path, str]:
        return path, str(alias)

    def using(self, name: Token) -> Said:
        return {"scope": name.lower()}

    def where(self, condition: Condition) -> Said:
        return {"where": condition}

    def mode(self, mode: Token) -> Said:
        _known(mode, MODES)
        return {}

    def group(self, grouping: Grouping, having: Said | None = None) -> Said:
        return {"grouping": grouping, **(having or {})}

    def plain_grouping(self, *operands: Operand) -> Grouping:
        return Grouping(position=operands[0].position, operands=operands)

    def wide_grouping(self, word: Token, *operands: Operand) -> Grouping:
        kind: Literal["ROLLUP", "CUBE"] = "ROLLUP" if word.upper() == "ROLLUP" else "CUBE"
        return Grouping(position=_place(word), operands=operands, kind=kind)

    def having(self, condition: Condition) -> Said:
        return {"having": condition}

    def order(self, *orderings: Ordering) -> Said:
        return {"order_by": orderings}

    def ordering(self, operand: Operand, *words: Token) -> Ordering:
        said = {word.lower() for word in words}
        return Ordering(
            position=operand.position, operand=operand, descending="desc" in said, nulls_last="last" in said
        )

    def limit(self, number: Token) -> Said:
        return {"limit": _whole(number)}

    def offset(self, number: Token) -> Said:
        return {"offset": _whole(number)}

    def purpose(self, word: Token) -> Said:
        _known(word, PURPOSES)
        return {"purposes": frozenset({word.upper()})}

    def update(self, *words: Token) -> Said:
        for word in words:
            _known(word, TRACKED)
        return {}


def _words(said: Said) -> frozenset[str]:
    words = said.get("purposes", frozenset())
    return words if isinstance(words, frozenset) else frozenset()


def _known(word: Token, known: frozenset[str]) -> None:
    if word.upper() not in known:
        raise Wrong(word, f"unexpected token: '{word}'")


def _whole(number: Token) -> int:
    if not number.isdigit() or len(number) > 9:
        raise Wrong(number, f"unexpected token: '{number}'")
    return int(number)


def _unescape(token: Token, kept: str) -> str:
    """What stands between the quotes; escapes of the ``kept`` letters stay as they are."""

    def plain(found: re.Match[str]) -> str:
        letter = found[1]
        if letter in kept:
            return found[0]
        if len(letter) > 1 and not 0xD800 <= int(letter[1:], 16) < 0xE000:
            return chr(int(letter[1:], 16))
        if letter not in _ESCAPES:
            raise Wrong(token, f"Illegal string literal: Invalid string literal '{token[1:-1]}'. "
                         "Illegal character sequence '" + found[0] + "' in string literal.")  # fmt: skip
        return _ESCAPES[letter]

    return _ESCAPE.sub(plain, token[1:-1])
