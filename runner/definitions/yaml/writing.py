"""YAML written as a person would: short maps and lists in one line, long ones one entry a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final

from runner.definitions.yaml.scalars import resolve

#: what one line takes, with its indentation
_WIDTH: Final = 110
#: a text that needs no quotes wherever it stands
_PLAIN = re.compile(r"[A-Za-z0-9_./$+-](?:[\w./$+@()*=<>' -]|:(?! ))*", re.ASCII)
#: nor where it fills its line
_PLAIN_LINE = re.compile(r"[A-Za-z0-9_./$+-](?:[\w./$+@()*=<>' ,\[\]{}&!?|-]|:(?! ))*")


def write(value: object) -> str:
    """A value of JSON as YAML; reading it gives the same again."""
    return "".join(f"{line}\n" for line in _lines(value, 0))


def _lines(value: object, indent: int) -> list[str]:
    """The lines of a value that stands by itself."""
    pad = " " * indent
    if not isinstance(value, (Mapping, list)) or not value:
        return [f"{pad}{_flow(value)}"]
    if isinstance(value, Mapping):
        return [line for key, inner in value.items() for line in _entry(f"{pad}{_key(key)}:", inner, indent)]
    return [line for item in value for line in _item(item, indent)]


def _entry(head: str, value: object, indent: int) -> list[str]:
    """The lines of a value under its key."""
    short = _short(value, len(head) + 1)
    if short is not None:
        return [f"{head} {short}"]
    if isinstance(value, str):
        pad = " " * (indent + 2)
        return [f"{head} {_block_mark(value)}", *(f"{pad}{line}" if line else "" for line in _block(value))]
    return [head, *_lines(value, indent + 2)]


def _item(value: object, indent: int) -> list[str]:
    head = f"{' ' * indent}-"
    if isinstance(value, Mapping) and value and _short(value, len(head) + 1) is None:
        first, *rest = _lines(value, indent + 2)
        return [f"{head} {first.lstrip(' ')}", *rest]
    return _entry(head, value, indent)


def _short(value: object, before: int) -> str | None:
    """The value in what is left of a line; None where it takes several."""
    if isinstance(value, str):
        return None if _blocks(value) else _text(value, line=True)
    if isinstance(value, (Mapping, list)) and (_depth(value) > 2 or _holds_blocks(value)):
        return None
    flow = _flow(value)
    fits = before + len(flow) <= _WIDTH or not isinstance(value, (Mapping, list)) or not value
    return flow if fits else None


def _holds_blocks(value: object) -> bool:
    if isinstance(value, (Mapping, list)):
        return any(map(_holds_blocks, value.values() if isinstance(value, Mapping) else value))
    return isinstance(value, str) and _blocks(value)


def _depth(value: object) -> int:
    inner: Iterable[object] = (
        value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    )
    return 1 + max(map(_depth, inner), default=0) if isinstance(value, (Mapping, list)) else 0


def _flow(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _text(value, line=False) if isinstance(value, str) else json.dumps(value)


def _key(key: object) -> str:
    return _text(str(key), line=False)


def _text(text: str, *, line: bool) -> str:
    """A text in one line.

    Args:
        line: whether it stands alone in its line.
    """
    plain = _PLAIN_LINE if line else _PLAIN
    is_text = isinstance(resolve(text), str) and text[-1:] not in (" ", ":")
    if is_text and plain.fullmatch(text) and not text.startswith(("- ", "---")) and text != "-":
        return text
    # What JSON leaves as it is, YAML may take for the end of a line, or refuse.
    quoted = json.dumps(text, ensure_ascii=False)
    return re.sub(r"[^\x20-\x7e\xa1-\u2027\u2030-\ud7ff\ue000-\ufefe\uff00-\ufffd]", _escaped, quoted)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _blocks(text: str) -> bool:
    """Whether a text is better shown line by line; no line of it may be one that YAML would change."""
    lines = text.split("\n")
    whole = all(line == line.rstrip() and line.isprintable() for line in lines)
    return len(lines) > 1 and text.strip("\n") != "" and whole and text[0] not in " \n\t"


def _block(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n")


def _block_mark(text: str) -> str:
    if not text.endswith("\n"):
        return "|-"
    return "|+" if text.endswith("\n\n") else "|"
