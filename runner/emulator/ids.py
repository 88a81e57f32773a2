"""Record ids: 15 characters that know upper from lower case, and 3 more that spell out which are upper.

The first three say the kind of object, the last nine of the fifteen count in base 62. The digits stand in the
order of ASCII, so ids of one object sort as they were given out.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#: which five-character group has its bits set, from 00000 to 11111
CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
#: the part of an id that says where the org lives
POD = "Hs0"
BASE = len(DIGITS)
COUNTED = 9


def make(prefix: str, number: int) -> str:
    """The id with 18 characters of the ``number``-th record of the object with this three-letter prefix."""
    digits = []
    for _ in range(COUNTED):
        number, digit = divmod(number, BASE)
        digits.append(DIGITS[digit])
    short = prefix + POD + "".join(reversed(digits))
    return short + checksum(short)


def series(prefix: str, first: int, count: int) -> Iterator[str]:
    """The ids of ``count`` records from the ``first``-th on, many times faster than one by one."""
    number, end = first, first + count
    while number < end:
        block, low = divmod(number, len(_PAIRS))
        lows = _PAIRS[low : low + end - number]
        head = make(prefix, block * len(_PAIRS))
        stem, checks, bits = head[:13], head[15:17], _upper_bits(head[10:13])
        for pair, pair_bits in lows:
            yield f"{stem}{pair}{checks}{CHECKSUM[bits | pair_bits]}"
        number += len(lows)


def checksum(short: str) -> str:
    """The three characters that follow an id of fifteen."""
    return "".join(_check(short[start : start + 5]) for start in (0, 5, 10))


@lru_cache(maxsize=4096)
def _check(group: str) -> str:
    return CHECKSUM[_upper_bits(group)]


def normalise(text: str) -> str | None:
    """An id of 15 or 18 characters as 18, its case put right by the checksum; None for what is no id."""
    if len(text) not in (15, 18) or not (text.isascii() and text.isalnum()):
        return None
    if len(text) == 15:
        return text + checksum(text)
    if text[15:] == checksum(text[:15]):
        return text
    short = _recase(text[:15], text[15:].upper())
    return short and short + checksum(short)


def _upper_bits(group: str) -> int:
    return sum(1 << place for place, letter in enumerate(group) if letter.isupper())


_PAIRS = [(a + b, _upper_bits("000" + a + b)) for a in DIGITS for b in DIGITS]


def _recase(short: str, check: str) -> str | None:
    """The fifteen characters in the case that the checksum gives; None where they do not fit together."""
    letters = []
    for place, letter in enumerate(short):
        bits = CHECKSUM.find(check[place // 5])
        if bits < 0:
            return None
        upper = bool(bits >> place % 5 & 1)
        if upper and not letter.isalpha():
            return None
        letters.append(letter.upper() if upper else letter.lower())
    return "".join(letters)
