"""How types are called: by their models, in words that a language takes."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: stands at the top of what is made
NOTICE = "Made by `terapi types`; change the definitions, not this file."


def pascal(name: str) -> str:
    """A name in the form of a type's: `price-book` and `price_book` are `PriceBook`."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name))


class Names:
    """Gives each type a name of its own.

    Args:
        taken: names that mean something else already.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def take(self, wanted: str) -> str:
        """The name in the form of a type's; with a number behind it where it is taken."""
        name, number = pascal(wanted), 1
        while name in self._taken:
            number += 1
            name = f"{pascal(wanted)}{number}"
        self._taken.add(name)
        return name
