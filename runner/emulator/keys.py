"""Key pairs for the JWT bearer grant."""

from __future__ import annotations

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from runner.emulator.errors import OptionError

BITS = 2048


def make() -> tuple[str, str]:
    """A new RSA pair as PEM: the private key, the public key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), _public_pem(key.public_key())


def public(pem: str) -> str:
    """The public key in a PEM text, checked. Raises OptionError."""
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except ValueError as exc:
        raise OptionError(f"This is no public key in PEM: {exc}") from exc
    if not isinstance(key, rsa.RSAPublicKey):
        raise OptionError("The public key must be an RSA key")
    return _public_pem(key)


def _public_pem(key: rsa.RSAPublicKey) -> str:
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
