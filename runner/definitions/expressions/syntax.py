"""What cannot be read, in words that show the mend."""

from __future__ import annotations

import re
from typing import Final

from jinja2 import TemplateSyntaxError

from runner.definitions.expressions.names import Finding

_TOO_EARLY: Final = "it ends too early"
_ENDS: Final = "end of (?:template|print statement|statement block)"
#: what Jinja says of the place where it stopped → what people are told
_SENTENCES: Final = (
    (re.compile(rf"([Uu]nexpected|got) '?{_ENDS}"), _TOO_EARLY),
    (re.compile("expected name or number"), "a name is missing behind the `.`"),
    (re.compile(r"unexpected '(.+)', expected '(.+)'"), r"found `\1`, expected `\2`"),
    (re.compile(r"unexpected char '(.+)' at \d+"), r"`\1` cannot stand here"),
    (re.compile(r"expected token '(.+)', got '(.+)'"), r"found `\2`, expected \1"),
    (re.compile(r"unexpected '(.+)'"), r"`\1` cannot stand here"),
    (re.compile(r"unknown tag '(\w+)'"), r"there is no `{% \1 %}` here; there are if, for and set"),
)  # fmt: skip
_OPEN_BLOCK: Final = re.compile(r"innermost block that needs to be closed is '(\w+)'")
_BLOCKS: Final = re.compile(r"\{%[-+]?\s*(end)?(if|for)\b")
#: Jinja's names of tokens
_TOKENS: Final = {
    "end of print statement": "the end", "end of statement block": "`%}`", "name": "a name",
    "string": "a text", "integer": "a number", "end of template": "the end",
}  # fmt: skip
#: what other languages write, and what is meant here
_MEANT: Final = {
    "=": "==", "===": "==", "!==": "!=", "<>": "!=", "&": "and", "&&": "and", "||": "or", "!": "not",
    "?": "a if x else b", "$": "names without `$`", "`": "'…'",
}  # fmt: skip
_SYMBOLS: Final = re.compile(r"[=!<>&|?$`]+")


def syntax_finding(error: TemplateSyntaxError, written: str) -> Finding:
    """Where reading stopped, why, and what to write.

    Args:
        error: its line is an offset of ``written``, counted from 1.
    """
    offset = min(max(0, error.lineno - 1), len(written))
    said = error.message or ""
    block = _OPEN_BLOCK.search(said)
    if block:
        message = f"`{{% {block[1]} %}}` is never closed"
        return _finding(message, written, _opened(written), f"write: {{% end{block[1]} %}}")
    message = _sentence(said)
    if message == _TOO_EARLY:
        return _finding(message, written, len(written.rstrip()), None)
    return _finding(message, written, offset, _mend(written, offset))


def _opened(written: str) -> int:
    """Where the innermost block begins that is not closed."""
    open_at: list[int] = []
    for tag in _BLOCKS.finditer(written):
        if tag[1]:
            open_at = open_at[:-1]
        else:
            open_at.append(tag.start(2))
    return open_at[-1] if open_at else 0


def _mend(written: str, offset: int) -> str | None:
    around = (found[0] for found in _SYMBOLS.finditer(written) if found.start() <= offset < found.end())
    meant = _MEANT.get(next(around, ""))
    return f"write: {meant}" if meant else None


def _sentence(said: str) -> str:
    for pattern, sentence in _SENTENCES:
        found = pattern.search(said)
        if found:
            words = found.expand(sentence)
            for token, word in _TOKENS.items():
                words = words.replace(f"`{token}`", word).replace(f"expected {token}", f"expected {word}")
            return words
    return said[:1].lower() + said[1:].rstrip(".")


def _finding(message: str, written: str, offset: int, mend: str | None) -> Finding:
    token = re.compile(r"\w+|\S|").match(written, offset)
    return Finding(f"the expression cannot be read: {message}", token[0] if token else "", offset, mend)
