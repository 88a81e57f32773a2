"""The vault: credentials sealed at rest.

AES-256-GCM (NIST SP 800-38D) with a fresh nonce each time; what a row belongs to is authenticated with it, so
that one row's secret cannot be put into another's place. Masking, which keeps secrets out of what people see,
is in `masking`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
import stat
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from runner.auth.masking import mask
from runner.errors import StoreError, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["Vault", "mask"]

_NONCE = 12
_SIZE = 32
_VARIABLE = "TERAPI_ENCRYPTION_KEY"


class Vault:
    """Seals with its newest key and opens with any of them.

    Args:
        keys: 32 bytes each, the newest first.
        file: where further keys are; without ``keys``, one is made there as soon as something must be sealed.
    """

    def __init__(self, keys: Iterable[bytes], file: Path) -> None:
        self._keys = {_name(key): key for key in keys}
        self._file = file

    def __repr__(self) -> str:
        return f"Vault(keys {self._names()})"

    @classmethod
    def load(cls, folder: Path, environ: Mapping[str, str]) -> Vault:
        """The vault of a state folder.

        The keys come from `TERAPI_ENCRYPTION_KEY` (base64 or hex, several with commas, the newest first),
        else from the folder's file `key` (one a line, the newest first), which only its owner may read and
        which is made when something is sealed for the first time. What was sealed before the variable was
        set still opens while the file is there.

        Raises:
            UsageError: a key in the variable is malformed.
        """
        given = environ.get(_VARIABLE, "").strip()
        keys = [_given(part.strip()) for part in given.split(",")] if given else []
        return cls(keys, folder / "key")

    def seal(self, data: Mapping[str, object], context: str) -> tuple[bytes, str]:
        """Encrypts; gives the sealed bytes and the id of the key.

        Args:
            context: what it belongs to, such as `connection:crm:demo`; needed again to open it.

        Raises:
            StoreError: the key file cannot be read or made.
        """
        if not self._keys:
            self._keys = _read(self._file) or _read(_made(self._file))
        newest, key = next(iter(self._keys.items()))
        nonce = os.urandom(_NONCE)
        sealed = _cipher(key).encrypt(nonce, json.dumps(data).encode(), context.encode())
        return nonce + sealed, newest

    def open(self, sealed: bytes, key_id: str, context: str) -> dict[str, object]:
        """Decrypts.

        Raises:
            StoreError: the key is not here, or does not open it.
        """
        from cryptography.exceptions import InvalidTag

        cipher = _cipher(self._key(key_id, context))
        try:
            plain = cipher.decrypt(sealed[:_NONCE].ljust(_NONCE, b"\0"), sealed[_NONCE:], context.encode())
        except InvalidTag as exc:
            raise StoreError(
                f"what is stored for {context} does not open with its key {key_id}: it was changed or moved",
                hint="restore the state from a backup, or connect again",
            ) from exc
        return cast(dict[str, object], json.loads(plain))

    def _key(self, key_id: str, context: str) -> bytes:
        if key_id not in self._keys:
            # Made by another process meanwhile, or before the variable was set.
            self._keys |= _read(self._file)
        if key_id in self._keys:
            return self._keys[key_id]
        raise StoreError(
            f"what is stored for {context} is sealed with the key {key_id}, but here is {self._names()}",
            hint=f"add that key to {_VARIABLE} (after a comma), put {self._file} back, or connect again",
        )

    def _names(self) -> str:
        return ", ".join(self._keys) or "none"


def _cipher(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _name(key: bytes) -> str:
    """A key's id, from which nothing of the key can be told."""
    return hashlib.sha256(b"terapi key id" + key).hexdigest()[:8]


def _decoded(text: str) -> bytes | None:
    """A key of 32 bytes from hex or base64 (RFC 4648 §4 and §5, with or without padding)."""
    if re.fullmatch(r"[0-9A-Fa-f]{64}", text):
        return bytes.fromhex(text)
    plain = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        key = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error):
        return None
    return key if len(key) == _SIZE else None


def _given(text: str) -> bytes:
    key = _decoded(text)
    if key is None:
        raise UsageError(
            f"{_VARIABLE} is not a key: expected 32 bytes in base64 or hex",
            hint='make one with: python3 -c "import secrets; print(secrets.token_hex(32))"',
        )
    return key


def _read(path: Path) -> dict[str, bytes]:
    """The keys of a file by their ids, the newest first; none where there is no file."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o600)
        keys = [_decoded(line) for line in path.read_text(encoding="latin-1").split()]
    except FileNotFoundError:
        return {}
    except OSError as exc:
        raise _unusable(path, exc) from exc
    sound = [key for key in keys if key is not None]
    if not sound or len(sound) < len(keys):
        raise StoreError(
            f"the key file {path} is damaged",
            hint="restore it from a backup, or move it aside and connect again: without it, what is sealed "
            "cannot be opened",
        )
    return {_name(key): key for key in sound}


def _made(path: Path) -> Path:
    """Makes the key file whole or not at all; of two processes at once, the first one's key stays."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = _draft(path)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    except OSError as exc:
        raise _unusable(path, exc) from exc
    return path


def _draft(path: Path) -> Path:
    handle, name = tempfile.mkstemp(prefix="key.", dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(os.urandom(_SIZE).hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _unusable(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"the key file {path} cannot be used: {error.strerror}",
        hint=f"check the rights of its folder, or set {_VARIABLE}",
    )
