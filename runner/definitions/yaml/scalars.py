"""Plain scalars read as YAML 1.2's core schema has them, with three tightenings.

Only `true` and `false` are booleans, a number with a leading zero stays text, and what JSON cannot say
(`.inf`, `1e999`) is a problem of the file.
"""

from __future__ import annotations

import re
from typing import Final

_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]+)?)([eE][-+]?[0-9]+)?")
_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}
#: digits beyond which a number stays text
_MAX_DIGITS = 40
#: the tags that a scalar may carry beside `str`, and what it must then be
TAGGED: Final = {"int": (int,), "float": (int, float), "bool": (bool,), "null": (type(None),)}


def resolve(text: str) -> str | int | float | bool | None:
    """The value of a plain scalar; a float that is not finite is one that JSON cannot say."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text) if len(text) < _MAX_DIGITS else text
    if _BASE.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text) or text.lower().lstrip("+-") in (".inf", ".nan"):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text
