"""The vault: credentials sealed at rest, and secrets kept out of everything that people see.

AES-256-GCM (NIST SP 800-38D) with a fresh nonce each time; what a row belongs to is authenticated with it, so
that one row's secret cannot be put into another's place.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from runner.errors import StoreError, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12
_VARIABLE = "TERAPI_ENCRYPTION_KEY"
#: shorter ones are no secrets, and would hide half of every text
_SHORTEST = 4


class Vault:
    """Seals with its first key and opens with any of them.

    Args:
        keys: 32 bytes each, the newest first.
    """

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._keys = {_name(key): key for key in keys}
        self._newest = next(iter(self._keys))

    def __repr__(self) -> str:
        return f"Vault(key {self._newest})"

    @classmethod
    def load(cls, folder: Path, environ: Mapping[str, str]) -> Vault:
        """The vault of a state folder.

        The keys come from `TERAPI_ENCRYPTION_KEY` (base64 or hex, several with commas, the newest first), or
        from a file of the folder that only its owner may read, made on first use.

        Raises:
            UsageError: a key is malformed.
            StoreError: the file cannot be read or written.
        """
        given = environ.get(_VARIABLE, "").strip()
        if given:
            return cls([_key(part.strip()) for part in given.split(",")])
        return cls(_keys_of(folder / "key"))

    def seal(self, data: Mapping[str, object], context: str) -> tuple[bytes, str]:
        """Encrypts; gives the sealed bytes and the id of the key.

        Args:
            context: what it belongs to, such as `connection:crm:demo`; needed again to open it.
        """
        nonce = os.urandom(_NONCE)
        sealed = _cipher(self._keys[self._newest]).encrypt(nonce, json.dumps(data).encode(), context.encode())
        return nonce + sealed, self._newest

    def open(self, sealed: bytes, key_id: str, context: str) -> dict[str, object]:
        """Decrypts.

        Raises:
            StoreError: the key is not here, or does not open it.
        """
        from cryptography.exceptions import InvalidTag

        hint = f"set {_VARIABLE} to the key that it was stored with (key {key_id}), or connect again"
        if key_id not in self._keys:
            raise StoreError("stored credentials are sealed with a key that is not here", hint=hint)
        try:
            plain = _cipher(self._keys[key_id]).decrypt(sealed[:_NONCE], sealed[_NONCE:], context.encode())
        except InvalidTag as exc:
            raise StoreError("stored credentials do not open: they were changed or moved", hint=hint) from exc
        return cast(dict[str, object], json.loads(plain))


def _cipher(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _name(key: bytes) -> str:
    return hashlib.sha256(b"terapi key id" + key).hexdigest()[:8]


def _key(text: str) -> bytes:
    for decode in (bytes.fromhex, base64.urlsafe_b64decode, base64.b64decode):
        try:
            key = decode(text)
        except (ValueError, binascii.Error):
            continue
        if len(key) == 32:
            return key
    raise UsageError(
        f"{_VARIABLE} is not a key: expected 32 bytes in base64 or hex",
        hint='make one with: python3 -c "import secrets; print(secrets.token_hex(32))"',
    )


def _keys_of(path: Path) -> list[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _make(path)
        return [_key(line) for line in path.read_text(encoding="ascii").split()]
    except OSError as exc:
        raise StoreError(f"the key file {path} cannot be used: {exc.strerror}") from exc


def _make(path: Path) -> None:
    """Makes the key whole or not at all; of two processes at once, the first one's key stays."""
    draft = path.with_name(f"key.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(os.urandom(32).hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def mask(text: str, secrets: Iterable[str]) -> str:
    """``text`` with every secret in it, however it is encoded, replaced by `•••`."""
    forms = {form for secret in secrets if len(secret) >= _SHORTEST for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "•••")
    return text


def _forms(secret: str) -> Iterable[str]:
    encoded = base64.b64encode(secret.encode()).decode()
    yield from (
        secret,
        quote(secret, safe=""),
        quote(secret),
        json.dumps(secret)[1:-1],
        encoded,
        encoded.rstrip("="),
    )
