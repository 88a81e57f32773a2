"""Where credentials may be sent: only to a provider's own hosts, never into private networks by accident."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from urllib.parse import urljoin

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from runner.definitions.exchange import Target
from runner.errors import CallError, Place


class PrivateAddress(OSError):
    """A name leads to where this connection may not call."""


def led_to(url: str, location: str, where: Place | None = None) -> str:
    """Where an answer of ``url`` leads that names ``location`` (RFC 3986 §5).

    Raises:
        CallError: of kind `bad_url`.
    """
    try:
        return urljoin(url, location)
    except ValueError as exc:
        raise _no_address(location, where) from exc


def _no_address(url: str, where: Place | None) -> CallError:
    return CallError(f"{url.partition('?')[0]!r} is no address", kind="bad_url", where=where)


def check_url(url: str, target: Target, where: Place | None = None) -> None:
    """Refuses a URL that is not one of the provider's.

    A connection that was made with `--allow-local` may also go to the hosts of its own configured addresses
    where those are local ones; plain `http` is for those alone. The URL is taken apart by what will send it,
    so that the host that is looked at here is the one that is called.

    Raises:
        CallError: of kind `forbidden_host`, or `bad_url` where it is no URL.
    """
    parts = _parsed(url, where)
    host = (parts.host or "").rstrip(".").lower()
    if target.allow_local and parts.authority.lower() in _own(target) and is_local(host):
        return
    if not any(_matches(host, pattern) for pattern in target.provider.hosts):
        allowed = ", ".join(target.provider.hosts)
        raise CallError(
            f"credentials of {target.provider.name} are not sent to {host or 'an address without a host'}",
            kind="forbidden_host",
            where=where,
            hint=f"its hosts are {allowed}; if the API really has another, add it to its `hosts`",
        )
    if parts.scheme != "https":
        raise CallError(
            f"{host} would be called without TLS", kind="forbidden_host", where=where, hint="use https://"
        )


def _parsed(url: str, where: Place | None) -> URL:
    try:
        parts = URL(url)
    except ValueError as exc:
        raise _no_address(url, where) from exc
    if parts.user is not None or parts.password is not None:
        message = f"the address of {parts.host} has a user name in it"
        hint = "leave it out: the connection's own credentials are sent"
        raise CallError(message, kind="bad_url", where=where, hint=hint)
    return parts


def _own(target: Target) -> set[str]:
    return {
        URL(value).authority.lower()
        for value in target.config.values()
        if isinstance(value, str) and "://" in value
    }


def _matches(host: str, pattern: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


#: names that the public Internet does not have (RFC 6761 §6, RFC 6762 §3, RFC 8375, and ICANN's `internal`)
_LOCAL_NAMES = (".localhost", ".local", ".internal", ".home.arpa", ".test")


def is_local(host: str) -> bool:
    """Whether a host is this machine or a private, link-local or otherwise special address (RFC 6890).

    A name without a dot, or below one of the domains for private use, is local as well.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ("." not in host and host != "") or host.endswith(_LOCAL_NAMES)
    mapped = getattr(address, "ipv4_mapped", None)
    return _is_special(mapped or address)


def _is_special(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return not address.is_global or address.is_multicast


def guarded_resolver(allow_local: bool, through: Collection[str] = ()) -> AbstractResolver:
    """A resolver that gives no local address, so that no public name can lead into a private network.

    Args:
        through: the hosts of proxies, which may be local.
    """

    class Guarded(ThreadedResolver):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            found = await super().resolve(host, port, family)
            if allow_local or host in through or not any(is_local(one["host"]) for one in found):
                return found
            raise PrivateAddress(f"{host} leads to a private address")

    return Guarded()
