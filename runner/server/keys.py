"""The secret key that opens the server: given, or made once; compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from runner.errors import StoreError, UsageError

VARIABLE = "TERAPI_SECRET_KEY"
_FILE = "secret-key"
#: what a key of ours begins with, so that whoever finds one somewhere knows what it opens
_PREFIX = "terapi_"
#: a shorter one can be guessed
_SHORTEST = 16


class Key:
    """The key, of which only a hash is held.

    Args:
        file: where it can be read; None where somebody gave it.
    """

    def __init__(self, secret: str, file: Path | None = None) -> None:
        self._hash = _hash(secret)
        self.file = file

    def fits(self, given: str) -> bool:
        """Whether it is this key; the time that it takes tells nothing."""
        return hmac.compare_digest(_hash(given), self._hash)


def load_key(folder: Path, environ: Mapping[str, str]) -> Key:
    """The key: `TERAPI_SECRET_KEY`, else the state folder's file `secret-key`, made on the first start.

    Raises:
        UsageError: the variable holds no usable key.
        StoreError: the file cannot be read or made.
    """
    given = environ.get(VARIABLE, "").strip()
    if given:
        return Key(_sound(given))
    path = folder / _FILE
    try:
        return Key(_read(path) or _made(path), path)
    except OSError as exc:
        raise StoreError(
            f"the key file {path} cannot be used: {exc.strerror}",
            hint=f"check the rights of its folder, or set {VARIABLE}",
        ) from exc


def _sound(given: str) -> str:
    if len(given) < _SHORTEST or not given.isascii() or any(not 32 < ord(sign) < 127 for sign in given):
        raise UsageError(
            f"{VARIABLE} cannot be a key: expected {_SHORTEST} characters or more, without spaces",
            hint='make one with: python3 -c "import secrets; print(secrets.token_urlsafe(32))"',
        )
    return given


def _read(path: Path) -> str | None:
    """The key in the file; None where there is no file."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o600)
        found = path.read_text(encoding="latin-1").strip()
    except FileNotFoundError:
        return None
    if len(found) < _SHORTEST:
        raise StoreError(
            f"the key file {path} is damaged", hint="remove it, and the next start makes a new key"
        )
    return found


def _made(path: Path) -> str:
    """Makes the file whole or not at all, for its owner alone; of two servers at once the first one wins."""
    secret = _PREFIX + secrets.token_urlsafe(32)
    handle, name = tempfile.mkstemp(prefix=f"{_FILE}.", dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(f"{secret}\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(name, path)
    except FileExistsError:
        return _read(path) or secret
    finally:
        Path(name).unlink()
    return secret


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
