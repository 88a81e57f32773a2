"""Where credentials may be sent: only to a provider's own hosts, never into private networks by accident."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from runner.definitions.exchange import Target
from runner.errors import CallError, Place

if TYPE_CHECKING:
    import aiohttp


def check_url(url: str, target: Target, where: Place | None = None) -> None:
    """Refuses a URL that is not one of the provider's.

    A connection that was made with `--allow-local` may also go to the hosts of its own configured addresses
    where those are local ones; plain `http` is for those alone.

    Raises:
        CallError: of kind `forbidden_host`.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if target.allow_local and parts.netloc.lower() in _own(target) and is_local(host):
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


def _own(target: Target) -> set[str]:
    return {
        urlsplit(value).netloc.lower()
        for value in target.config.values()
        if isinstance(value, str) and "://" in value
    }


def _matches(host: str, pattern: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def is_local(host: str) -> bool:
    """Whether a host is this machine or a private, link-local or otherwise special address (RFC 6890)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return not address.is_global or address.is_multicast


def guarded_resolver(allow_local: bool) -> aiohttp.abc.AbstractResolver:
    """A resolver that gives no local address, so that no public name can lead into a private network."""
    import aiohttp

    class Guarded(aiohttp.ThreadedResolver):
        async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[aiohttp.abc.ResolveResult]:
            found = await super().resolve(host, port, family)  # type: ignore[arg-type]
            if not allow_local and any(is_local(str(one["host"])) for one in found):
                raise OSError(f"{host} leads to a private address")
            return found

    return Guarded()


def without_credentials(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in ("authorization", "cookie")}
