"""A throw-away certificate authority, and the certificate of an org: for clients that speak TLS only.

A client trusts it by its normal settings: REQUESTS_CA_BUNDLE, SSL_CERT_FILE or NODE_EXTRA_CA_CERTS name the
authority's file.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: what a client may call the org: where it is, and the names of the real service
NAMES = ("localhost", "*.salesforce.com", "*.my.salesforce.com", "*.sandbox.my.salesforce.com")
ADDRESS = "127.0.0.1"
LIFETIME = timedelta(days=30)


class Certificates(NamedTuple):
    #: PEM files: what a client must trust, and what the org shows and proves it with
    authority: Path
    certificate: Path
    key: Path


def make(folder: Path) -> Certificates:
    """Makes new ones, readable for their owner only; the authority's own key is kept nowhere."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = Certificates(folder / "authority.pem", folder / "org.pem", folder / "org.key")
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    name = _name("terapi's throw-away authority")
    authority = _signed(_Wish(name, authority_key, authority=True), name, authority_key)
    certificate = _signed(_Wish(_name("an emulated org"), key), name, authority_key)
    for file, content in zip(files, (_pem(authority), _pem(certificate), _key_pem(key)), strict=True):
        file.touch(mode=0o600)
        file.write_bytes(content)
    return files


class _Wish(NamedTuple):
    subject: x509.Name
    key: ec.EllipticCurvePrivateKey
    authority: bool = False


def _signed(wish: _Wish, issuer: x509.Name, issuer_key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    now, public = datetime.now(UTC), wish.key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(wish.subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(
            x509.BasicConstraints(ca=wish.authority, path_length=0 if wish.authority else None), True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)
        .add_extension(_usage(wish.authority), True)
    )
    if not wish.authority:
        names = [*map(x509.DNSName, NAMES), x509.IPAddress(ipaddress.ip_address(ADDRESS))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False
        )
    return builder.sign(issuer_key, hashes.SHA256())


def _constraints(authority: bool) -> x509.BasicConstraints:
    return x509.BasicConstraints(ca=authority, path_length=0 if authority else None)


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
