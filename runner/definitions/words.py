"""The name that somebody most likely meant, for messages."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that ``word`` most likely was meant to be, if any is near."""
    folded = {name.lower().replace("-", "_"): name for name in known}
    plain = word.lower().replace("-", "_")
    if plain in folded:
        return folded[plain]
    swapped = [name for key, name in folded.items() if sorted(key) == sorted(plain)]
    if swapped:
        return swapped[0]
    from difflib import get_close_matches

    close = get_close_matches(plain, folded, n=1, cutoff=0.65)
    return folded[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str | None = None) -> str | None:
    """The question that names the nearest known word; ``otherwise`` where none is near."""
    guess = nearest(word, known)
    return f"did you mean `{guess}`?" if guess else otherwise


def there_are(known: Iterable[str]) -> str:
    """What there is to choose from, in order."""
    return f"there are: {', '.join(sorted(known)) or 'none'}"
