"""What a search looks for: words, phrases and wildcards, joined by AND, OR and AND NOT.

A text is found by its words, whatever their case: `joe` finds Joe, not Joel; `joe*` finds both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from runner.emulator.errors import ApiError

MALFORMED = "MALFORMED_SEARCH"
MAX_DEPTH = 30
_TOKEN = re.compile(
    r'\s*(?:(?P<paren>[()])|"(?P<phrase>(?:\\.|[^"\\])*)"|(?P<word>(?:\\.|[^\s()"\\])+))', re.DOTALL
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

#: says of a text, given as its words between spaces, whether it is found
Match = Callable[[str], bool]


class Terms:
    """Parsed; ``matches`` says whether a text is found, ``required`` are parts that every such text has."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._place = 0
        self._depth = 0
        self.required: list[str] = []
        self._match = self._any()
        if self._place < len(self._tokens):
            raise _wrong(f"unexpected token: '{self._tokens[self._place][1]}'")

    def matches(self, text: str) -> bool:
        return self._match(f" {' '.join(words(text))} ")

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._place] if self._place < len(self._tokens) else ("end", "<EOF>")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self._place += 1
        return token

    def _any(self) -> Match:
        options = [self._all()]
        while self._peek() == ("operator", "OR"):
            self._next()
            options.append(self._all())
        if len(options) == 1:
            return options[0]
        self.required.clear()
        return lambda text: any(option(text) for option in options)

    def _all(self) -> Match:
        parts = [self._one()]
        while self._peek()[0] in ("word", "phrase") or self._peek()[1] in ("AND", "("):
            negated = False
            if self._peek() == ("operator", "AND"):
                self._next()
                negated = self._peek() == ("operator", "NOT")
                if negated:
                    self._next()
            before = list(self.required)
            part = self._one()
            if negated:
                self.required = before
            parts.append(_not(part) if negated else part)
        return parts[0] if len(parts) == 1 else lambda text: all(part(text) for part in parts)

    def _one(self) -> Match:
        kind, said = self._next()
        if said == "(" and kind == "paren":
            return self._group()
        if kind not in ("word", "phrase"):
            raise _wrong(f"unexpected token: '{said}'")
        pattern = _pattern(said, whole=kind == "phrase")
        if kind == "word" and said.isascii() and said.isalnum():
            self.required.append(said)
        return lambda text: pattern.search(text) is not None

    def _group(self) -> Match:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _wrong("the search is nested too deep")
        before = list(self.required)
        inner = self._any()
        self.required = before + [part for part in self.required if part not in before]
        self._depth -= 1
        if self._next() != ("paren", ")"):
            raise _wrong("unexpected token: '<EOF>'")
        return inner


def words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


@lru_cache(maxsize=64)
def terms(text: str) -> Terms:
    """Raises ApiError MALFORMED_SEARCH."""
    return Terms(text)


def found(text: str, searched: str | None) -> bool:
    """Whether the text of a record is found; for SQLite."""
    return searched is not None and terms(text).matches(searched)


def _not(match: Match) -> Match:
    return lambda text: not match(text)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while text[place:].strip():
        token = _TOKEN.match(text, place)
        if token is None:
            raise _wrong(f"unexpected token: '{text[place:].strip()[0]}'")
        place = token.end()
        kind = token.lastgroup or ""
        said = token[kind]
        yield (
            ("operator", said.upper())
            if kind == "word" and said.upper() in ("AND", "OR", "NOT")
            else (kind, said)
        )


def _pattern(said: str, *, whole: bool) -> re.Pattern[str]:
    """A word, or the words of a phrase, in a text that is words between spaces; * and ? stand for letters."""
    bare = _ESCAPE.sub(r"\1", said)
    if len(bare.strip("*? ")) < 2 and len(bare) < 2:
        raise _wrong(f"search term must be longer than one character: {bare}")
    if not bare.strip("*? "):
        raise _wrong(f"search term must have a character that is no wildcard: {bare}")
    parts = bare.casefold().split() if whole else [bare.casefold()]
    pieces = [_piece(part) for part in parts]
    return re.compile(" " + " ".join(piece for piece in pieces if piece) + " ")


def _piece(part: str) -> str:
    """The words in one part, such as `o'neil-smith*`, one behind the other."""
    spaced = re.sub(r"[^\w*?'’]|_", " ", part)
    return " ".join(_wild(word) for word in spaced.split())


def _wild(word: str) -> str:
    return re.escape(word).replace(r"\*", r"[^ ]*").replace(r"\?", "[^ ]")


def _wrong(message: str) -> ApiError:
    return ApiError(MALFORMED, message)
