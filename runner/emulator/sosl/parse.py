"""Text to tree."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

from lark import Lark, Token, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from runner.emulator.errors import ApiError
from runner.emulator.soql.build import Builder, Wrong
from runner.emulator.soql.parse import MAX_LENGTH, at, check_depth
from runner.emulator.soql.tree import Path
from runner.emulator.sosl.tree import MOST, Search, Target

MALFORMED = "MALFORMED_SEARCH"
ATTRIBUTES = frozenset(
    {"DIVISION", "HIGHLIGHT", "METADATA", "NETWORK", "PRICEBOOKID", "SNIPPET", "SPELL_CORRECTION"}
)

Said = dict[str, object]


def parse(text: str) -> Search:
    """An ApiError MALFORMED_SEARCH, which tells row and column, where it is none."""
    if len(text) > MAX_LENGTH:
        raise ApiError(MALFORMED, f"SOSL statements cannot be longer than {MAX_LENGTH} characters.")
    check_depth(text)
    try:
        text.encode()
        tree: Search = _parser().parse(text)  # type: ignore[assignment]
    except UnexpectedInput as exc:
        raise _malformed(text, exc) from exc
    except Wrong as exc:
        raise at(text, exc.position, exc.message, MALFORMED) from exc
    except UnicodeEncodeError as exc:
        raise at(text, exc.start, "unexpected token: half a character", MALFORMED) from exc
    return tree


def _malformed(text: str, exc: UnexpectedInput) -> ApiError:
    if isinstance(exc, UnexpectedToken) and exc.token.type != "$END":
        return at(text, exc.token.start_pos or 0, f"unexpected token: '{exc.token}'", MALFORMED)
    if isinstance(exc, UnexpectedCharacters):
        place = exc.pos_in_stream or 0
        return at(text, place, f"unexpected token: '{text[place]}'", MALFORMED)
    return at(text, len(text), "unexpected token: '<EOF>'", MALFORMED)


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = "".join(
        resources.files(f"runner.emulator.{package}").joinpath("grammar.lark").read_text(encoding="utf-8")
        for package in ("soql", "sosl")
    )
    return Lark(grammar, parser="lalr", start="find", transformer=_Builder())


@v_args(inline=True)
class _Builder(Builder):
    def find(self, terms: Token, *clauses: Said) -> Search:
        said: Said = {"limit": MOST}
        for clause in clauses:
            said |= clause
        return Search(terms=terms[1:-1], position=terms.start_pos or 0, **said)  # type: ignore[arg-type]

    def within_group(self, group: Token) -> Said:
        return {"group": group.upper()}

    def returning(self, *targets: Target) -> Said:
        return {"targets": targets}

    def bare_target(self, name: Token) -> Target:
        return Target(position=name.start_pos or 0, name=str(name))

    def target(self, name: Token, *parts: Path | Said) -> Target:
        said: Said = {}
        for part in parts:
            said |= part if isinstance(part, dict) else {}
        paths = tuple(part for part in parts if isinstance(part, Path))
        return Target(position=name.start_pos or 0, name=str(name), paths=paths, **said)  # type: ignore[arg-type]

    def listview(self, _name: Token) -> Said:
        return {}

    def attribute(self, name: Token, *_value: Token) -> Said:
        if name.upper() not in ATTRIBUTES:
            raise Wrong(name, f"unexpected token: '{name}'")
        return {}
