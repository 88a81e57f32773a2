"""By which address the org was called: a login host, its My Domain, or simply where it listens.

Hosts as the real service has them (`login.salesforce.com`, `acme.my.salesforce.com`,
`acme--uat.sandbox.my.salesforce.com`) are known by the header `Host`; those below `localhost` stand for them
where no name can be pointed here. A My Domain may also stand before the path: `/my/acme/services/…`.
"""

from __future__ import annotations

import enum
import re

import msgspec
from starlette.requests import HTTPConnection
from starlette.types import Scope

from runner.emulator.options import REAL, Options

_LOGIN = re.compile(r"(login|test)\.(salesforce\.com|localhost)")
_MY_DOMAIN = re.compile(
    r"([a-z0-9][a-z0-9-]*?(?:--[a-z0-9]+)?)(?:\.(?:sandbox|develop|scratch))?\.my\.(?:salesforce\.com|localhost)"
)
#: what stands before a path that names a My Domain
PREFIX = "/my/"


class Kind(enum.Enum):
    LOGIN = "a host where the users of all orgs log in"
    MY_DOMAIN = "the org's own"
    PLAIN = "where it listens"


class Address(msgspec.Struct, frozen=True, kw_only=True):
    kind: Kind
    #: what was called, such as https://login.salesforce.com
    url: str
    #: where the org's API is, as it tells it
    instance_url: str
    #: what stands before the paths of a My Domain that is part of the path
    prefix: str = ""
    #: whether the org's users can log in here: those of a sandbox cannot at `login`, all others not at `test`
    for_its_users: bool = True


class Elsewhere(Exception):
    """The name is the My Domain of no org that is here."""


def address(connection: HTTPConnection, options: Options, url: str) -> Address:
    """``url`` is where the org listens."""
    scope = connection.scope
    secure = "https" in (scope["scheme"], connection.headers.get("x-forwarded-proto", "").strip().lower())
    scheme = "https" if secure else "http"
    host = connection.headers.get("host", "").lower()
    name, _, port = host.partition(":")
    if scope.get(PREFIX):
        prefix = f"{PREFIX}{scope[PREFIX]}"
        return Address(kind=Kind.MY_DOMAIN, url=url + prefix, instance_url=url + prefix, prefix=prefix)
    login = _LOGIN.fullmatch(name)
    if login:
        own = f"{options.host.removesuffix(REAL)}{login[2]}{':' + port if port else ''}"
        fits = not options.name or (login[1] == "test") == options.is_sandbox
        return Address(
            kind=Kind.LOGIN, url=f"{scheme}://{host}", instance_url=f"{scheme}://{own}", for_its_users=fits
        )
    if _MY_DOMAIN.fullmatch(name):
        return Address(kind=Kind.MY_DOMAIN, url=f"{scheme}://{host}", instance_url=f"{scheme}://{host}")
    return Address(kind=Kind.PLAIN, url=url, instance_url=url)


def relocated(scope: Scope, options: Options) -> Scope:
    """The request without a My Domain before its path. Raises Elsewhere."""
    path: str = scope["path"]
    if not path.startswith(PREFIX):
        return scope
    name, slash, rest = path.removeprefix(PREFIX).partition("/")
    if options.name and name.lower() != options.name:
        raise Elsewhere(name)
    raw: bytes = scope.get("raw_path") or path.encode()
    return {
        **scope,
        "path": f"/{rest}",
        "raw_path": raw[len(PREFIX) + len(name) :] if slash else b"/",
        PREFIX: name.lower(),
    }


def check_host(scope: Scope, options: Options) -> None:
    """Raises Elsewhere for the My Domain of another org; one without a name answers to any."""
    found = _MY_DOMAIN.fullmatch(_host(scope))
    if options.name and found is not None and found[1] != options.name:
        raise Elsewhere(found[0])


def login_gate(scope: Scope) -> str:
    """`login` or `test` where a request came by one of these hosts, else ""."""
    found = _LOGIN.fullmatch(_host(scope))
    return found[1] if found else ""


def my_domain(scope: Scope) -> str:
    """The My Domain that a request names, by its path or its host; "" for none."""
    path: str = scope.get("path", "")
    if path.startswith(PREFIX):
        return path.removeprefix(PREFIX).partition("/")[0].lower()
    found = _MY_DOMAIN.fullmatch(_host(scope))
    return found[1] if found else ""


def _host(scope: Scope) -> str:
    """The header `Host`, without its port."""
    host: bytes = dict(scope["headers"]).get(b"host", b"")
    return host.decode("latin-1").lower().partition(":")[0]
