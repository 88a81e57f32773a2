"""What the tests of SOQL share."""

from __future__ import annotations


def bare(value: object) -> object:
    """A record without its attributes, and without those of what is in it."""
    if isinstance(value, dict):
        return {key: bare(part) for key, part in value.items() if key != "attributes"}
    return [bare(part) for part in value] if isinstance(value, list) else value
