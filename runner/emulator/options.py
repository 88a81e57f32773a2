"""How an org is started."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import Literal

import msgspec

from runner.emulator.errors import OptionError

#: what `Sforce-Limit-Info` says of an org without a limit of its own: that of a developer edition
SHOWN_LIMIT = 15_000


#: what a My Domain may be called; a sandbox is `acme--uat`
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*(--[a-z0-9]{1,10})?")


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
    #: whether each refresh gives a new refresh token and ends the old one
    rotate_refresh_tokens: bool = False
    #: refused answers 403; inactive says that no token is active, as an app may see it that lacks the right
    introspection: Literal["allowed", "refused", "inactive"] = "allowed"
    #: calls before REQUEST_LIMIT_EXCEEDED; None counts them and refuses none
    api_limit: int | None = None
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
        return f"{self.name or 'example'}{'.sandbox' if self.is_sandbox else ''}.my.salesforce.com"
