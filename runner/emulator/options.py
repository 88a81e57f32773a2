"""How an org is started."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from runner.emulator.errors import OptionError

#: what `Sforce-Limit-Info` says of an org without a limit of its own: that of a developer edition
SHOWN_LIMIT = 15_000


#: what a My Domain may be called; a sandbox is `acme--uat`
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*(--[a-z0-9]{1,10})?")


#: what the hosts of the real service end with
REAL = "salesforce.com"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    #: the org's My Domain; "" for one that needs no name
    name: str = ""
    #: where the org's data are kept; None ends them with the process
    data: Path | None = None
    #: how many contacts a new org has; the other objects follow
    records: int = 1_000
    #: the same seed makes the same sample data
    seed: int = 1
    #: the connected app; made up where they are None
    client_id: str | None = None
    client_secret: str | None = None
    #: the first user; the password is made up where it is None
    username: str = "ada.lovelace@org.example"
    password: str | None = None
    #: seconds that an access token works
    session_lifetime: float = 7_200.0
    #: seconds that a refresh token works; None: until it is revoked
    refresh_token_lifetime: float | None = None
    #: whether each refresh gives a new refresh token and ends the old one; who uses an old one again loses
    #: all that came of it
    rotate_refresh_tokens: bool = False
    #: how long a refresh takes; another one with the same token is refused meanwhile
    refresh_seconds: float = 0.0
    #: whether the app must prove itself by its secret, and by a code verifier (RFC 7636)
    require_secret: bool = True
    require_pkce: bool = False
    #: whether a user has been chosen as whom the app acts without one
    client_credentials: bool = True
    #: refused answers 403; inactive says that no token is active, as an app may see it that lacks the right
    introspection: Literal["allowed", "refused", "inactive"] = "allowed"
    #: calls before REQUEST_LIMIT_EXCEEDED; None counts them and refuses none
    api_limit: int | None = None
    #: how many custom fields an object has beside its own: `Project__c=800`
    custom_fields: tuple[str, ...] = ()
    #: fields that nobody sees, such as Contact.Birthdate, and fields that nobody may change
    hidden_fields: tuple[str, ...] = ()
    readonly_fields: tuple[str, ...] = ()
    #: whether a contact, lead or account like one that is there is refused unless it is insisted on
    duplicate_rules: bool = False
    #: PEM of the key that proves JWT bearer assertions; None has the org make a pair of its own when asked
    jwt_public_key: str | None = None
    #: bodies up to so many bytes are compressed for clients who take gzip; larger ones would cost
    #: more than they save
    compress_below: int = 65_536
    #: faults from the start on, as `--fault` takes them
    faults: tuple[str, ...] = ()
    #: how long a bulk job takes: seconds by the org's clock, and questions after its state
    bulk_seconds: float = 0.0
    bulk_polls: int = 0
    #: the most rows in one answer of a bulk query, and how many where the client does not say
    result_rows: int = 100_000

    def called(self, name: str) -> Options:
        """The same options for an org of this name, with its own data. Raises OptionError."""
        if not NAME.fullmatch(name):
            raise OptionError(f"{name!r} is no name of an org; one is acme, a sandbox of it acme--uat")
        return msgspec.structs.replace(
            self,
            name=name,
            data=self.data / name if self.data else None,
            username=f"ada.lovelace@{name}.example",
            seed=self.seed + zlib.crc32(name.encode()),
        )

    @property
    def is_sandbox(self) -> bool:
        return "--" in self.name

    @property
    def host(self) -> str:
        """The host that the real service would give it."""
        return f"{self.name or 'example'}{'.sandbox' if self.is_sandbox else ''}.my.{REAL}"


#: what can be changed while the org runs
POLICIES = frozenset(
    {
        "api_limit", "bulk_polls", "bulk_seconds", "client_credentials", "compress_below", "duplicate_rules",
        "hidden_fields", "introspection", "readonly_fields", "refresh_seconds", "refresh_token_lifetime",
        "require_pkce", "require_secret", "result_rows", "rotate_refresh_tokens", "session_lifetime",
    }
)  # fmt: skip


def changed(options: Options, said: Mapping[str, object]) -> Options:
    """The options with other policies; texts stand for what they say, such as `true`, and lists are parted by
    commas. Raises OptionError.
    """
    unknown = [name for name in said if name not in POLICIES]
    if unknown:
        raise OptionError(f"{unknown[0]!r} is no policy; there are {', '.join(sorted(POLICIES))}")
    values = {name: _listed(name, value) for name, value in said.items()}
    whole = {field: getattr(options, field) for field in options.__struct_fields__ if field != "data"}
    try:
        fresh = msgspec.convert({**whole, **values}, Options, strict=False)
    except msgspec.ValidationError as exc:
        raise OptionError(f"A policy has a value that it cannot have: {exc}") from exc
    return msgspec.structs.replace(fresh, data=options.data)


def pair(text: str) -> tuple[str, str]:
    """`name=value` as `--set` takes it. Raises OptionError."""
    name, equals, value = text.partition("=")
    if not equals:
        raise OptionError(f"{text!r} is no policy with its value; write it such as require_pkce=true")
    return name.strip().replace("-", "_"), value.strip()


def _listed(name: str, value: object) -> object:
    if name.endswith("_fields") and isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value
