"""Definitions of which some keys are put in place of others."""

from __future__ import annotations

import re


def blocks(text: str, indent: int) -> dict[str, str]:
    """The keys of a definition, each with the lines that it takes."""
    found = re.split(rf"^(?=[ ]{{{indent}}}[^\s#-])", text, flags=re.MULTILINE)
    return {block.partition(":")[0].strip(): block for block in found if block.strip()}


def changed(base: str, keys: str, indent: int) -> str:
    """The base with other keys in place of its own, behind the rest.

    Args:
        keys: the other keys, as they stand at the top of a file.
        indent: how deep the base's keys stand, below one line.
    """
    head, body = base.split("\n", 1) if indent else ("", base)
    given = "".join(f"{' ' * indent}{line}\n" for line in keys.rstrip().split("\n"))
    kept = (block for key, block in blocks(body, indent).items() if key not in blocks(given, indent))
    return (f"{head}\n" if indent else "") + "".join(kept) + given
